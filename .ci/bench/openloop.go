package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// request is what an offered load is made of.
type request struct {
	method, path string // the path holds a %d, which counts up
	body         []byte
}

// seen is what a load of requests met.
type seen struct {
	mu       sync.Mutex
	accepted []time.Duration // until the whole answer, from when the request was due
	refused  []time.Duration // 503 and 429
	late     []time.Duration // what passed between due and sent: this program's own fault
	failed   int             // anything else
	first    error
	elapsed  time.Duration
}

func (s *seen) add(took time.Duration, status int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil && status/100 == 2:
		s.accepted = append(s.accepted, took)
	case err == nil && (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests):
		s.refused = append(s.refused, took)
	default:
		s.failed++
		s.first = whichFailed(s.first, err, status)
	}
}

func (s *seen) sent(late time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.late = append(s.late, late)
}

func whichFailed(first, err error, status int) error {
	switch {
	case first != nil:
		return first
	case err != nil:
		return err
	}
	return errors.New("status " + http.StatusText(status))
}

func (s *seen) rate() float64 { return float64(len(s.accepted)) / s.elapsed.Seconds() }

// quantile of sorted or unsorted durations; zero of none.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func (c client) once(ctx context.Context, s *server, r request, number int, due time.Time, into *seen) {
	into.sent(time.Since(due))
	reply, err := c.do(ctx, s, r.method, numbered(r.path, number), bodyOf(r.body), int64(len(r.body)))
	if err != nil {
		into.add(0, 0, err)
		return
	}
	_, err = io.Copy(io.Discard, reply.Body)
	err = errors.Join(err, reply.Body.Close())
	into.add(time.Since(due), reply.StatusCode, err)
}

// closedLoop lets so many clients ask one after the other: what comes out is
// what the server can do, its capacity.
func (c client) closedLoop(ctx context.Context, s *server, r request, clients int, during time.Duration, numbers *counter) *seen {
	result := &seen{}
	begun := time.Now()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for time.Since(begun) < during && ctx.Err() == nil {
				c.once(ctx, s, r, numbers.next(), time.Now(), result)
			}
		})
	}
	all.Wait()
	result.elapsed = time.Since(begun)
	return result
}

// openLoop sends so many requests a second, whether answers come or not, as
// the public does. A request's time counts from when it was due.
func (c client) openLoop(ctx context.Context, s *server, r request, rate float64, during time.Duration, numbers *counter) *seen {
	result := &seen{}
	begun := time.Now()
	var all sync.WaitGroup
	for i := 0; ; i++ {
		due := begun.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if due.Sub(begun) >= during || ctx.Err() != nil {
			break
		}
		time.Sleep(time.Until(due))
		number := numbers.next()
		all.Go(func() { c.once(ctx, s, r, number, due, result) })
	}
	all.Wait()
	result.elapsed = time.Since(begun)
	return result
}
