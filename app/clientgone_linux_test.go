package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAContextEndsOnceItsClientHasGone(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	for name, leave := range map[string]func(*net.TCPConn) error{
		"closed": (*net.TCPConn).Close,
		"reset": func(c *net.TCPConn) error {
			require.NoError(t, c.SetLinger(0))
			return c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := net.Dial("tcp", listener.Addr().String())
			require.NoError(t, err)
			defer client.Close()
			server, err := listener.Accept()
			require.NoError(t, err)
			defer server.Close()
			type key struct{}
			ctx := context.WithValue(newClientContext(t.Context(), server), key{}, 1)
			require.NoError(t, ctx.Err())
			_, err = io.WriteString(client, "a request that nobody has read")
			require.NoError(t, err)
			require.NoError(t, ctx.Err())
			require.NoError(t, leave(client.(*net.TCPConn)))
			require.Eventually(t, func() bool { return ctx.Err() != nil }, 10*time.Second, askAgain)
			require.ErrorIs(t, ctx.Err(), context.Canceled)
		})
	}
}

// The requests are whole and lie in the sockets of a process that is stopped;
// their clients leave, and write anew through another instance.
func TestAProcessThatGoesOnDoesNothingForClientsThatHaveLeft(t *testing.T) {
	const keys = 40
	store := "file:" + t.TempDir()
	stopped, other := start(t, nil, "--store", store), start(t, nil, "--store", store)
	require.NoError(t, syscall.Kill(stopped.pid, syscall.SIGSTOP))
	for k := range keys {
		conn, err := net.Dial("tcp", strings.TrimPrefix(stopped.url, "http://"))
		require.NoError(t, err)
		_, err = fmt.Fprintf(conn, "%s /v1/objects/%d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nAuthorization: Bearer %s\r\n\r\nold",
			[]string{"PUT", "DELETE"}[k%2], k, judge)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		status, _, err := call(http.DefaultClient, "PUT", fmt.Sprintf("%s/v1/objects/%d", other.url, k), strings.NewReader("new"))
		require.NoError(t, err)
		require.Equal(t, http.StatusCreated, status)
	}
	require.NoError(t, syscall.Kill(stopped.pid, syscall.SIGCONT))
	// It takes them up in the order of their arrival, before this one.
	status, _, err := call(http.DefaultClient, "GET", stopped.url+"/healthz", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	for until := time.Now().Add(500 * time.Millisecond); time.Now().Before(until); {
		for k := range keys {
			_, body, err := call(http.DefaultClient, "GET", fmt.Sprintf("%s/v1/objects/%d", other.url, k), nil)
			require.NoError(t, err)
			require.Equal(t, "new", body, "key %d", k)
		}
	}
}
