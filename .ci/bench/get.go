package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// gets compares GETs over TLS 1.3 on 64 connections: every server has the same
// bytes on the same disk, in the page cache, and draws from many objects.
func gets(ctx context.Context, b *bench, into *report) error {
	for _, size := range []struct {
		name    string
		bytes   int
		objects int
		aim     string
	}{{"4 KiB", 4 << 10, 1000, "≥ 0.6, reaching for 0.8"}, {"1 MiB", 1 << 20, 64, "≥ 1.0"}} {
		t := into.table("GET, "+size.name+", 64 connections, HTTPS", "requests/s", "p99 ms", "CPU µs per request")
		if err := b.getsOf(ctx, t, size.bytes, size.objects, "get-"+size.name); err != nil {
			return err
		}
		t.ratio("app ÷ nginx", "app (filestore)", "nginx (static)", 0, size.aim)
		t.ratio("app ÷ net/http", "app (filestore)", "net/http, FileServer", 0, "")
	}
	return nil
}

func (b *bench) getsOf(ctx context.Context, t *table, bytes, objects int, profile string) (err error) {
	files, err := b.directory("files")
	if err != nil {
		return err
	}
	data, err := b.directory("objects")
	if err != nil {
		return err
	}
	all, err := b.getters(ctx, files, data)
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.server.stop())
		}
	}()
	if err != nil {
		return err
	}
	body := make([]byte, bytes)
	client := newClient(16)
	defer client.close()
	for i := 1; i <= objects; i++ {
		_, _ = rand.Read(body) // never fails, by its documentation
		if err := os.WriteFile(filepath.Join(files, fmt.Sprintf("o-%d", i)), body, 0o644); err != nil {
			return err
		}
		if err := client.put(ctx, all[0].server, fmt.Sprintf("/v1/objects/o-%d", i), body); err != nil {
			return err
		}
	}
	if err := b.sync(); err != nil {
		return err
	}
	for range b.Rounds {
		for _, c := range all {
			o, err := b.wrk(ctx, c.server, c.load(objects))
			if err != nil {
				return err
			}
			t.row(c.name, c.note).add(o.rate(), o.P99/1000, o.CPU)
		}
	}
	finish := b.profile(ctx, all[0].server, profile)
	_, err = b.wrk(ctx, all[0].server, all[0].load(objects))
	return errors.Join(err, finish())
}

// getter is a running server of a comparison.
type getter struct {
	name, note, path, token string
	server                  *server
}

func (g getter) load(objects int) load {
	return load{method: "GET", path: g.path, of: objects, token: g.token, connections: 64}
}

// getters starts the servers, the app first. The servers of what it returns
// run, also where it returns an error.
func (b *bench) getters(ctx context.Context, files, data string) ([]getter, error) {
	var all []getter
	app, err := b.startApp(ctx, data, true)
	if err != nil {
		return all, err
	}
	all = append(all, getter{"app (filestore)", "checksums of every block, token, access log", "/v1/objects/o-%d", token, app})
	nginx, err := b.startNginx(ctx, files, true)
	if err != nil {
		return all, err
	}
	all = append(all, getter{"nginx (static)", "2 workers, sendfile, access log, no open_file_cache", "/o-%d", "", nginx})
	bare, err := b.startBare(ctx, "nethttp", files, true, false)
	if err != nil {
		return all, err
	}
	return append(all, getter{"net/http, FileServer", "no log", "/o-%d", "", bare}), nil
}
