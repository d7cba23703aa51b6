package main

import (
	"fmt"
	"io"
	"os"
)

// progress counts on one line of a terminal and wipes it at the end. Anywhere
// else it is silent: the results are the plain lines.
func progress(w io.Writer, terminal bool) func(ended, of int) {
	const wipe = "\r\x1b[K"
	if !terminal {
		return func(int, int) {}
	}
	return func(ended, of int) {
		if ended == of {
			fmt.Fprint(w, wipe)
			return
		}
		fmt.Fprintf(w, "%s%d of %d checks", wipe, ended, of)
	}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
