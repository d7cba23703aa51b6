package load

import (
	"context"
	"io"
	"math"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/ledger"
)

// pipes is a network in memory, so that a test's clock is synctest's: seconds
// pass at once, and every latency is exact.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) listen() (net.Listener, error) { return p, nil }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// born is the key of the time when a request's connection was made.
type born struct{}

// platform is a stub behind a handler that may get in its way.
type platform struct {
	*stub
	before func(w http.ResponseWriter, r *http.Request) (done bool)
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.before != nil && p.before(w, r) {
		return
	}
	p.stub.ServeHTTP(w, r)
}

// trial is one run of an engine in a bubble of its own time.
type trial struct {
	stages    []contest.Stage
	mix       contest.Mix
	max       time.Duration
	config    func(*Config)
	before    func(t0 time.Time) func(w http.ResponseWriter, r *http.Request) bool
	preload   bool
	hangs     bool // no PUT is answered
	seconds   []journal.Load
	summary   Summary
	err       error
	maybe     int           // writes that the ledger holds for possible
	loaded    int           // objects that Preload stored
	preloaded time.Duration // when it was over, after T0
}

func (x *trial) run(t *testing.T) *trial {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		network := newPipes()
		p := &platform{stub: newStub("")}
		server := &http.Server{Handler: p, ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, born{}, time.Now())
		}}
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.Serve(network) })
		defer serving.Wait()
		defer server.Close()
		book, err := ledger.Open(filepath.Join(dir, "ledger"))
		require.NoError(t, err)
		defer book.Close()
		if x.max == 0 {
			x.max = 10 * time.Second
		}
		slo := contest.SLO{Target: x.max / 10, Max: x.max}
		plan, err := NewPlan([]byte("seed"), contest.Campaign{
			ID: "trial", Ramp: x.stages, Mix: x.mix, Sizes: []contest.Size{{Bytes: 4096, Share: 1}},
			SLO: map[string]contest.SLO{"put": slo, "get": slo},
		})
		require.NoError(t, err)
		c := Config{
			Plan: plan, Team: "t", Campaign: "trial", Target: stubTarget("127.0.0.1:80"), Ledger: book,
			T0: time.Now().Add(10 * time.Second), MaxCPU: math.Inf(1), dial: network.dial,
			Second: func(l journal.Load) error { x.seconds = append(x.seconds, l); return nil },
		}
		if x.config != nil {
			x.config(&c)
		}
		if x.hangs {
			p.before = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPut {
					_, _ = io.Copy(io.Discard, r.Body) // else the server does not see the client go
					<-r.Context().Done()
				}
				return r.Method == http.MethodPut
			}
		}
		if x.preload {
			require.NoError(t, Preload(t.Context(), c))
			x.loaded, x.preloaded = len(book.Acknowledged()), time.Since(c.T0)
		}
		if x.before != nil {
			p.before = x.before(c.T0)
		}
		x.summary, x.err = Run(t.Context(), c)
		x.maybe = book.Maybe()
	})
	return x
}

func steady(rate float64, d time.Duration) []contest.Stage {
	return []contest.Stage{{To: rate, For: time.Millisecond}, {To: rate, For: d}}
}

var everything = contest.Mix{Put: 4, Get: 3, GetProcess: 3}
