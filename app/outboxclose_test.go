package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/admit"
)

// oneConn is a listener of a single connection.
type oneConn struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newOneConn(conn net.Conn) *oneConn {
	l := &oneConn{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conns <- conn
	return l
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// patienceConn notes how long each write may take, and tells of the first.
type patienceConn struct {
	net.Conn
	mu       sync.Mutex
	deadline time.Time
	shortest time.Duration
	writing  chan struct{}
	once     sync.Once
}

func (c *patienceConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	c.deadline = t
	c.mu.Unlock()
	return c.Conn.SetWriteDeadline(t)
}

func (c *patienceConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	if left := time.Until(c.deadline); c.shortest == 0 || left < c.shortest {
		c.shortest = left
	}
	c.mu.Unlock()
	c.once.Do(func() { close(c.writing) })
	return c.Conn.Write(p)
}

// servePiped serves handler on one end of a pipe, which has no buffer: what a
// client does not read is not written.
func servePiped(t *testing.T, handler http.HandlerFunc) (client net.Conn, below *patienceConn, server *http.Server) {
	t.Helper()
	client, end := net.Pipe()
	below = &patienceConn{Conn: end, writing: make(chan struct{})}
	server = &http.Server{Handler: handler}
	wireConnections(server)
	ended := make(chan error, 1)
	go func() {
		ended <- server.Serve(newGatedListener(newOneConn(below), nil, admit.New(admit.Config{}), new(atomic.Int64)))
	}()
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Close()
		require.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	return client, below, server
}

func TestTheEndOfAnAnswerIsAwaitedAsLongAsItsBeginningBeforeAClose(t *testing.T) {
	client, below, _ := servePiped(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 10 {
			_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
		}
	})
	_, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(client), nil)
	require.NoError(t, err)
	got, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Len(t, got, 100_000)
	below.mu.Lock()
	defer below.mu.Unlock()
	require.Greater(t, below.shortest, longestWrite/2, "a client that is slow at the end loses the end")
}

func TestAServerThatIsClosedWaitsForNoClientThatReadsNothing(t *testing.T) {
	client, below, server := servePiped(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
	})
	_, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	<-below.writing
	closed := make(chan struct{})
	go func() { _ = server.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(longestWrite / 2):
		t.Fatal("it waits for the write to be given up, and the drain with it")
	}
}
