package acme

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// patience is how long a connection may take to say which name it wants, and a
// routed address to accept it.
const patience = 10 * time.Second

// router owns the two ports that the authority dials for every name, reads
// which name each connection is for, and forwards the untouched bytes.
type router struct {
	tls, http net.Listener
	running   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	routes map[string]route
	conns  map[net.Conn]struct{}
}

type route struct{ tlsAddr, httpAddr string }

func newRouter() (*router, error) {
	secure, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, secure.Close())
	}
	r := &router{tls: secure, http: plain, routes: map[string]route{}, conns: map[net.Conn]struct{}{}}
	r.running.Go(func() { r.accept(secure, serverName, func(to route) string { return to.tlsAddr }) })
	r.running.Go(func() { r.accept(plain, hostName, func(to route) string { return to.httpAddr }) })
	return r, nil
}

func (r *router) tlsPort() int  { return r.tls.Addr().(*net.TCPAddr).Port }
func (r *router) httpPort() int { return r.http.Addr().(*net.TCPAddr).Port }

func (r *router) route(name, tlsAddr, httpAddr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.routes[strings.ToLower(name)] = route{tlsAddr, httpAddr}
}

func (r *router) find(name string) route {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.routes[strings.ToLower(name)]
}

// accept forwards connections until the listener is closed. wanted reads the
// name from the first bytes; side picks the address of that port.
func (r *router) accept(l net.Listener, wanted func(io.Reader) (string, error), side func(route) string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		if !r.hold(conn) {
			return
		}
		r.running.Go(func() {
			defer r.drop(conn)
			r.forward(conn, wanted, side)
		})
	}
}

func (r *router) forward(from net.Conn, wanted func(io.Reader) (string, error), side func(route) string) {
	var read bytes.Buffer
	_ = from.SetReadDeadline(time.Now().Add(patience))
	name, err := wanted(io.TeeReader(from, &read))
	if err != nil {
		return
	}
	_ = from.SetReadDeadline(time.Time{})
	addr := side(r.find(name))
	if addr == "" {
		return
	}
	to, err := net.DialTimeout("tcp", addr, patience)
	if err != nil || !r.hold(to) {
		return
	}
	defer r.drop(to)
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		_, _ = io.Copy(to, io.MultiReader(&read, from))
		_ = to.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(from, to)
	_ = from.Close() // the answer is complete: the copy above has nobody to wait for
}

// hold remembers conn so that close can end it; on a closed router it ends it
// at once and reports false.
func (r *router) hold(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		_ = conn.Close()
		return false
	}
	r.conns[conn] = struct{}{}
	return true
}

func (r *router) drop(conn net.Conn) {
	_ = conn.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, conn)
}

func (r *router) close() error {
	err := errors.Join(r.tls.Close(), r.http.Close())
	r.mu.Lock()
	r.closed = true
	for conn := range r.conns {
		_ = conn.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
	return err
}

// serverName reads a ClientHello and returns its server name (RFC 6066).
func serverName(from io.Reader) (string, error) {
	var name string
	seen := errors.New("seen")
	err := tls.Server(listening{from}, &tls.Config{
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			name = hello.ServerName
			return nil, seen // there is no handshake here, only a look
		},
	}).Handshake()
	if errors.Is(err, seen) {
		return name, nil
	}
	return "", err
}

// hostName reads the head of an HTTP request and returns its host.
func hostName(from io.Reader) (string, error) {
	request, err := http.ReadRequest(bufio.NewReader(from))
	if err != nil {
		return "", err
	}
	if host, _, err := net.SplitHostPort(request.Host); err == nil {
		return host, nil
	}
	return request.Host, nil
}

// listening is a connection that only hears: whatever TLS says, an alert for
// example, goes nowhere.
type listening struct{ io.Reader }

func (listening) Write(p []byte) (int, error)      { return len(p), nil }
func (listening) Close() error                     { return nil }
func (listening) LocalAddr() net.Addr              { return nil }
func (listening) RemoteAddr() net.Addr             { return nil }
func (listening) SetDeadline(time.Time) error      { return nil }
func (listening) SetReadDeadline(time.Time) error  { return nil }
func (listening) SetWriteDeadline(time.Time) error { return nil }
