package main

import (
	"net"
	"sync/atomic"
	"time"

	"bogops/app/admit"
)

// connection is one connection of this server, as net/http sees it. It knows
// whether a handler has the word: then what is written is an answer, whose
// pieces leave together; otherwise it may be a refusal of net/http's own, which
// is replaced.
type connection struct {
	net.Conn
	out       *outbox     // below Conn, which is TLS on it or out itself
	gate      *admit.Gate // that it came through
	closed    atomic.Bool
	serving   atomic.Bool // a handler has the word, or its answer is going out
	gathering atomic.Bool // of that answer, what it is written in leaves together
	refused   atomic.Bool
	malformed *atomic.Int64 // counts them, over all connections
}

func (c *connection) Write(p []byte) (int, error) {
	if c.serving.Load() {
		return c.send(p)
	}
	refusal := refusalIn(p)
	if refusal == nil {
		return c.Conn.Write(p)
	}
	c.refused.Store(true)
	c.malformed.Add(1)
	if _, err := c.Conn.Write(refusal); err != nil {
		return 0, err
	}
	return len(p), nil
}

// send writes a part of an answer; its TLS records leave together.
func (c *connection) send(p []byte) (int, error) {
	c.out.keep()
	n, err := c.Conn.Write(p)
	if err == nil && !c.gathering.Load() {
		err = c.out.flush()
	}
	return n, err
}

// SetWriteDeadline with no deadline is how net/http ends an answer, before it
// closes the connection or takes it for idle: now the whole of it goes out. Later
// would be too late for a slow client, since neither a close nor a shutdown waits.
func (c *connection) SetWriteDeadline(at time.Time) error {
	if at.IsZero() {
		c.serving.Store(false)
		c.gathering.Store(false)
		if err := c.out.flush(); err != nil {
			_ = c.Conn.Close() // net/http learns of it at its next read
		}
	}
	return c.Conn.SetWriteDeadline(at)
}

// CloseWrite is what net/http wants of a connection to end it gently.
func (c *connection) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close reads on for a moment after a refusal: to close with bytes unread
// resets a connection, and may take the answer with it.
func (c *connection) Close() error {
	c.out.closing.Store(true)
	if !c.closed.Swap(true) {
		defer c.gate.Disconnect()
	}
	if c.refused.Swap(false) && c.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		buffer := make([]byte, 4096)
		for {
			if _, err := c.Read(buffer); err != nil {
				break
			}
		}
	}
	return c.Conn.Close()
}
