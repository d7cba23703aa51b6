package main

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// While a process is stopped, clients give up, and write anew through another
// instance. When it goes on it finds their old requests where they left them,
// whole, and would carry them out: that they have gone is behind the request in
// the same socket, or will be noticed a moment later by another goroutine. So
// whoever asks whether the context of a write has ended asks the kernel too. The
// store asks under its lock, just before the write takes effect: a client that
// had closed its connection before another write could be acknowledged is
// noticed there. Over HTTP/2 a client may reset one request and keep the
// connection; that is noticed only as net/http reads it.

// clientContext is the context of a request, and ends also when the client's
// end of the connection is closed. Contexts that are made of it by WithCancel
// and its like ask it only once.
type clientContext struct {
	context.Context
	conn  net.Conn
	began time.Time
	asked atomic.Int64 // when the kernel last said that the client is there, since began
}

// askAgain is how long an answer of the kernel stands. A process that is stopped
// in between notices by the clock that it has to ask anew.
const askAgain = time.Millisecond

func newClientContext(of context.Context, conn net.Conn) *clientContext {
	c := &clientContext{Context: of, conn: conn, began: time.Now()}
	c.asked.Store(-int64(askAgain)) // nothing is known of it yet
	return c
}

// Err implements context.Context.
func (c *clientContext) Err() error {
	if err := c.Context.Err(); err != nil {
		return err
	}
	now := time.Since(c.began)
	if now-time.Duration(c.asked.Load()) < askAgain {
		return nil
	}
	if hasGone(c.conn) {
		return context.Canceled
	}
	c.asked.Store(int64(now))
	return nil
}
