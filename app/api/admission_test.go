package api

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/admit"
	"bogops/app/store"
	"bogops/app/store/memstore"
)

// dial opens a connection and writes to it; it is closed with the test.
func (b *bench) dial(text string) net.Conn {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.addr)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { conn.Close() })
	_, err = io.WriteString(conn, text)
	require.NoError(b.t, err)
	return conn
}

const withToken = " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + judgeToken + "\r\n"

// tight is a gate with one place of each kind of work.
func tight(c *Config) {
	c.Limits = Limits{Object: 64 << 20, Process: 64 << 20}
	c.Gate = admit.New(admit.Config{Turns: 1, Slots: 1})
}

// inside waits until n requests are.
func inside(t *testing.T, gate *admit.Gate, n int64) {
	t.Helper()
	require.Eventually(t, func() bool { return gate.Numbers().InFlight == n }, 20*time.Second, time.Millisecond)
}

func TestNoClientHoldsATurnWhileItIsWaitedFor(t *testing.T) {
	var gate *admit.Gate
	b := newBench(t, tight, func(c *Config) { gate = c.Gate })
	large := strings.Repeat("x", 32<<20)
	require.Equal(t, 201, b.do("PUT", "/v1/objects/large", large).status)
	for name, text := range map[string]string{
		"a small body that dribbles":    "PUT /v1/objects/a" + withToken + "Content-Length: 10\r\n\r\nhalf",
		"a large body that dribbles":    "PUT /v1/objects/b" + withToken + "Content-Length: 1000000\r\n\r\nhalf",
		"a chunked body that dribbles":  "PUT /v1/objects/c" + withToken + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"an answer that nobody takes":   "GET /v1/objects/large" + withToken + "\r\n",
		"a made one that nobody takes":  "GET /v1/objects/large?process=upper" + withToken + "\r\n",
		"a held one that nobody takes":  "GET /v1/objects/large?process=reverse" + withToken + "\r\n",
		"several steps of such a chain": "GET /v1/objects/large?process=base64,upper" + withToken + "\r\n",
	} {
		conn := b.dial(text)
		inside(t, gate, 1)
		require.Eventually(t, func() bool {
			n := gate.Numbers()
			return n.Turns.Working+n.Dear.Working+n.Cheap.Working == 0
		}, 20*time.Second, time.Millisecond, name)
		require.Less(t, b.do("PUT", "/v1/objects/k", "hello").status, 300, name)
		require.Equal(t, "HELLO", b.do("GET", "/v1/objects/k?process=upper", "").body, name)
		require.Equal(t, 200, b.do("GET", "/v1/objects/large?process=sha256", "").status, name)
		conn.Close()
		inside(t, gate, 0)
	}
	n := gate.Numbers()
	require.Zero(t, n.Bytes, "bytes are not given back")
	require.Zero(t, n.Turns.Working+n.Dear.Working+n.Cheap.Working)
}

// stuck is a store whose writes wait until they are let go.
type stuck struct {
	*memstore.Store
	release chan struct{}
}

func (s stuck) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	<-s.release
	return s.Store.Put(ctx, key, body, opts)
}

func TestAFullLineIsToldBeforeTheBodyIsRead(t *testing.T) {
	var gate *admit.Gate
	s := stuck{memstore.New(), make(chan struct{})}
	b := newBench(t, withStore(s), func(c *Config) {
		c.Gate = admit.New(admit.Config{Turns: 1, InFlight: 3})
		gate = c.Gate
	})
	done := make(chan reply, 2)
	for range 2 { // one works, one waits: that is all the line takes
		go func() { done <- b.do("PUT", "/v1/objects/k", "x") }()
	}
	require.Eventually(t, func() bool { return gate.Numbers().Turns.Waiting == 1 }, 20*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return gate.Crowded() != nil }, 20*time.Second, time.Millisecond, "a burst for ever")
	conn := b.dial("PUT /v1/objects/k" + withToken + "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n")
	line := make([]byte, len("HTTP/1.1 503"))
	_, err := io.ReadFull(conn, line)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 503", string(line))
	got := b.do("GET", "/v1/objects/k", "")
	b.wantProblem(got, 503)
	require.Equal(t, "1", got.header.Get("Retry-After"))
	require.NotContains(t, b.log.String(), "ERROR", "each refusal fills the log")
	close(s.release)
	statuses := []int{(<-done).status, (<-done).status}
	require.Contains(t, statuses, 201)
	inside(t, gate, 0)
	require.Equal(t, "x", b.do("GET", "/v1/objects/k", "").body)
}

