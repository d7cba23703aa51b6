// Command forward lets programs on this machine reach a Concourse that ci.sh
// started, until it is interrupted:
//
//	forward DIR [SERVICE]...
//
// It prints Concourse's URL, and, for each SERVICE, an address on this machine's
// loopback, the one that task containers reach it at.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"bogops/infra/concourse"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "forward:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	if len(args) == 0 {
		return errors.New("got no argument, wanted the directory of a Concourse that runs")
	}
	server, err := concourse.Open(args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	fmt.Fprintf(out, "%s (at %s)\n", server.URL(), server.Address())
	for _, service := range args[1:] {
		address, err := server.Inside(ctx, service)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s is %s in task containers\n", service, address)
	}
	<-ctx.Done()
	return nil
}
