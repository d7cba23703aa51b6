package concourse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// A network is a network namespace that this process opens sockets in. A socket
// stays in the namespace that its thread was in when it was made, and everybody
// may use it afterwards: so one thread goes in, and makes them all. Nothing
// leads from one network to the other but the copying of bytes.
type network struct {
	asked chan func()
	ended chan struct{}
}

// enter goes into the network namespace of a process. It wants root.
func enter(pid string) (*network, error) {
	n := &network{asked: make(chan func()), ended: make(chan struct{})}
	entered := make(chan error)
	go func() {
		defer close(n.ended)
		// It is never unlocked: the thread belongs nowhere else now, and Go ends
		// it with this goroutine.
		runtime.LockOSThread()
		err := setNetwork("/proc/" + pid + "/ns/net")
		entered <- err
		if err != nil {
			return
		}
		for ask := range n.asked {
			ask()
		}
	}()
	if err := <-entered; err != nil {
		return nil, fmt.Errorf("concourse: enter the network of process %s: %w", pid, err)
	}
	return n, nil
}

func setNetwork(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
}

// leave ends the thread. Sockets that were made stay as they are.
func (n *network) leave() {
	close(n.asked)
	<-n.ended
}

// do runs act in there.
func (n *network) do(ctx context.Context, act func()) error {
	done := make(chan struct{})
	select {
	case n.asked <- func() { defer close(done); act() }:
		<-done
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// listen and dial take addresses with an IP address only: a name would be asked
// for by another goroutine, outside.
func (n *network) listen(ctx context.Context, address string) (net.Listener, error) {
	var listener net.Listener
	var failed error
	err := n.do(ctx, func() {
		listener, failed = (&net.ListenConfig{}).Listen(ctx, "tcp4", address)
	})
	return listener, errors.Join(err, failed)
}

func (n *network) dial(ctx context.Context, address string) (net.Conn, error) {
	var conn net.Conn
	var failed error
	err := n.do(ctx, func() {
		// What is dialled there is on its loopback, and answers at once or never.
		conn, failed = (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp4", address)
	})
	return conn, errors.Join(err, failed)
}
