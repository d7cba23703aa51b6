package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// reset closes a connection so that the other side is told of no end.
func reset(conn net.Conn) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// abuses are clients that mean no good. Each gets a fresh connection, which is
// closed after it, and may not wait for the server.
var abuses = map[string]func(net.Conn){
	"leaves without a word":     func(net.Conn) {},
	"half a header":             func(c net.Conn) { _, _ = io.WriteString(c, "PUT /v1/objects/k HTTP/1.1\r\nHost: x\r\nAuth") },
	"half a header, then reset": func(c net.Conn) { _, _ = io.WriteString(c, "GET /v1"); reset(c) },
	"half a small body":         func(c net.Conn) { put(c, 10, "half") },
	"half a small body, reset":  func(c net.Conn) { put(c, 10, "half"); reset(c) },
	"half a large body":         func(c net.Conn) { put(c, 1<<20, strings.Repeat("x", 200<<10)) },
	"half a large body, reset":  func(c net.Conn) { put(c, 1<<20, strings.Repeat("x", 200<<10)); reset(c) },
	"half a chunk": func(c net.Conn) {
		_, _ = io.WriteString(c, "PUT /v1/objects/k"+asJudge+"Transfer-Encoding: chunked\r\n\r\nff\r\nhalf")
	},
	"no number for a chunk": func(c net.Conn) {
		_, _ = io.WriteString(c, "PUT /v1/objects/k"+asJudge+"Transfer-Encoding: chunked\r\n\r\nzz\r\nhalf")
	},
	"a body over the limit":   func(c net.Conn) { put(c, 1<<40, strings.Repeat("x", 100<<10)) },
	"a header over the limit": func(c net.Conn) { _, _ = io.WriteString(c, "GET / HTTP/1.1\r\nX: "+strings.Repeat("x", 1<<20)) },
	"no HTTP":                 func(c net.Conn) { _, _ = io.WriteString(c, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n") },
	"an answer unread, reset": func(c net.Conn) { _, _ = io.WriteString(c, "GET /v1/objects/large"+asJudge+"\r\n"); reset(c) },
	"a chain unread": func(c net.Conn) {
		_, _ = io.WriteString(c, "GET /v1/objects/large?process=reverse,upper"+asJudge+"\r\n")
	},
	"many requests, no answer read": func(c net.Conn) {
		_, _ = io.WriteString(c, strings.Repeat("GET /v1/objects/large"+asJudge+"\r\n", 50))
	},
	"streams opened and reset": func(c net.Conn) { rapidReset(c, 500) },
	"half a preface of HTTP/2": func(c net.Conn) { _, _ = io.WriteString(c, http2.ClientPreface[:20]) },
	"a preface and no frame":   func(c net.Conn) { _, _ = io.WriteString(c, http2.ClientPreface+"no frame at all, but bytes") },
}

func put(c net.Conn, size int64, body string) {
	_, _ = io.WriteString(c, fmt.Sprintf("PUT /v1/objects/k%sContent-Length: %d\r\n\r\n%s", asJudge, size, body))
}

// rapidReset opens streams and resets each at once (CVE-2023-44487).
func rapidReset(c net.Conn, streams int) {
	var frames bytes.Buffer
	frames.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&frames, nil)
	_ = framer.WriteSettings()
	for n := range streams {
		id := uint32(2*n + 1)
		method := []string{"GET", "PUT"}[n%2]
		_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: headersOf(method, "/v1/objects/large"), EndHeaders: true, EndStream: method == "GET"})
		_ = framer.WriteRSTStream(id, http2.ErrCodeCancel)
	}
	_, _ = c.Write(frames.Bytes())
}

func headersOf(method, path string) []byte {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encoder.SetMaxDynamicTableSize(0) // each block stands alone
	for _, f := range [][2]string{{":method", method}, {":scheme", "http"}, {":authority", "x"}, {":path", path}, {"authorization", "Bearer " + judge}} {
		_ = encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return block.Bytes()
}

// storm lets every abuser loose, several of each at once.
func storm(t *testing.T, address string, each int) {
	var all sync.WaitGroup
	for name, abuse := range abuses {
		for range each {
			all.Go(func() {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					t.Errorf("%s: %s", name, err)
					return
				}
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(2 * time.Second)) // it may be answered, and not take it
				abuse(conn)
			})
		}
	}
	all.Wait()
}

