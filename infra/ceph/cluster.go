package ceph

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Variable is the environment variable that names the directory of a cluster
// which runs already.
const Variable = "BOGOPS_CEPH"

// ErrNone says that no cluster was named.
var ErrNone = errors.New("ceph: " + Variable + " names no cluster")

// A Cluster is a Ceph cluster in one directory of this machine. Its methods may
// be called from several goroutines; those that change daemons wait until the
// change is made, or ctx ends.
//
// Users are "objects" (reads and writes the pool objects, may put a client on the
// blocklist), "judge" (reads it) and "admin".
type Cluster struct {
	dir         string
	settings    map[string]string // the [global] section of its ceph.conf
	environment []string
	log         io.Writer
	guard       *guard

	destroying sync.Mutex
	destroyed  bool
}

// Open returns the cluster in dir, which somebody else started and will stop.
func Open(dir string) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, log: io.Discard}
	return c, c.read()
}

// Find returns the cluster that the environment names, or ErrNone.
func Find(getenv func(string) string) (*Cluster, error) {
	dir := getenv(Variable)
	if dir == "" {
		return nil, ErrNone
	}
	c, err := Open(dir)
	if err != nil {
		return nil, fmt.Errorf("%s is %q, wanted the directory of a cluster: %w", Variable, dir, err)
	}
	return c, nil
}

// read learns what ceph.conf says of all daemons and clients.
func (c *Cluster) read() error {
	if err := unpack(c.dir); err != nil {
		return err
	}
	file, err := os.Open(c.Conf())
	if err != nil {
		return err
	}
	defer file.Close()
	c.settings = map[string]string{}
	section := ""
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			section = line
		}
		if name, value, ok := strings.Cut(line, " = "); ok && section == "[global]" {
			c.settings[name] = value
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if c.FSID() == "" || len(c.Monitors()) == 0 {
		return fmt.Errorf("ceph: %s names no fsid or no monitors", c.Conf())
	}
	return nil
}

// Dir is the directory that everything of the cluster lies in.
func (c *Cluster) Dir() string { return c.dir }

// Conf is the configuration file that clients need.
func (c *Cluster) Conf() string { return filepath.Join(c.dir, "ceph.conf") }

// Keyring is the file with a user's key.
func (c *Cluster) Keyring(user string) string { return filepath.Join(c.dir, "keyring", user) }

// FSID is the cluster's id.
func (c *Cluster) FSID() string { return c.settings["fsid"] }

// Monitors are the monitors' addresses as librados takes them in mon_host:
// "[v2:127.0.0.1:3300]", with the older protocol's address after a comma where
// it is spoken too.
func (c *Cluster) Monitors() []string {
	var monitors []string
	for _, one := range strings.SplitAfter(c.settings["mon_host"], "]") {
		if one = strings.TrimPrefix(one, ","); one != "" {
			monitors = append(monitors, one)
		}
	}
	return monitors
}

// Metrics is the URL of the mgr's prometheus module. It moves when another mgr
// takes over, so the monitors are asked each time.
func (c *Cluster) Metrics(ctx context.Context) (string, error) {
	out, err := c.Ceph(ctx, "mgr", "services", "-f", "json")
	if err != nil {
		return "", err
	}
	var services struct {
		Prometheus string `json:"prometheus"`
	}
	if err := json.Unmarshal(out, &services); err != nil {
		return "", fmt.Errorf("ceph: mgr services: %w", err)
	}
	if services.Prometheus == "" {
		return "", errors.New("ceph: no mgr serves metrics at this moment")
	}
	return services.Prometheus + "metrics", nil
}

// Ceph runs the ceph command as the administrator and returns what it printed.
func (c *Cluster) Ceph(ctx context.Context, args ...string) ([]byte, error) {
	out, err := c.run(ctx, append([]string{"ceph"}, args...)...)
	return []byte(out), err
}

// Ready waits until the cluster is healthy, with every placement group clean and
// every OSD up, and an object went in and came back with the key of "objects".
func (c *Cluster) Ready(ctx context.Context) error {
	_, err := c.run(ctx, "wait", "600")
	return err
}

// Kill ends a daemon ("mon.m0", "mgr.x", "osd.1") as a power cut does.
func (c *Cluster) Kill(ctx context.Context, daemon string) error {
	_, err := c.run(ctx, "kill", daemon)
	return err
}

// Freeze makes a daemon keep its connections and say nothing; Thaw lets it go on.
func (c *Cluster) Freeze(ctx context.Context, daemon string) error {
	_, err := c.run(ctx, "freeze", daemon)
	return err
}

// Thaw lets a frozen daemon go on.
func (c *Cluster) Thaw(ctx context.Context, daemon string) error {
	_, err := c.run(ctx, "thaw", daemon)
	return err
}

// Up starts a daemon again; it does nothing to one that runs. Ready says when
// the daemon is back at work.
func (c *Cluster) Up(ctx context.Context, daemon string) error {
	_, err := c.run(ctx, "up", daemon)
	return err
}

// Pool makes one more pool with three copies, and the users "objects-NAME" and
// "judge-NAME", who have in it the rights of "objects" and "judge" in theirs.
func (c *Cluster) Pool(ctx context.Context, name string) error {
	_, err := c.run(ctx, "pool", name)
	return err
}

// Stop ends every daemon, the gateway included; the data stay.
func (c *Cluster) Stop(ctx context.Context) error {
	_, err := c.run(ctx, "stop")
	return err
}

// Start starts a stopped cluster and returns when it serves.
func (c *Cluster) Start(ctx context.Context) error {
	_, err := c.run(ctx, "start")
	return err
}

// Destroy kills every daemon and removes the directory. A second call does
// nothing.
func (c *Cluster) Destroy() error {
	c.destroying.Lock()
	defer c.destroying.Unlock()
	if c.destroyed {
		return nil
	}
	_, err := c.run(context.Background(), "destroy")
	c.destroyed = err == nil
	return errors.Join(err, c.guard.end())
}
