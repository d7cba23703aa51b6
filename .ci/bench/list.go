package main

import (
	"context"
	"errors"
	"fmt"
)

// lists compares a page of 1,000 keys of many with one GET of 4 KiB, both on
// one connection over TLS, by their mean time.
func lists(ctx context.Context, b *bench, into *report) (err error) {
	dir, err := b.directory("listing")
	if err != nil {
		return err
	}
	s, err := b.startApp(ctx, dir, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	client := newClient(64)
	defer client.close()
	// Each prefix holds a tenth of the keys.
	for digit := range 10 {
		if err := client.fill(ctx, s, fmt.Sprintf("/v1/objects/%d/object-%%d", digit), b.Objects/10, make([]byte, 4<<10)); err != nil {
			return err
		}
	}
	t := into.table(fmt.Sprintf("A page of 1,000 of %d keys, one connection, HTTPS", b.Objects), "requests/s", "mean ms", "p99 ms")
	page := load{method: "GET", path: "/v1/objects?limit=1000&prefix=%d/", of: 9, token: token, connections: 1}
	one := load{method: "GET", path: "/v1/objects/1/object-%d", of: b.Objects / 10, token: token, connections: 1}
	for range b.Rounds {
		for _, l := range []struct {
			name string
			load
		}{{"GET 4 KiB", one}, {"list", page}} {
			o, err := b.wrk(ctx, s, l.load)
			if err != nil {
				return err
			}
			t.row(l.name, "").add(o.rate(), o.Mean/1000, o.P99/1000)
		}
	}
	t.ratio("list ÷ GET, mean time", "list", "GET 4 KiB", 1, "≤ 20")
	return nil
}