// forget lets go of what the server has said.
func (o *output) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Reset()
}

// settled waits until no more goroutines run than before, and returns the bytes
// in use.
func settled(t *testing.T, goroutines int) uint64 {
	t.Helper()
	if !assertSoon(func() bool { return runtime.NumGoroutine() <= goroutines }) {
		stacks := make([]byte, 1<<20)
		require.FailNow(t, "goroutines are left", "%d, before: %d\n%s", runtime.NumGoroutine(), goroutines, stacks[:runtime.Stack(stacks, true)])
	}
	runtime.GC()
	runtime.GC() // the second one empties what pools keep
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func assertSoon(what func() bool) bool {
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if what() {
			return true
		}
	}
	return false
}

func TestAfterAStormOfAbuseEverythingIsAsItWas(t *testing.T) {
	app, _ := startHere(t, "--store", "file:"+t.TempDir(), "--max-in-flight", "64", "--body-budget", "96MiB")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	works := func() {
		for _, c := range []struct {
			method, path, body string
			want               int
		}{{"PUT", "/v1/objects/k", "hello", 200}, {"GET", "/v1/objects/k?process=reverse", "", 200}, {"GET", "/v1/objects/large", "", 200}} {
			require.True(t, assertSoon(func() bool { // a 503 is honest while the storm abates
				status, _, err := call(client, c.method, app.url+c.path, strings.NewReader(c.body))
				return err == nil && status == c.want
			}), c.path)
		}
	}
	for _, key := range []string{"k", "large"} {
		_, _, err := call(client, "PUT", app.url+"/v1/objects/"+key, strings.NewReader(strings.Repeat("x", 4<<20)))
		require.NoError(t, err)
	}
	works()
	address := strings.TrimPrefix(app.url, "http://")
	storm(t, address, 1) // what is made once and kept is made now
	works()
	time.Sleep(10 * time.Millisecond)
	goroutines := leastGoroutines()
	var used []uint64
	for range 5 {
		storm(t, address, 8)
		works()
		app.out.forget() // the log is kept by this test, and is no memory of the server's
		used = append(used, settled(t, goroutines)>>10)
	}
	t.Logf("KiB in use after each storm: %d", used)
	require.Less(t, used[4], used[0]+16<<10, "memory grows from storm to storm")

	// No place was lost: as many as may be inside at once are.
	for range 64 {
		beginUpload(t, app)
	}
}

// leastGoroutines is how many there are once nothing more ends.
func leastGoroutines() int {
	least, since := runtime.NumGoroutine(), time.Now()
	for time.Since(since) < 2*time.Second {
		time.Sleep(5 * time.Millisecond)
		if n := runtime.NumGoroutine(); n < least {
			least, since = n, time.Now()
		}
	}
	return least
}

func TestTheStreamsOfAConnectionAreBounded(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:")
	conn, _ := dialApp(t, app, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	require.NoError(t, framer.WriteSettings())
	bound, refused := uint32(0), false
	for n := range uint32(101) { // bodies that do not end
		require.NoError(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*n + 1, BlockFragment: headersOf("PUT", "/v1/objects/k"), EndHeaders: true}))
	}
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(30*time.Second)))
	for !refused {
		frame, err := framer.ReadFrame()
		require.NoError(t, err)
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if v, ok := f.Value(http2.SettingMaxConcurrentStreams); ok {
				bound = v
			}
		case *http2.RSTStreamFrame:
			require.Equal(t, uint32(201), f.StreamID)
			refused = true
		case *http2.GoAwayFrame:
			require.FailNow(t, "the others are ended too", f.ErrCode.String())
		}
	}
	require.Equal(t, uint32(100), bound)
	status, _, err := call(http.DefaultClient, "GET", app.url+"/healthz", nil)
	require.NoError(t, err)
	require.Equal(t, 200, status)
}

