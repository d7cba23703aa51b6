package main

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"bogops/app/store"
	"bogops/infra/ceph"
)

// cephStore compares the store of the app with `rados bench`: the same pool, as
// many at once, the same program's share of the machine.
func cephStore(ctx context.Context, b *bench, into *report) error {
	return b.withCeph(ctx, func(c *ceph.Cluster) error {
		for _, m := range []rivalry{
			{name: "4 KiB, 16 clients", size: 4 << 10, clients: 16, benchSize: 4 << 10, benchClients: 16, putAim: "≥ 0.5", getAim: "≥ 0.8"},
			{name: "4 KiB, 64 clients", size: 4 << 10, clients: 64, benchSize: 4 << 10, benchClients: 64, putAim: "≥ 0.5", getAim: "≥ 0.8"},
			// Four bodies with four tails each on their way are sixteen at once.
			{name: "64 MiB, 4 clients", size: 64 << 20, clients: 4, benchSize: 4 << 20, benchClients: 16, putAim: "≥ 0.6", getAim: "≥ 0.8"},
		} {
			if err := b.rival(ctx, c, m, into); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
		}
		return nil
	})
}

// rivalry is one comparison of the store with rados bench.
type rivalry struct {
	name                    string
	size, clients           int
	benchSize, benchClients int
	putAim, getAim          string
}

func (b *bench) rival(ctx context.Context, c *ceph.Cluster, m rivalry, into *report) (err error) {
	b.fresh++
	namespace := fmt.Sprintf("store-%d", b.fresh)
	s, err := openRados(ctx, c, namespace)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	body := make([]byte, m.size)
	_, _ = crand.Read(body) // never fails, by its documentation

	const ours, theirs = "store (radosstore)", "rados bench"
	t := into.table("Store interface and RADOS: "+m.name, "PUT MiB/s", "PUT/s", "PUT mean ms", "PUT: client's CPU µs", "GET MiB/s", "GET/s", "GET mean ms", "GET: client's CPU µs")
	for range b.Rounds {
		b.fresh++
		run := fmt.Sprintf("r%d", b.fresh)
		put, err := b.putMany(ctx, s, m, run, body)
		if err != nil {
			return err
		}
		benchPut, err := b.radosBench(ctx, c, namespace, "write", "-b", strconv.Itoa(m.benchSize), "-t", strconv.Itoa(m.benchClients), "--no-cleanup", "--run-name", run)
		if err != nil {
			return err
		}
		get, err := b.getMany(ctx, s, m, run, put.done)
		if err != nil {
			return err
		}
		benchGet, err := b.radosBench(ctx, c, namespace, "rand", "-t", strconv.Itoa(m.benchClients), "--run-name", run)
		if err != nil {
			return err
		}
		t.row(ours, "checksums, digest, listing").add(append(put.figures(m.size), get.figures(m.size)...)...)
		t.row(theirs, fmt.Sprintf("%d at once of %d KiB", m.benchClients, m.benchSize>>10)).add(append(benchPut.figures(m.benchSize), benchGet.figures(m.benchSize)...)...)
	}
	t.ratio("PUT, store ÷ rados bench, bytes a second", ours, theirs, 0, m.putAim)
	t.ratio("GET, store ÷ rados bench, bytes a second", ours, theirs, 4, m.getAim)
	return b.profileRival(ctx, s, m, body)
}

// profileRival profiles a run that does not count.
func (b *bench) profileRival(ctx context.Context, s store.Store, m rivalry, body []byte) error {
	var put pace
	err := profiled(filepath.Join(b.Out, "store-put-"+m.name+".pprof"), func() (err error) {
		put, err = b.putMany(ctx, s, m, "profile", body)
		return err
	})
	if err != nil {
		return err
	}
	return profiled(filepath.Join(b.Out, "store-get-"+m.name+".pprof"), func() error {
		_, err := b.getMany(ctx, s, m, "profile", put.done)
		return err
	})
}

func (b *bench) putMany(ctx context.Context, s store.Store, m rivalry, run string, body []byte) (pace, error) {
	return crowd(ctx, m.clients, b.Time, func(ctx context.Context, n int64) error {
		_, err := s.Put(ctx, fmt.Sprintf("%s/%d", run, n), bytes.NewReader(body), store.PutOptions{Size: int64(len(body))})
		return err
	})
}

// getMany draws from what was put before.
func (b *bench) getMany(ctx context.Context, s store.Store, m rivalry, run string, stored int64) (pace, error) {
	return crowd(ctx, m.clients, b.Time, func(ctx context.Context, _ int64) error {
		r, info, err := s.Get(ctx, fmt.Sprintf("%s/%d", run, rand.N(stored)), store.Whole)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, r)
		if err == nil && n != info.Size {
			err = fmt.Errorf("%d bytes of %d", n, info.Size)
		}
		return errors.Join(err, r.Close())
	})
}

// radosBench runs `rados bench` with the app's key in the app's pool.
func (b *bench) radosBench(ctx context.Context, c *ceph.Cluster, namespace string, args ...string) (pace, error) {
	command := exec.CommandContext(ctx, "rados", append([]string{"-c", c.Conf(), "-n", "client.objects", "-k", c.Keyring("objects"),
		"-p", pool, "-N", namespace, "bench", strconv.Itoa(max(1, int(b.Time.Seconds())))}, args...)...)
	out, err := command.CombinedOutput()
	if err != nil {
		return pace{}, fmt.Errorf("rados bench %s: %w: %s", args[0], err, out)
	}
	var p pace
	for pattern, into := range map[string]*float64{
		`Total time run: +([0-9.]+)`: &p.seconds, `Total (?:writes|reads) made: +([0-9]+)`: &p.count, `Average Latency\(s\): +([0-9.e-]+)`: &p.mean,
	} {
		found := regexp.MustCompile(pattern).FindSubmatch(out)
		if found == nil {
			return pace{}, fmt.Errorf("rados bench %s said nothing like %q: %s", args[0], pattern, out)
		}
		if *into, err = strconv.ParseFloat(string(found[1]), 64); err != nil {
			return pace{}, err
		}
	}
	if p.count == 0 || p.seconds == 0 {
		return pace{}, fmt.Errorf("rados bench %s did nothing: %s", args[0], out)
	}
	p.cpu = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	return p, nil
}
