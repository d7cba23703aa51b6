package ceph

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Options describe a cluster to start.
type Options struct {
	// Dir is where everything of it goes; it must be missing or empty. An OSD
	// takes some 40 MiB there when empty.
	Dir string
	// Monitors and OSDs are how many of each; 0 is 3. Fewer than three OSDs are
	// refused: a pool keeps three copies on as many hosts.
	Monitors, OSDs int
	// Keep leaves the cluster there when the process ends. Otherwise it is
	// destroyed then, however the process ends.
	Keep bool
	// Log gets what the scripts say on their way; nil is nowhere.
	Log io.Writer
}

// Start makes a cluster and returns when it serves: some ten seconds on an idle
// machine of two cores. Whoever starts a cluster destroys it; where it could not
// be started nothing of it is left.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Dir == "" {
		return nil, fmt.Errorf("ceph: Options.Dir is empty, wanted a directory to make the cluster in")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir: dir, log: o.Log}
	if c.log == nil {
		c.log = io.Discard
	}
	for name, count := range map[string]int{"MONS": o.Monitors, "OSDS": o.OSDs} {
		if count != 0 {
			c.environment = append(c.environment, "BOGOPS_CEPH_"+name+"="+strconv.Itoa(count))
		}
	}
	if there, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(there) > 0 {
		return nil, fmt.Errorf("ceph: %s holds something already, wanted a directory that is empty or not there", dir)
	}
	if err := unpack(dir); err != nil {
		return nil, err
	}
	if !o.Keep {
		if c.guard, err = c.watch(); err != nil {
			return nil, err
		}
	}
	if _, err = c.run(ctx, "init"); err == nil {
		err = c.read()
	}
	if err != nil {
		c.Destroy() // what went wrong first is what is worth knowing
		return nil, err
	}
	return c, nil
}

// A guard is a process that destroys the cluster when this one is gone: it waits
// for the end of a pipe, which the kernel closes for the dead.
type guard struct {
	process *exec.Cmd
	pipe    io.Closer
}

func (c *Cluster) watch() (*guard, error) {
	process := c.script(context.Background(), "guard")
	pipe, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("ceph: guard of %s: %w", c.dir, err)
	}
	return &guard{process, pipe}, nil
}

// end lets the guard go after the cluster has been destroyed.
func (g *guard) end() error {
	if g == nil || g.process.ProcessState != nil {
		return nil
	}
	g.pipe.Close()
	return g.process.Wait()
}
