package api

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/memstore"
)

// brief is a patience that a test can wait for, and long enough for a busy
// machine to give an answer in.
const brief = time.Second

func TestABodyThatStopsComingIsGivenUp(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Limits.Patience = brief })
	conn, err := net.Dial("tcp", b.addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "PUT /v1/objects/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nAuthorization: Bearer "+judgeToken+"\r\n\r\nhalf")
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	require.Equal(t, 408, answer.StatusCode)
	_, err = io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	_, err = in.ReadByte()
	require.ErrorIs(t, err, io.EOF, "the connection is held")
	require.Equal(t, 404, b.do("HEAD", "/v1/objects/slow", "").status)
}

// slowStore acknowledges late, long after the whole body was there.
type slowStore struct {
	*memstore.Store
	wait time.Duration
}

func (s slowStore) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	info, err := s.Store.Put(ctx, key, body, opts)
	select {
	case <-ctx.Done():
		return store.Info{}, ctx.Err()
	case <-time.After(s.wait):
		return info, err
	}
}

func TestASlowStoreIsNotTakenForASilentClient(t *testing.T) {
	b := newBench(t, withStore(slowStore{memstore.New(), brief + brief/2}), func(c *Config) { c.Limits.Patience = brief })
	require.Equal(t, 201, b.do("PUT", "/v1/objects/k", "whole body").status)
}

func TestAnAnswerThatNobodyTakesIsGivenUp(t *testing.T) {
	s := memstore.New()
	_, err := s.Put(t.Context(), "big", strings.NewReader(strings.Repeat("x", 64<<20)), store.PutOptions{Size: 64 << 20})
	require.NoError(t, err)
	b := newBench(t, withStore(s), func(c *Config) { c.Limits.Patience = brief })
	conn, err := net.Dial("tcp", b.addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /v1/objects/big HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+judgeToken+"\r\n\r\n")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(b.log.String(), `"client left"`) }, 20*time.Second, 10*time.Millisecond,
		"the request is still waiting for its client")
	require.NotContains(t, b.log.String(), "ERROR", "a client that left is a failure of ours")
}

func TestABodyThatNobodyReadsIsNotAwaitedForEver(t *testing.T) {
	b := newBench(t, func(c *Config) { c.Limits.Patience = brief })
	conns := map[string]net.Conn{} // all at once: each of them is waited for
	for _, request := range []string{"GET /healthz", "HEAD /v1/objects/k", "DELETE /v1/objects/k", "GET /.well-known/bogops.json"} {
		for _, body := range []string{"Content-Length: 10", "Transfer-Encoding: chunked"} {
			conns[request+", "+body] = b.dial(request + withToken + body + "\r\n\r\n")
		}
	}
	for name, conn := range conns {
		require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
		_, err := io.ReadAll(conn)
		require.NoError(t, err, "%s that never comes: the connection is held", name)
	}
}

// slowLine is an answer to a client that takes few bytes within each deadline.
type slowLine struct {
	http.ResponseWriter
	left, taken int
}

func (s *slowLine) SetWriteDeadline(time.Time) error {
	s.left = pieceLen
	return nil
}

func (s *slowLine) Write(p []byte) (int, error) {
	n := min(s.left, len(p))
	s.left -= n
	s.taken += n
	if n < len(p) {
		return n, os.ErrDeadlineExceeded
	}
	return n, nil
}

func TestASlowClientThatKeepsTakingGetsAWholeObject(t *testing.T) {
	line := &slowLine{}
	w := &patientWriter{line, http.NewResponseController(line), time.Minute}
	n, err := w.Write(make([]byte, 10*pieceLen+1))
	require.NoError(t, err)
	require.Equal(t, 10*pieceLen+1, n)
	require.Equal(t, n, line.taken)
}
