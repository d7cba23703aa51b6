package main

import "golang.org/x/sys/unix"

// connections is how many connections may be open: want, but no more than leaves
// a quarter of the files that the process may open to the store. Go has raised
// that number to the most that the system allows.
func connections(want int) int {
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) != nil || files.Cur > 1<<30 {
		return want
	}
	return min(want, int(files.Cur/4*3))
}
