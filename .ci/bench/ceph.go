package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bogops/app/store"
	"bogops/app/store/radosstore"
	"bogops/app/store/versioned"
	"bogops/infra/ceph"
)

// cephStarts is how long a cluster may take to be made.
const cephStarts = 3 * time.Minute

// withCeph runs do on a cluster of its own, on the disk that is measured, and
// destroys it afterwards: nothing is ever deleted in one that is measured.
func (b *bench) withCeph(ctx context.Context, do func(*ceph.Cluster) error) (err error) {
	b.fresh++
	starting, cancel := context.WithTimeout(ctx, cephStarts)
	defer cancel()
	cluster, err := ceph.Start(starting, ceph.Options{Dir: filepath.Join(b.disk, fmt.Sprintf("%03d-ceph", b.fresh)), Log: os.Stderr})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Destroy()) }()
	return do(cluster)
}

// pool is where everything that is compared lies.
const pool = "objects"

// openRados opens the store of the app in a namespace of the pool, in this
// process: what is measured begins at the interface store.Store.
func openRados(ctx context.Context, c *ceph.Cluster, namespace string) (store.Store, error) {
	home, err := radosstore.Open(radosstore.Config{Conf: c.Conf(), User: "objects", KeyFile: c.Keyring("objects"),
		Pool: pool, Namespace: namespace})
	if err != nil {
		return nil, err
	}
	s := versioned.Alone(home, versioned.Options{})
	for s.Health(ctx).State == store.Down {
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), s.Close())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return s, nil
}

// cephApp are the app's arguments for a namespace of the pool.
func (b *bench) startCephApp(ctx context.Context, c *ceph.Cluster, namespace string, tls bool, more ...string) (*server, error) {
	more = append([]string{"--ceph-conf", c.Conf(), "--ceph-user", "objects", "--ceph-key-file", c.Keyring("objects")}, more...)
	s, err := b.startAppOn(ctx, "ceph:"+pool+"/"+namespace, tls, more...)
	if err != nil {
		return nil, err
	}
	// It listens before it has reached the cluster.
	client := newClient(1)
	defer client.close()
	for {
		err := client.put(ctx, s, "/v1/objects/ready", []byte("ready"))
		if err == nil {
			return s, nil
		}
		select {
		case <-s.exited:
			return nil, fmt.Errorf("the app has ended: %w", errors.Join(err, s.stop()))
		case <-ctx.Done():
			return nil, errors.Join(err, s.stop())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// startGateway starts a radosgw on the cluster, whose bucket "bench" anyone may
// read and write, so that one load tool serves both sides and the gateway has
// no signature to check. Its objects lie in a pool like the app's. The cluster
// stops it.
func (b *bench) startGateway(ctx context.Context, c *ceph.Cluster) (*server, error) {
	const data = "default.rgw.buckets.data"
	for _, words := range []string{"osd pool create " + data + " 32 32 replicated", "osd pool set " + data + " size 3",
		"osd pool set " + data + " min_size 2", "osd pool application enable " + data + " rgw"} {
		if _, err := c.Ceph(ctx, strings.Fields(words)...); err != nil {
			return nil, err
		}
	}
	gateway, err := c.Gateway(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{name: "radosgw", address: strings.TrimPrefix(gateway.Endpoint, "http://")}
	if s.pid, err = findProcess("radosgw", c.Conf()); err != nil {
		return nil, err
	}
	return s, b.makeBucket(ctx, s, gateway.AccessKey, gateway.SecretKey)
}

// findProcess returns a process by its program and one of its arguments.
func findProcess(program, argument string) (int, error) {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	for _, path := range all {
		line, _ := os.ReadFile(path) // it may have ended
		words := strings.Split(string(line), "\x00")
		if filepath.Base(words[0]) == program && strings.Contains(string(line), "\x00"+argument+"\x00") {
			return strconv.Atoi(filepath.Base(filepath.Dir(path)))
		}
	}
	return 0, fmt.Errorf("no %s runs with %s", program, argument)
}

// cephVersion is that of the tools, which is the servers'.
func cephVersion(ctx context.Context) string {
	version, _, _ := strings.Cut(output(ctx, "ceph", "--version"), "(")
	return version
}

// installed refuses to measure without a tool.
func installed(tools ...string) error {
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is not installed; `make bench` installs it as root on Debian or Ubuntu", tool)
		}
	}
	return nil
}
