package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/sync/errgroup"
)

// memory reads the app's largest resident set while 64 clients send and then
// fetch objects of 64 MiB at the same time.
func memory(ctx context.Context, b *bench, into *report) (err error) {
	dir, err := b.directory("large")
	if err != nil {
		return err
	}
	s, err := b.startApp(ctx, dir, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	return b.memoryOf(ctx, s, into.table(fmt.Sprintf("Memory, 64 clients on objects of %d MiB, HTTPS", b.Large>>20), "largest resident set, MiB", "threads"))
}

// memoryOf fills the table for one server.
func (b *bench) memoryOf(ctx context.Context, s *server, t *table) error {
	client := newClient(64)
	defer client.close()
	path := func(i int) string { return fmt.Sprintf("/v1/objects/large-%d", i) }
	for _, phase := range []struct {
		name string
		do   func(ctx context.Context, i int) error
	}{
		{"64 × PUT", func(ctx context.Context, i int) error { return client.send(ctx, s, path(i), pattern(b.Large), b.Large) }},
		{"64 × GET", func(ctx context.Context, i int) error { return client.drink(ctx, s, path(i), b.Large) }},
		{"64 × GET, reversed", func(ctx context.Context, i int) error {
			return client.drink(ctx, s, path(i)+"?process=reverse", b.Large)
		}},
	} {
		if err := s.forgetPeak(); err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		for i := range 64 {
			group.Go(func() error { return phase.do(ctx, i) })
		}
		if err := group.Wait(); err != nil {
			return fmt.Errorf("%s: %w", phase.name, err)
		}
		peak, err := s.peak()
		if err != nil {
			return err
		}
		threads, err := s.threads()
		if err != nil {
			return err
		}
		t.row(phase.name, "").add(peak, threads)
	}
	t.note("largest of all, MiB", []float64{t.largest()}, "≤ 256")
	return nil
}

func (t *table) largest() float64 {
	most := 0.0
	for _, r := range t.rows {
		for _, v := range r.each(0) {
			most = max(most, v)
		}
	}
	return most
}

// pattern is n bytes that need no memory.
func pattern(n int64) io.Reader { return io.LimitReader(repeat{}, n) }

type repeat struct{}

func (repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i * 7)
	}
	return len(p), nil
}

// drink reads an answer to its end. A refusal for being busy is asked again:
// what is measured is the memory, not the patience.
func (c client) drink(ctx context.Context, s *server, path string, want int64) error {
	for {
		reply, err := c.do(ctx, s, http.MethodGet, path, nil, 0)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, reply.Body)
		err = errors.Join(err, reply.Body.Close())
		switch {
		case reply.StatusCode == http.StatusServiceUnavailable && reply.Header.Get("Retry-After") != "":
			if err := pause(ctx, reply.Header.Get("Retry-After")); err != nil {
				return err
			}
		case reply.StatusCode != http.StatusOK || n != want || err != nil:
			return fmt.Errorf("GET %s: %s, %d bytes: %w", path, reply.Status, n, err)
		default:
			return nil
		}
	}
}
