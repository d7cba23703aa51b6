package main

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"

	"bogops/infra/ceph"
)

// cephHTTP compares the app with Ceph's own gateway on the same cluster: 4 KiB
// over HTTP, 64 connections, the same load tool.
func cephHTTP(ctx context.Context, b *bench, into *report) error {
	return b.withCeph(ctx, func(c *ceph.Cluster) (err error) {
		app, err := b.startCephApp(ctx, c, "http", false)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, app.stop()) }()
		gateway, err := b.startGateway(ctx, c)
		if err != nil {
			return err
		}
		both := []site{{"app (radosstore)", "token, access log, listing", "/v1/objects/", app}, {"radosgw", "open bucket, no log", "/bench/", gateway}}
		if err := b.httpPuts(ctx, both, into); err != nil {
			return err
		}
		return b.httpGets(ctx, both, into)
	})
}

// site is a server, and the path that its objects lie below.
type site struct {
	name, note, path string
	server           *server
}

func (b *bench) httpPuts(ctx context.Context, both []site, into *report) error {
	t := into.table("Ceph: PUT, 4 KiB, new keys, 64 connections, HTTP", "requests/s", "p99 ms", "CPU µs per request")
	for range b.Rounds {
		for _, s := range both {
			if err := b.httpPut(ctx, s, t); err != nil {
				return err
			}
		}
	}
	t.ratio("app ÷ radosgw", both[0].name, both[1].name, 0, "≥ 1.5")
	finish := b.profile(ctx, both[0].server, "ceph-put-4KiB")
	return errors.Join(b.httpPut(ctx, both[0], &table{}), finish())
}

func (b *bench) httpPut(ctx context.Context, s site, t *table) error {
	b.fresh++
	o, err := b.wrk(ctx, s.server, load{method: "PUT", path: fmt.Sprintf("%sput-%d-%%d", s.path, b.fresh), body: 4 << 10, token: s.server.token, connections: 64})
	if err != nil {
		return err
	}
	t.row(s.name, s.note).add(o.rate(), o.P99/1000, o.CPU)
	return nil
}

func (b *bench) httpGets(ctx context.Context, both []site, into *report) error {
	const objects = 1000
	body := make([]byte, 4<<10)
	_, _ = crand.Read(body) // never fails, by its documentation
	client := newClient(16)
	defer client.close()
	for _, s := range both {
		if err := client.fill(ctx, s.server, s.path+"get-%d", objects, body); err != nil {
			return err
		}
	}
	t := into.table("Ceph: GET, 4 KiB, 64 connections, HTTP", "requests/s", "p99 ms", "CPU µs per request")
	get := func(s site, t *table) error {
		o, err := b.wrk(ctx, s.server, load{method: "GET", path: s.path + "get-%d", of: objects, token: s.server.token, connections: 64})
		if err == nil {
			t.row(s.name, s.note).add(o.rate(), o.P99/1000, o.CPU)
		}
		return err
	}
	for range b.Rounds {
		for _, s := range both {
			if err := get(s, t); err != nil {
				return err
			}
		}
	}
	t.ratio("app ÷ radosgw", both[0].name, both[1].name, 0, "≥ 1.5")
	finish := b.profile(ctx, both[0].server, "ceph-get-4KiB")
	return errors.Join(get(both[0], &table{}), finish())
}
