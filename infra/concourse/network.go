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
		home, err := goIn("/proc/" + pid + "/ns/net")
		entered <- err
		if err != nil {
			return
		}
		for ask := range n.asked {
			ask()
		}
		goHome(home)
	}()
	if err := <-entered; err != nil {
		return nil, fmt.Errorf("concourse: enter the network of process %s: %w", pid, err)
	}
	return n, nil
}

// goIn has the goroutine keep its thread, and the thread enter a network
// namespace. It returns the one that the thread came from.
func goIn(path string) (home *os.File, err error) {
	runtime.LockOSThread()
	defer func() {
		if err != nil { // it has not moved
			runtime.UnlockOSThread()
		}
	}()
	if home, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return nil, err
	}
	there, err := os.Open(path)
	if err == nil {
		err = errors.Join(unix.Setns(int(there.Fd()), unix.CLONE_NEWNET), there.Close())
	}
	if err != nil {
		return nil, errors.Join(err, home.Close())
	}
	return home, nil
}

// goHome gives the thread back as it was. It must not end: the kernel would kill
// the processes that were started on it, at any time, with a signal for the death
// of their parent. Only where it cannot return it does end, with its goroutine:
// nobody may use it where it is.
func goHome(home *os.File) {
	defer home.Close()
	if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
		runtime.UnlockOSThread()
	}
}

// leave ends the goroutine. Sockets that were made stay as they are.
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
