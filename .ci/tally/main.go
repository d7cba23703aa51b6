// Tally reads what `go test -json` prints, shows one line per package and the
// whole output of whatever failed, and writes what it counted to the file that
// its argument names: "passed failed", then a line for every test left out.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "tally: got no file for the counts, want: go test -json | tally FILE")
		os.Exit(64)
	}
	if err := run(os.Stdin, os.Stdout, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(2)
	}
}

// run reads a whole stream. A test that fails is no error of run: the counts
// say so.
func run(in io.Reader, out io.Writer, counts string) error {
	t := newTally(out)
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			t.line(line)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	return os.WriteFile(counts, []byte(t.counts()), 0o644)
}
