package main

import (
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The plain port asks for no token: whoever finds it must not be able to hold
// what the API lives on.

func TestConnectionsToThePlainPortCountAgainstTheLimit(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:", "--http-listen", "127.0.0.1:0", "--max-connections", "1")
	_, in := dialApp(t, app, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	require.Equal(t, 200, readAnswer(t, in).StatusCode)
	conn, err := net.Dial("tcp", app.http)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(9*time.Second))) // sooner than any other limit
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "it is held")
}

func TestABodyThatNeverComesToThePlainPortEndsTheConnection(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the server's 10 s")
	}
	app, _ := startHere(t, "--store", "mem:", "--http-listen", "127.0.0.1:0")
	conn, err := net.Dial("tcp", app.http)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(60*time.Second)))
	_, err = io.Copy(io.Discard, conn)
	require.NoError(t, err, "the server must be the one that ends it")
}
