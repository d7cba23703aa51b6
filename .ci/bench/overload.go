package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// overload offers twice of what the app can do. What it accepts must still be
// answered in good time, and what it refuses must be refused quickly. The load
// comes from this machine too: so the app has one core to itself and the load
// another, or what is measured would be how they fight for both; and the work
// asked for is of the costly kind, a durable PUT and a step that burns CPU.
func overload(ctx context.Context, b *bench, into *report) (err error) {
	dir, err := b.directory("overload")
	if err != nil {
		return err
	}
	if err := pin(os.Getpid(), 0); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pin(os.Getpid(), 0, 1)) }()
	s, err := b.startApp(ctx, dir, false) // it inherits the core, and counts one
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := pin(os.Getpid(), 1); err != nil {
		return err
	}
	client := newClient(4096)
	defer client.close()
	if err := client.put(ctx, s, "/v1/objects/source", make([]byte, 4<<10)); err != nil {
		return err
	}
	numbers := new(counter)
	for _, work := range []struct {
		name string
		request
	}{
		{"durable PUT, 4 KiB", request{"PUT", "/v1/objects/over-%d", make([]byte, 4<<10)}},
		{"stretch, 10,000 rounds", request{"GET", "/v1/objects/source?process=stretch:n%d:10000", nil}},
	} {
		t := into.table("Overload: "+work.name, "accepted/s", "p50 ms", "p99 ms", "refused/s", "refused p99 ms", "of that late sent, p99 ms")
		var ratios []float64
		for range b.Rounds {
			ratio, err := b.twice(ctx, t, client, s, work.request, numbers)
			if err != nil {
				return fmt.Errorf("%s: %w", work.name, err)
			}
			ratios = append(ratios, ratio)
		}
		t.note("p99 of accepted at twice the capacity ÷ p99 at capacity", ratios, "≤ 3")
	}
	return b.refusals(ctx, into)
}

// twice measures the capacity with 64 clients, then offers two times as much.
func (b *bench) twice(ctx context.Context, t *table, c client, s *server, r request, numbers *counter) (float64, error) {
	at := c.closedLoop(ctx, s, r, 64, b.Time, numbers)
	over := c.openLoop(ctx, s, r, 2*at.rate(), b.Time, numbers)
	for _, load := range []struct {
		name string
		*seen
	}{{"64 clients", at}, {"twice as much", over}} {
		name, seen := load.name, load.seen
		if seen.failed > 0 || len(seen.accepted) == 0 {
			return 0, fmt.Errorf("%s: %d accepted, %d refused, %d failed: %w", name, len(seen.accepted), len(seen.refused), seen.failed, seen.first)
		}
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
		t.row(name, "").add(seen.rate(), ms(quantile(seen.accepted, 0.5)), ms(quantile(seen.accepted, 0.99)),
			float64(len(seen.refused))/seen.elapsed.Seconds(), ms(quantile(seen.refused, 0.99)), ms(quantile(seen.late, 0.99)))
	}
	return float64(quantile(over.accepted, 0.99)) / float64(quantile(at.accepted, 0.99)), nil
}

// refusals compares what a refusal costs the app, in its own CPU time, with a
// request that does nothing.
func (b *bench) refusals(ctx context.Context, into *report) (err error) {
	dir, err := b.directory("refusals")
	if err != nil {
		return err
	}
	s, err := b.startApp(ctx, dir, false, "--max-in-flight", "1")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	release, err := occupy(ctx, s)
	if err != nil {
		return err
	}
	defer release()
	t := into.table("What a refusal costs", "requests/s", "CPU µs of the app per request")
	for range b.Rounds {
		for _, l := range []struct {
			name string
			load
		}{
			{"GET /healthz", load{method: "GET", path: "/healthz", connections: 64}},
			{"GET refused with 503", load{method: "GET", path: "/v1/objects/source", token: token, connections: 64, refused: true}},
		} {
			o, err := b.wrk(ctx, s, l.load)
			if err != nil {
				return err
			}
			t.row(l.name, "").add(o.rate(), o.CPU)
		}
	}
	t.ratio("refusal ÷ no-op, CPU", "GET refused with 503", "GET /healthz", 1, "≤ 3")
	return nil
}

// occupy takes the one place of the app with an upload that stands still, and
// keeps it until release is called: a byte a second, for the app gives up on
// who sends nothing.
func occupy(ctx context.Context, s *server) (release func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	begun := make(chan struct{})
	body := &drip{ctx: ctx, begun: begun}
	ended := make(chan struct{})
	client := newClient(1)
	go func() {
		defer close(ended)
		_ = client.send(ctx, s, "/v1/objects/slow", body, 1<<30) // it is cut on purpose
	}()
	release = func() {
		cancel()
		<-ended
		client.close()
	}
	select {
	case <-begun:
		time.Sleep(200 * time.Millisecond) // the first bytes have yet to arrive
		return release, nil
	case <-ended:
		return nil, errors.New("the upload that should hold the place has ended")
	}
}

// drip yields some bytes at once and then a few each second.
type drip struct {
	ctx   context.Context
	begun chan struct{}
	sent  bool
}

func (d *drip) Read(p []byte) (int, error) {
	if !d.sent {
		d.sent = true
		close(d.begun)
		return len(p), nil
	}
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-time.After(200 * time.Millisecond):
		return min(len(p), 16<<10), nil
	}
}

// counter hands out numbers that no request shares with another.
type counter struct{ last atomic.Int64 }

func (c *counter) next() int { return int(c.last.Add(1)) }

func numbered(path string, number int) string {
	return strings.Replace(path, "%d", strconv.Itoa(number), 1)
}

func bodyOf(b []byte) io.Reader {
	if b == nil {
		return nil
	}
	return bytes.NewReader(b)
}

// pause waits as long as a Retry-After asks, in seconds.
func pause(ctx context.Context, seconds string) error {
	n, err := strconv.Atoi(seconds)
	if err != nil {
		return fmt.Errorf("Retry-After %q: %w", seconds, err)
	}
	select {
	case <-time.After(time.Duration(n) * time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
