package fleet

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// A backend is one running instance behind a balancer.
type backend struct {
	id        string
	tls, http string // addresses
}

// balancer passes TCP connections through to instances, as a network load
// balancer does: it ends no TLS, asks each instance's /readyz, prefers the
// ready ones, and with none ready passes to every live one. Otherwise the
// first ACME challenge would never arrive, since an instance is ready only
// once it holds a certificate.
type balancer struct {
	name          string // the server name that health checks ask for
	tls, http     net.Listener
	checkInterval time.Duration

	mu       sync.Mutex
	backends []backend
	health   map[string]health
	next     int
	conns    map[net.Conn]bool
	closed   bool

	stop context.CancelFunc
	done sync.WaitGroup
}

func newBalancer(name string) *balancer {
	return &balancer{name: name, checkInterval: 200 * time.Millisecond, health: map[string]health{}, conns: map[net.Conn]bool{}}
}

// serve starts to balance what the two listeners accept, which it then owns.
func (b *balancer) serve(tls, http net.Listener) {
	ctx, cancel := context.WithCancel(context.Background())
	b.tls, b.http, b.stop = tls, http, cancel
	b.done.Add(3)
	go b.accept(b.tls, func(x backend) string { return x.tls })
	go b.accept(b.http, func(x backend) string { return x.http })
	go b.watch(ctx)
}

// set replaces the list of instances. Connections to those that left go on.
func (b *balancer) set(backends []backend) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = slices.Clone(backends)
	known := map[string]health{}
	for _, x := range backends {
		known[x.id] = b.health[x.id]
	}
	b.health = known
}

// close refuses new connections, cuts the open ones and waits.
func (b *balancer) close() {
	if b.stop == nil {
		return
	}
	b.stop()
	b.tls.Close()
	b.http.Close()
	b.mu.Lock()
	b.closed = true
	for c := range b.conns {
		c.Close()
	}
	b.mu.Unlock()
	b.done.Wait()
}

func (b *balancer) accept(l net.Listener, address func(backend) string) {
	defer b.done.Done()
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		b.done.Add(1)
		go func() {
			defer b.done.Done()
			b.pass(client, address)
		}()
	}
}

// pass connects client to the first candidate that answers and copies both
// ways until either side ends.
func (b *balancer) pass(client net.Conn, address func(backend) string) {
	defer client.Close()
	if !b.track(client) {
		return
	}
	defer b.untrack(client)
	for _, x := range b.candidates() {
		server, err := net.DialTimeout("tcp", address(x), time.Second)
		if err != nil {
			if errors.Is(err, syscall.ECONNREFUSED) { // no need to wait for the next health check
				b.mark(x.id, health{reason: "it refuses connections"})
			}
			continue
		}
		if !b.track(server) {
			server.Close()
			return
		}
		defer b.untrack(server)
		join(client, server)
		return
	}
}

// join copies both ways. Each direction half-closes, so that a client which
// has finished sending still gets its answer.
func join(a, b net.Conn) {
	defer b.Close()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			if half, ok := way[0].(*net.TCPConn); ok {
				half.CloseWrite()
			}
		})
	}
	both.Wait()
}

// candidates lists the instances to try, in turn: the ready ones, or all.
func (b *balancer) candidates() []backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(b.backends), func(x backend) bool { return !b.health[x.id].ready })
	if len(list) == 0 {
		list = slices.Clone(b.backends)
	}
	if len(list) == 0 {
		return nil
	}
	b.next = (b.next + 1) % len(list)
	return slices.Concat(list[b.next:], list[:b.next])
}

func (b *balancer) track(c net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.conns[c] = true
	return true
}

func (b *balancer) untrack(c net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, c)
	c.Close()
}
