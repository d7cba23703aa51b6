package main

import (
	"context"
	"errors"
	"time"
)

// puts compares durable PUTs of 4 KiB over plain HTTP on 64 connections with
// the disk's ceiling and with servers that promise less.
func puts(ctx context.Context, b *bench, into *report) error {
	t := into.table("PUT, 4 KiB, new keys, 64 connections, HTTP", "requests/s", "p99 ms", "CPU µs per request")
	for range b.Rounds {
		ceiling, err := b.fio(ctx)
		if err != nil {
			return err
		}
		t.row("fio: create + fdatasync, 64 writers", "the ceiling").add(ceiling)
		for _, c := range putters(b) {
			if err := b.put(ctx, t, c, ""); err != nil {
				return err
			}
		}
	}
	// A profile has its price: it is taken of a run that does not count.
	if err := b.put(ctx, &table{}, putters(b)[0], "put-4KiB"); err != nil {
		return err
	}
	t.ratio("app ÷ fio", "app (filestore)", "fio: create + fdatasync, 64 writers", 0, "≥ 0.35")
	t.ratio("app ÷ net/http, durable", "app (filestore)", "net/http, durable", 0, "")
	if b.Versitygw != "" {
		t.ratio("app ÷ versitygw", "app (filestore)", "versitygw (posix)", 0, "≥ 2")
	}
	return nil
}

// contender is one server of a comparison.
type contender struct {
	name, promise string
	start         func(ctx context.Context, dir string) (*server, error)
	path          string
	token         string
}

func putters(b *bench) []contender {
	all := []contender{
		{"app (filestore)", "data, name and directory synced", func(ctx context.Context, dir string) (*server, error) {
			return b.startApp(ctx, dir, false)
		}, "/v1/objects/put-%d", token},
		{"net/http, durable", "data, name and directory synced", func(ctx context.Context, dir string) (*server, error) {
			return b.startBare(ctx, "nethttp-sync", dir, false, true)
		}, "/put-%d", ""},
		{"net/http, bare", "nothing synced", func(ctx context.Context, dir string) (*server, error) {
			return b.startBare(ctx, "nethttp", dir, false, false)
		}, "/put-%d", ""},
		{"nginx (dav)", "nothing synced", func(ctx context.Context, dir string) (*server, error) {
			return b.startNginx(ctx, dir, false)
		}, "/put-%d", ""},
	}
	if b.Versitygw != "" {
		all = append(all, contender{"versitygw (posix)", "nothing synced", b.startVersitygw, "/bench/put-%d", ""})
	}
	return all
}

// put measures one server, and profiles it where the profile has a name.
func (b *bench) put(ctx context.Context, t *table, c contender, profile string) (err error) {
	dir, err := b.directory("put")
	if err != nil {
		return err
	}
	s, err := c.start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	finish := b.profile(ctx, s, profile)
	o, err := b.wrk(ctx, s, load{method: "PUT", path: c.path, body: 4 << 10, token: c.token, connections: 64})
	if err = errors.Join(err, finish()); err != nil {
		return err
	}
	t.row(c.name, c.promise).add(o.rate(), o.P99/1000, o.CPU)
	return b.settle(ctx)
}

// settle lets the disk finish what a server left unsynced, so that the next
// one does not pay for it.
func (b *bench) settle(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(200 * time.Millisecond):
	}
	return b.sync()
}
