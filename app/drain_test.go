package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// dialApp opens a plain connection, closed with the test, and writes to it.
func dialApp(t *testing.T, app *instance, text string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(app.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	return conn, bufio.NewReader(conn)
}

// says waits until the server has logged text.
func (i *instance) says(text string) {
	i.t.Helper()
	require.Eventually(i.t, func() bool { return strings.Contains(i.out.String(), text) }, 30*time.Second, 5*time.Millisecond)
}

func readAnswer(t *testing.T, in *bufio.Reader) *http.Response {
	t.Helper()
	answer, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	return answer
}

const asJudge = " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + judge + "\r\n"

func TestWhatComesAfterTheDelayIsToldSoBeforeItsBodyIsRead(t *testing.T) {
	dir := t.TempDir()
	app := start(t, nil, "--store", "file:"+dir, "--drain-delay", "300ms", "--drain", "20s")
	slow := beginUpload(t, app)
	// These have been of use before, and have begun their next request.
	next := map[string]string{
		"that waits to be asked": "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n",
		"that sends":             "Content-Length: 10\r\n\r\n0123456789",
		"that dribbles":          "Content-Length: 10\r\n\r\n0",
	}
	kept := map[string]net.Conn{}
	readers := map[string]*bufio.Reader{}
	for name := range next {
		conn, in := dialApp(t, app, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nPUT /v1/obj")
		require.False(t, readAnswer(t, in).Close)
		kept[name], readers[name] = conn, in
	}
	require.NoError(t, app.cmd.Process.Signal(syscall.SIGTERM))
	app.says("new requests are refused")
	for name, rest := range next {
		_, err := io.WriteString(kept[name], "ects/late"+asJudge+rest)
		require.NoError(t, err)
	}
	for name := range next {
		if name == "that dribbles" {
			continue // its answer comes once its body was given up
		}
		answer := readAnswer(t, readers[name]) // a 100 would be an answer, and not this one
		require.Equal(t, 503, answer.StatusCode, name)
		require.NotEmpty(t, answer.Header.Get("Retry-After"), name)
		require.True(t, answer.Close, name)
	}
	kept["that dribbles"].Close()
	status, closes := slow.finish(t)
	require.Equal(t, 201, status)
	require.True(t, closes)
	require.Equal(t, 0, app.exitCode(), app.out.String())
	require.NotContains(t, app.out.String(), "requests were cut")

	again := start(t, nil, "--store", "file:"+dir)
	_, body, err := call(http.DefaultClient, "GET", again.url+"/v1/objects/slow", nil)
	require.NoError(t, err)
	require.Equal(t, "0123456789", body)
	status, _, err = call(http.DefaultClient, "GET", again.url+"/v1/objects/late", nil)
	require.NoError(t, err)
	require.Equal(t, 404, status)
}

// Clients go on as if nothing were. Each of their requests is answered whole,
// or refused, or not answered at all; and what was acknowledged is there.
func TestADrainUnderLoadCutsNoAnswerAndLosesNothing(t *testing.T) {
	dir := t.TempDir()
	app := start(t, nil, "--store", "file:"+dir, "--drain-delay", "300ms")
	var mu sync.Mutex
	acked := map[string]bool{}
	var wrong []string
	var clients sync.WaitGroup
	for c := range 8 {
		clients.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				key := fmt.Sprintf("k-%d-%d", c, n)
				status, text, err := call(client, "PUT", app.url+"/v1/objects/"+key, strings.NewReader(key))
				mu.Lock()
				switch {
				case err != nil && errors.Is(err, io.ErrUnexpectedEOF):
					wrong = append(wrong, "an answer was cut: "+err.Error())
				case err != nil:
				case status == 201:
					acked[key] = true
				case status != 503:
					wrong = append(wrong, fmt.Sprintf("%d %s", status, text))
				}
				mu.Unlock()
				if errors.Is(err, syscall.ECONNREFUSED) {
					return // it is gone
				}
			}
		})
	}
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(acked) > 50 }, 30*time.Second, time.Millisecond)
	require.NoError(t, app.cmd.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 0, app.exitCode(), app.out.String())
	clients.Wait()
	require.Empty(t, wrong)
	again := start(t, nil, "--store", "file:"+dir)
	for key := range acked {
		status, body, err := call(http.DefaultClient, "GET", again.url+"/v1/objects/"+key, nil)
		require.NoError(t, err)
		require.Equal(t, 200, status, key)
		require.Equal(t, key, body)
	}
}

func TestADrainTellsHTTP2ToGoAway(t *testing.T) {
	app, stop := startHere(t, "--store", "mem:")
	conn, _ := dialApp(t, app, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	require.NoError(t, framer.WriteSettings())
	require.NoError(t, framer.WriteSettingsAck())
	for {
		frame, err := framer.ReadFrame()
		require.NoError(t, err)
		if s, ok := frame.(*http2.SettingsFrame); ok && s.IsAck() {
			break // it serves this connection
		}
	}
	stop()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(30*time.Second)))
	for {
		frame, err := framer.ReadFrame()
		require.NoError(t, err, "closed without a word")
		if away, ok := frame.(*http2.GoAwayFrame); ok {
			require.Equal(t, http2.ErrCodeNo, away.ErrCode)
			break
		}
	}
	require.NoError(t, app.end())
}
