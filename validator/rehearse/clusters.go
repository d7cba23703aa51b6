package rehearse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"bogops/infra/ceph"
	judge "bogops/validator/ceph"
	"bogops/validator/chaos"
	"bogops/validator/contest"
	"bogops/validator/load/content"
	"bogops/validator/target"
)

// A cluster of its own for each platform: a fault on one must not be felt by
// another, and a platform has no business in another's pool.

// errNoCeph is a machine that cannot have Ceph in play.
var errNoCeph = badOptionf("--with-ceph: want Ceph on this machine (Debian or Ubuntu: apt-get install --no-install-recommends ceph-mon ceph-mgr ceph-osd ceph-common librados-dev) and binaries that were built with it there (make build)")

func cephIsHere() bool {
	for _, program := range []string{"ceph", "rados", "ceph-mon", "ceph-mgr", "ceph-osd"} {
		if _, err := exec.LookPath(program); err != nil {
			return false
		}
	}
	return judge.Built
}

// raise starts the clusters of all members at once, and returns when each of
// them stands or is gone: what stands when one failed is for raze.
func (c *cast) raise(ctx context.Context, work, logs string) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, m := range c.members {
		group.Go(func() error {
			log, err := os.Create(filepath.Join(logs, m.team.ID+"-ceph.log"))
			if err != nil {
				return err
			}
			m.clusterLog = log
			m.cluster, err = ceph.Start(ctx, ceph.Options{Dir: filepath.Join(work, m.team.ID+"-ceph"), Log: log})
			if err != nil {
				return fmt.Errorf("the Ceph of %s: %w: see its log", m.team.ID, err)
			}
			return m.showCeph(ctx)
		})
	}
	return group.Wait()
}

// showCeph gives the judge its way into a member's cluster: the monitors, a key
// that may read, and the organiser's hand for what is removed and broken.
func (m *member) showCeph(ctx context.Context) error {
	key, err := os.ReadFile(m.cluster.Keyring("judge"))
	if err != nil {
		return err
	}
	metrics, err := m.metrics(ctx)
	if err != nil {
		return err
	}
	m.team.Ceph = &contest.Ceph{
		Mode: "rados", Monitors: m.cluster.Monitors(), User: "judge", Key: contest.Secret(key),
		Pool: cephPool, Metrics: metrics,
	}
	m.way = judge.Open(m.team.Ceph, judge.Options{})
	m.way.Remove = func(ctx context.Context, o judge.Object) error { return removeInside(ctx, m.cluster, o) }
	return nil
}

// metricsWithin bounds how long a manager may take to serve its metrics.
const metricsWithin = 30 * time.Second

