package probe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"bogops/validator/verdict"
)

// DefaultRacers is how many clients race for one key.
const DefaultRacers = 32

// Each racer sends the first part of its body, waits for the others and sends
// the rest: more than a client's buffer, so that the head is on its way, and a
// platform that looks at the condition first and stores later is seen to.
const (
	racerBytes = 8 << 10
	racerFirst = 6 << 10
)

func racedCreate(ctx context.Context, s *Session) (string, error) {
	const rounds = 2
	won := 0
	for range rounds {
		r := s.race(ctx, s.Key(s.Word(12)), "If-None-Match", "*")
		what := fmt.Sprintf("%d concurrent PUTs of a new key with If-None-Match: *", len(r.runs))
		winner, err := r.winner(what)
		if err != nil {
			return "", err
		}
		if winner != nil {
			won++
		}
		if err := s.settled(ctx, r, winner, nil, what); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("one of %d wins, in %d of %d races", s.Env.Racers, won, rounds), s.someWinner(won, rounds, "creators")
}

// racedSwap races for one object again and again: each round names the ETag
// that the round before has left.
func racedSwap(ctx context.Context, s *Session) (string, error) {
	const rounds = 3
	key, before := s.Key(s.Word(12)), s.Bytes(racerBytes)
	tag, err := s.storeTag(ctx, key, before)
	if err != nil {
		return "", err
	}
	won := 0
	for range rounds {
		r := s.race(ctx, key, "If-Match", tag)
		what := fmt.Sprintf("%d concurrent PUTs with the right If-Match", len(r.runs))
		winner, err := r.winner(what)
		if err != nil {
			return "", err
		}
		if winner != nil {
			won++
		}
		if err := s.settled(ctx, r, winner, before, what); err != nil {
			return "", err
		}
		reply, err := s.Get(ctx, key)
		if err != nil {
			return "", err
		}
		tag, before = reply.Header.Get("ETag"), reply.Body
	}
	return fmt.Sprintf("one of %d wins, in %d of %d races", s.Env.Racers, won, rounds), s.someWinner(won, rounds, "replacements")
}

// someWinner keeps a platform that answers 5xx to every race from passing.
func (s *Session) someWinner(won, rounds int, who string) error {
	if won > 0 {
		return nil
	}
	return verdict.Wrong(fmt.Sprintf("%d races of %d concurrent %s", rounds, s.Env.Racers, who), "no winner in any", "one winner in each")
}

// race is concurrent PUTs of one key.
type race struct {
	key  string
	runs []run
}

type run struct {
	body   []byte
	status int
	err    error
}

func (s *Session) race(ctx context.Context, key, condition, value string) race {
	r := race{key: key, runs: make([]run, s.Env.Racers)}
	start := newGate(ctx, len(r.runs))
	defer start.close()
	var all sync.WaitGroup
	for i := range r.runs {
		runner := &r.runs[i]
		runner.body = s.Bytes(racerBytes)
		all.Go(func() {
			arrive := sync.OnceFunc(start.arrive)
			defer arrive() // also where the answer came first
			request := putting(key, runner.body, condition, value)
			request.Body = io.MultiReader(bytes.NewReader(runner.body[:racerFirst]), &barrier{start, arrive}, bytes.NewReader(runner.body[racerFirst:]))
			request.Fresh = true
			reply, err := s.Do(ctx, request)
			if err != nil {
				runner.err = err
				return
			}
			runner.status = reply.Status
		})
	}
	all.Wait()
	return r
}

// winner is the run that was acknowledged. It is nil where a write without a
// known outcome may be the winner: one answered 5xx, or not at all.
func (r race) winner(what string) (*run, error) {
	const want = "one 2xx, and 412 for the others"
	var winners, unknown, shed int
	var winner *run
	var failure error
	for i := range r.runs {
		switch one := &r.runs[i]; {
		case one.err != nil:
			failure = one.err
			unknown++
		case one.status == 200 || one.status == 201:
			winner = one
			winners++
		case one.status >= 500:
			unknown++
		case one.status == 429:
			shed++
		case one.status != 412:
			return nil, verdict.Wrong(what, fmt.Sprintf("%d for one of them", one.status), want)
		}
	}
	switch {
	case winners > 1:
		return nil, verdict.Wrong(what, fmt.Sprintf("%d acknowledged", winners), want)
	case winners == 0 && failure != nil:
		return nil, failure
	case winners == 0 && unknown == 0:
		return nil, verdict.Wrong(what, fmt.Sprintf("none acknowledged (412: %d, 429: %d)", len(r.runs)-shed, shed), want)
	}
	return winner, nil
}

// settled wants that the key holds what the winner wrote. Without a known
// winner it holds what was there before (nil: nothing), or what one of the
// writes without a known outcome wrote.
func (s *Session) settled(ctx context.Context, r race, winner *run, before []byte, what string) error {
	what = "after " + what
	if winner != nil {
		return s.holds(ctx, r.key, what, winner.body)
	}
	reply, err := s.Get(ctx, r.key)
	if err != nil {
		return err
	}
	if reply.Status == 404 && before == nil {
		return nil
	}
	if err := wantAcknowledged(reply, "GET "+what); err != nil {
		return err
	}
	if before != nil && bytes.Equal(reply.Body, before) {
		return nil
	}
	for _, one := range r.runs {
		if (one.err != nil || one.status >= 500) && bytes.Equal(one.body, reply.Body) {
			return nil
		}
	}
	return verdict.New(verdict.Corrupt, "GET "+what, size(len(reply.Body))+" that nobody may have written", "what was there, or one of the bodies answered 5xx")
}

// gate opens once all racers have arrived, or some of them are kept away for
// longer than a prompt answer may take: a platform may take connections one by
// one.
type gate struct {
	left   atomic.Int64
	open   context.Context
	opened context.CancelFunc
}

func newGate(ctx context.Context, racers int) *gate {
	g := &gate{}
	g.left.Store(int64(racers))
	g.open, g.opened = context.WithTimeout(ctx, promptly)
	return g
}

func (g *gate) arrive() {
	if g.left.Add(-1) == 0 {
		g.opened()
	}
}

func (g *gate) close() { g.opened() }

// barrier is an empty part of a body that takes until the gate opens.
type barrier struct {
	gate   *gate
	arrive func()
}

func (b *barrier) Read([]byte) (int, error) {
	b.arrive()
	<-b.gate.open.Done()
	return 0, io.EOF
}