func TestStreamsThatAreResetAtOnceDoNoHarmToOthers(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:", "--max-in-flight", "16")
	status, _, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/large", strings.NewReader(strings.Repeat("x", 1<<20)))
	require.NoError(t, err)
	require.Equal(t, 201, status)
	for range 4 {
		conn, _ := dialApp(t, app, "")
		require.NoError(t, conn.SetDeadline(time.Now().Add(2*time.Second)))
		rapidReset(conn, 20_000)
		status, _, err := call(http.DefaultClient, "GET", app.url+"/healthz", nil)
		require.NoError(t, err)
		require.Equal(t, 200, status)
		conn.Close()
	}
	require.True(t, assertSoon(func() bool {
		status, _, err := call(http.DefaultClient, "GET", app.url+"/v1/objects/large", nil)
		return err == nil && status == 200
	}), "places are lost")
}

func TestConnectionsOverTheLimitAreClosedAtOnce(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:", "--max-connections", "3")
	const ask = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	var kept []net.Conn
	for range 3 {
		conn, in := dialApp(t, app, ask)
		require.Equal(t, 200, readAnswer(t, in).StatusCode)
		kept = append(kept, conn)
	}
	for range 5 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(app.url, "http://"))
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
		_, err = conn.Read(make([]byte, 1))
		require.Error(t, err)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "it is held")
		conn.Close()
	}
	kept[0].Close()
	require.True(t, assertSoon(func() bool {
		status, _, err := call(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "GET", app.url+"/healthz", nil)
		return err == nil && status == 200
	}), "a place is not given back")
}

func TestTenThousandIdleConnectionsAreHeld(t *testing.T) {
	if testing.Short() {
		t.Skip("opens 10,000 connections")
	}
	count := min(10_000, connections(1<<20)-64)
	t.Logf("%d connections", count)
	app := start(t, nil, "--store", "mem:", "--admin-listen", "127.0.0.1:0")
	once := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	admin := adminURL(t, app)
	number := func(name string) int {
		for _, line := range metrics(t, admin) {
			if value, ok := strings.CutPrefix(line, name+" "); ok {
				n, err := strconv.ParseFloat(value, 64)
				require.NoError(t, err)
				return int(n)
			}
		}
		require.FailNow(t, "no such metric", name)
		return 0
	}
	goroutines := func() int { return number("go_goroutines") }
	// Not the resident memory: the race detector keeps as much again of its own.
	memory := func() int { return number("go_memstats_heap_inuse_bytes") + number("go_memstats_stack_inuse_bytes") }
	_, _, err := call(once, "GET", app.url+"/healthz", nil)
	require.NoError(t, err)
	least := goroutines()
	for range 200 { // until what begins with a process has ended
		time.Sleep(5 * time.Millisecond)
		least = min(least, goroutines())
	}
	before := memory()

	for round := range 2 {
		idle := make([]net.Conn, count)
		var all sync.WaitGroup
		next := make(chan int)
		for range 16 {
			all.Go(func() {
				answer := make([]byte, 4096)
				for i := range next {
					conn, err := net.Dial("tcp", strings.TrimPrefix(app.url, "http://"))
					if err != nil {
						t.Error(err)
						continue
					}
					idle[i] = conn
					_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
					if n, err := conn.Read(answer); err != nil || !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 200")) {
						t.Errorf("%q %v", answer[:n], err)
					}
				}
			})
		}
		for i := range count {
			next <- i
		}
		close(next)
		all.Wait()
		held := memory() - before
		t.Logf("round %d: %d KiB for each", round, held/count>>10)
		require.Less(t, held, count*64<<10)
		var status int
		status, _, err = call(once, "PUT", app.url+"/v1/objects/k", strings.NewReader("hello"))
		require.NoError(t, err)
		require.Less(t, status, 300, "nobody else is served")
		for _, conn := range idle {
			if conn != nil {
				conn.Close()
			}
		}
		require.True(t, assertSoon(func() bool { return goroutines() <= least }), "%d goroutines, before: %d", goroutines(), least)
	}
}