// metrics is where the manager serves them: it tells the monitors only once it
// does, which may be after the cluster is ready.
func (m *member) metrics(ctx context.Context) (url string, err error) {
	ctx, cancel := context.WithTimeout(ctx, metricsWithin)
	defer cancel()
	for {
		if url, err = m.cluster.Metrics(ctx); err == nil {
			return url, nil
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// cephPool is where the platforms keep their objects.
const cephPool = "objects"

// storeArgs is where the instances of a member keep their objects.
func (m *member) storeArgs(dir string) []string {
	if m.cluster == nil {
		return []string{"--store", "file:" + filepath.Join(dir, "objects")}
	}
	return []string{
		"--store", "ceph:" + cephPool, "--ceph-conf", m.cluster.Conf(),
		"--ceph-user", "objects", "--ceph-key-file", m.cluster.Keyring("objects"),
	}
}

// removeInside removes one object inside a cluster, with the administrator's key.
func removeInside(ctx context.Context, cluster *ceph.Cluster, o judge.Object) error {
	command := exec.CommandContext(ctx, "rados", "-c", cluster.Conf(), "-n", "client.admin", "-k", cluster.Keyring("admin"),
		"-p", o.Pool, "-N", o.Namespace, "rm", o.Name)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("remove %s inside Ceph: %w: %s", o, err, bytes.TrimSpace(out))
	}
	return nil
}

// loseInside removes every piece of one object inside a member's cluster, once
// the first of them was seen to hold it.
func (m *member) loseInside(ctx context.Context, t target.Target, key string, head []byte) error {
	claim, err := whereIs(ctx, t, key)
	if err != nil {
		return err
	}
	if len(claim.Pieces) == 0 {
		return fmt.Errorf("the evidence of %s names no piece", key)
	}
	first := claim.Pieces[0]
	found, err := m.way.Read(ctx, claim.In(first), first.At, min(first.Length, content.HeaderSize))
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(found, head) {
		return fmt.Errorf("the first piece of %s does not hold the object", key)
	}
	for _, o := range claim.Objects() {
		if err := removeInside(ctx, m.cluster, o); err != nil {
			return err
		}
	}
	return nil
}

// asks is how often the platform is asked where an object lies: it is loaded, and
// loses an instance about now. askWithin bounds each time.
const (
	asks      = 5
	askWithin = 5 * time.Second
)

func whereIs(ctx context.Context, t target.Target, key string) (claim judge.Claim, err error) {
	client := target.NewClient(t)
	defer client.Close()
	for range asks {
		var reply *target.Reply
		if reply, err = askEvidence(ctx, client, t, key); err == nil {
			return judge.ParseClaim(reply.Body)
		}
		select {
		case <-ctx.Done():
			return claim, ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return claim, err
}

// askEvidence is one evidence call. A platform that says nothing must not hold up the
// villain, and with him the day.
func askEvidence(ctx context.Context, client *target.Client, t target.Target, key string) (*target.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	reply, err := client.Do(ctx, target.Request{Method: http.MethodGet, Path: "/v1/evidence/" + key, Token: t.Token, Fresh: true})
	if err == nil && reply.Status != http.StatusOK {
		err = fmt.Errorf("the evidence of %s: status %d", key, reply.Status)
	}
	return reply, err
}

// daemons is the hand that breaks a member's cluster. A daemon that is stopped is
// killed here: how it goes is not what a fault is about.
func (m *member) daemons() chaos.Daemons {
	victims := map[string]string{"osd": "osd.1", "mon": "mon.m1"}
	return chaos.Daemons{
		Pick: func(_ context.Context, kind string) (string, error) { return victims[kind], nil },
		Break: func(ctx context.Context, daemon, way string) error {
			if way == "freeze" {
				return m.cluster.Freeze(ctx, daemon)
			}
			return m.cluster.Kill(ctx, daemon)
		},
		Mend: func(ctx context.Context, daemon, way string) error {
			if way == "freeze" {
				return m.cluster.Thaw(ctx, daemon)
			}
			return m.cluster.Up(ctx, daemon)
		},
	}
}

// raze ends the clusters, in any state. The error tells of every one that did
// not go.
func (c *cast) raze() error {
	failed := make([]error, len(c.members))
	var all sync.WaitGroup
	for i, m := range c.members {
		all.Go(func() { failed[i] = m.razeCeph() })
	}
	all.Wait()
	return errors.Join(failed...)
}

func (m *member) razeCeph() (err error) {
	if m.way != nil {
		err = m.way.Close()
	}
	if m.cluster != nil {
		if failed := m.cluster.Destroy(); failed != nil {
			err = errors.Join(err, fmt.Errorf("the Ceph of %s did not go: %w", m.team.ID, failed))
		}
	}
	if m.clusterLog != nil {
		_ = m.clusterLog.Close() // it was for people
	}
	return err
}

// ways are the judge's ways into every platform's Ceph.
func (c *cast) ways() map[string]*judge.Cluster {
	all := map[string]*judge.Cluster{}
	for _, m := range c.members {
		if m.way != nil {
			all[m.team.ID] = m.way
		}
	}
	return all
}

// scene is where the rehearsal removed the lost object.
func (c *cast) scene() string {
	if c.withCeph {
		return "inside Ceph"
	}
	return "from a disk"
}
