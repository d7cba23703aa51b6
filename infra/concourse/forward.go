package concourse

import (
	"context"
	"io"
	"net"
	"sync"
)

// A forwarder copies bytes between whoever connects to its listener and what
// dial reaches, until close.
type forwarder struct {
	listener net.Listener
	dial     func(context.Context) (net.Conn, error)
	stopped  context.Context
	stop     context.CancelFunc
	running  sync.WaitGroup
}

func forward(listener net.Listener, dial func(context.Context) (net.Conn, error)) *forwarder {
	f := &forwarder{listener: listener, dial: dial}
	f.stopped, f.stop = context.WithCancel(context.Background())
	f.running.Go(f.accept)
	return f
}

func (f *forwarder) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.running.Go(func() { f.join(conn) })
	}
}

// join keeps the two directions apart: a client that has said all may still wait
// for its answer.
func (f *forwarder) join(near net.Conn) {
	defer near.Close()
	defer context.AfterFunc(f.stopped, func() { near.Close() })()
	far, err := f.dial(f.stopped)
	if err != nil {
		return
	}
	defer far.Close()
	defer context.AfterFunc(f.stopped, func() { far.Close() })()
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() { send(far, near) })
	send(near, far)
}

func send(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
		return
	}
	_ = to.Close() // a broken connection is broken in both directions
	_ = from.Close()
}

func (f *forwarder) close() error {
	err := f.listener.Close()
	f.stop()
	f.running.Wait()
	return err
}
