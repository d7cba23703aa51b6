// Command init is the first process of a process namespace: it reaps what was
// orphaned there and waits to be told to end. Concourse puts it into every
// container, and expects to bring one along, which its Go module does not hold.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) > 1 {
		return // the smallest task there is, to see that one can run
	}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGTERM, syscall.SIGINT)
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		for reaped() {
		}
	}
}

func reaped() bool {
	pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	return pid > 0 && err == nil
}
