package concourse_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// cutter passes connections on, and can cut all of them.
type cutter struct {
	address, to string
	group       sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]bool
	broken int
}

// cutterTo listens on loopback for what is meant for address.
func cutterTo(t *testing.T, address string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{address: listener.Addr().String(), to: address, conns: map[net.Conn]bool{}}
	ctx, cancel := context.WithCancel(context.Background())
	c.group.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			c.group.Go(func() { c.pass(ctx, near) })
		}
	})
	t.Cleanup(func() {
		cancel()
		listener.Close()
		c.cut()
		c.group.Wait()
	})
	return c
}

func (c *cutter) pass(ctx context.Context, near net.Conn) {
	defer near.Close()
	far, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.to)
	if err != nil {
		return
	}
	defer far.Close()
	stop := context.AfterFunc(ctx, func() { near.Close(); far.Close() })
	defer stop()
	c.mu.Lock()
	c.conns[near] = true
	c.mu.Unlock()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		c.group.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		})
	}
	<-done
	c.mu.Lock()
	delete(c.conns, near)
	c.mu.Unlock()
}

// cut breaks every connection off.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		conn.Close()
		c.broken++
	}
	clear(c.conns)
}

// cuts is how many connections were broken off.
func (c *cutter) cuts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	return parsed.Hostname()
}