func TestAClientThatLeavesTheLineIsNotServed(t *testing.T) {
	var gate *admit.Gate
	s := stuck{memstore.New(), make(chan struct{})}
	b := newBench(t, withStore(s), func(c *Config) {
		c.Gate = admit.New(admit.Config{Turns: 1})
		gate = c.Gate
	})
	first := make(chan reply)
	go func() { first <- b.do("PUT", "/v1/objects/k", "x") }()
	require.Eventually(t, func() bool { return gate.Numbers().Turns.Working == 1 }, 20*time.Second, time.Millisecond)
	conn := b.dial("PUT /v1/objects/left" + withToken + "Content-Length: 1\r\n\r\nx")
	inside(t, gate, 2)
	conn.Close()
	inside(t, gate, 1)
	require.Zero(t, gate.Numbers().Turns.Waiting)
	close(s.release)
	require.Equal(t, 201, (<-first).status)
	require.Equal(t, 404, b.do("GET", "/v1/objects/left", "").status)
}

func TestBodiesOfEverySizeAroundTheBoundAreStoredWhole(t *testing.T) {
	b := newBench(t, tight)
	for _, size := range []int{0, 1, smallLen - 1, smallLen, smallLen + 1, 3 * smallLen} {
		want := strings.Repeat("0123456789abcde\n", size/16+1)[:size]
		for name, body := range map[string]io.Reader{"sized": strings.NewReader(want), "chunked": io.MultiReader(strings.NewReader(want))} {
			r, err := http.NewRequest("PUT", b.url+"/v1/objects/k", body)
			require.NoError(t, err)
			r.Header.Set("Authorization", "Bearer "+judgeToken)
			require.Less(t, b.send(r).status, 300)
			got := b.do("GET", "/v1/objects/k", "")
			require.True(t, got.body == want, "%d bytes, %s", size, name)
		}
	}
}

func TestASmallBodyThatBreaksOffIsNotStored(t *testing.T) {
	q := newQueued(memstore.New(), admit.New(admit.Config{}))
	for _, size := range []int64{-1, 10} {
		body := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrClosedPipe))
		_, err := q.Put(t.Context(), "k", body, store.PutOptions{Size: size})
		require.ErrorIs(t, err, store.ErrTruncated)
		require.ErrorIs(t, err, io.ErrClosedPipe)
	}
	_, err := q.Put(t.Context(), "k", strings.NewReader("half"), store.PutOptions{Size: 10})
	require.ErrorIs(t, err, store.ErrTruncated)
	_, err = q.Stat(t.Context(), "k")
	require.ErrorIs(t, err, store.ErrNotFound)
	require.Zero(t, q.gate.Numbers().Bytes)
}

// dribble is a request's body that yields one piece in each step, and a response
// whose deadlines it keeps.
type dribble struct {
	http.ResponseWriter
	piece, left int
	step        time.Duration
	deadline    time.Time
}

func (d *dribble) SetReadDeadline(at time.Time) error { d.deadline = at; return nil }
func (d *dribble) Close() error                       { return nil }

func (d *dribble) Read(p []byte) (int, error) {
	next := time.Now().Add(d.step)
	if !d.deadline.IsZero() && next.After(d.deadline) {
		time.Sleep(time.Until(d.deadline))
		return 0, context.DeadlineExceeded
	}
	time.Sleep(d.step)
	n := min(len(p), d.piece, d.left)
	if d.left -= n; d.left == 0 {
		return n, io.EOF
	}
	return n, nil
}

// dribbled reads all that comes, with a store that takes its time over each read.
func dribbled(d *dribble, pause time.Duration) (took time.Duration, err error) {
	b := &patientBody{ReadCloser: d, control: http.NewResponseController(d), wait: 30 * time.Second, rate: slowest}
	began, buffer := time.Now(), make([]byte, 64<<10)
	for err == nil {
		_, err = b.Read(buffer)
		time.Sleep(pause)
	}
	return time.Since(began), err
}

func TestAByteBeforeEachDeadlineIsNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took, err := dribbled(&dribble{piece: 1, left: 1 << 20, step: 29 * time.Second}, 0)
		require.NotErrorIs(t, err, io.EOF)
		require.LessOrEqual(t, took, time.Minute)
	})
}

func TestAnHonestSlowLineUploadsAWholeObject(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		took, err := dribbled(&dribble{piece: 2 << 10, left: 10 << 20, step: time.Second}, 0)
		require.ErrorIs(t, err, io.EOF, "cut off after %s", took)
		require.Greater(t, took, time.Hour)
	})
}

func TestASlowStoreIsNotHeldAgainstTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := dribbled(&dribble{piece: 1 << 10, left: 100 << 10, step: time.Second / 2}, time.Minute)
		require.ErrorIs(t, err, io.EOF)
	})
}
