package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/admit"
)

// countingListener counts the writes of what it accepts.
type countingListener struct {
	net.Listener
	writes *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countingConn{conn, l.writes}, err
}

type countingConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// serveGathered serves handler as the program does, and returns the address
// and the number of writes so far.
func serveGathered(t *testing.T, config *tls.Config, handler http.HandlerFunc) (address string, writes *atomic.Int64, server *http.Server) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	writes = new(atomic.Int64)
	server = &http.Server{Handler: handler}
	wireConnections(server)
	ended := make(chan error, 1)
	go func() {
		ended <- server.Serve(newGatedListener(countingListener{listener, writes}, config, admit.New(admit.Config{}), new(atomic.Int64)))
	}()
	t.Cleanup(func() {
		_ = server.Close()
		require.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	return listener.Addr().String(), writes, server
}

func TestASmallAnswerLeavesInOneWrite(t *testing.T) {
	dir := t.TempDir()
	roots := writeCertificate(t, dir, "bog.test")
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	require.NoError(t, err)
	body := bytes.Repeat([]byte("4 KiB of answer."), 256)
	for name, config := range map[string]*tls.Config{"plain": nil, "tls": {Certificates: []tls.Certificate{pair}}} {
		t.Run(name, func(t *testing.T) {
			address, writes, _ := serveGathered(t, config, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write(body)
			})
			conn, err := net.Dial("tcp", address)
			require.NoError(t, err)
			defer conn.Close()
			if config != nil {
				conn = tls.Client(conn, &tls.Config{RootCAs: roots, ServerName: "bog.test"})
			}
			in := bufio.NewReader(conn)
			ask := func() {
				_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
				require.NoError(t, err)
				answer, err := http.ReadResponse(in, nil)
				require.NoError(t, err)
				got, err := io.ReadAll(answer.Body)
				require.NoError(t, err)
				require.Equal(t, body, got)
			}
			ask() // with it the handshake
			before := writes.Load()
			for range 10 {
				ask()
			}
			require.EqualValues(t, 10, writes.Load()-before)
		})
	}
}

func TestALargeAnswerArrivesWholeAndPipelinedOnesInOrder(t *testing.T) {
	address, _, _ := serveGathered(t, nil, func(w http.ResponseWriter, r *http.Request) {
		for range 50 {
			_, _ = io.WriteString(w, strings.Repeat(r.URL.Path[1:], 10_000))
		}
	})
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, strings.Repeat("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n", 5))
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	for range 5 {
		for _, letter := range []string{"a", "b"} {
			answer, err := http.ReadResponse(in, nil)
			require.NoError(t, err)
			got, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.Equal(t, strings.Repeat(letter, 500_000), string(got))
		}
	}
}

// Shutdown closes a connection as soon as net/http takes it for idle: by then the
// last write of its answer must be done.
func TestAShutdownTakesNoAnswerAway(t *testing.T) {
	for range 50 {
		reached := make(chan struct{})
		address, _, server := serveGathered(t, nil, func(w http.ResponseWriter, _ *http.Request) {
			close(reached)
			_, _ = io.WriteString(w, "whole")
		})
		var down sync.WaitGroup
		down.Go(func() {
			<-reached
			within, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_ = server.Shutdown(within)
		})
		answer, err := http.Get("http://" + address)
		require.NoError(t, err)
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, errors.Join(err, answer.Body.Close()))
		require.Equal(t, "whole", string(text))
		down.Wait()
	}
}

func TestAnUploadIsToldToGoOnAtOnce(t *testing.T) {
	address, _, _ := serveGathered(t, nil, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	_, err = io.WriteString(conn, "hello")
	require.NoError(t, err)
	_, err = in.ReadString('\n') // the empty line behind 100
	require.NoError(t, err)
	answer, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	got, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", string(got))
}

func TestAfterAFailedWriteNothingElseIsWritten(t *testing.T) {
	broken := errors.New("broken")
	below := &brokenConn{err: broken}
	out := &outbox{Conn: below, boxes: newGatedListener(nil, nil, nil, nil).boxes}
	out.keep()
	_, err := out.Write([]byte("held"))
	require.NoError(t, err)
	require.ErrorIs(t, out.flush(), broken)
	out.keep()
	_, err = out.Write([]byte("later"))
	require.ErrorIs(t, err, broken)
	_, err = out.Write(make([]byte, outboxDirect))
	require.ErrorIs(t, err, broken)
	require.Equal(t, 1, below.writes)
}

type brokenConn struct {
	net.Conn
	err    error
	writes int
}

func (c *brokenConn) Write([]byte) (int, error) {
	c.writes++
	return 0, c.err
}

func (c *brokenConn) SetWriteDeadline(time.Time) error { return nil }
