package ceph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Health is how a cluster says it is.
type Health struct {
	FSID     string
	Status   string   // HEALTH_OK, HEALTH_WARN, HEALTH_ERR
	Checks   []string // what is not OK, by name
	Monitors []string // in quorum
	OSDs, Up int
	Clean    bool // every placement group is active+clean
	Active   bool // every placement group can be read and written
}

// Health asks the monitors.
func (c *Cluster) Health(ctx context.Context) (Health, error) {
	var told struct {
		FSID   string `json:"fsid"`
		Health struct {
			Status string                     `json:"status"`
			Checks map[string]json.RawMessage `json:"checks"`
		} `json:"health"`
		Quorum []string `json:"quorum_names"`
		OSDs   struct {
			All int `json:"num_osds"`
			Up  int `json:"num_up_osds"`
		} `json:"osdmap"`
		PGs struct {
			ByState []struct {
				Name  string `json:"state_name"`
				Count int    `json:"count"`
			} `json:"pgs_by_state"`
			All int `json:"num_pgs"`
		} `json:"pgmap"`
	}
	if err := c.ask(ctx, &told, "status"); err != nil {
		return Health{}, err
	}
	if told.FSID == "" || told.Health.Status == "" {
		return Health{}, fmt.Errorf("status: %w: it names no fsid and no health", ErrFailed)
	}
	h := Health{FSID: told.FSID, Status: told.Health.Status, Monitors: told.Quorum, OSDs: told.OSDs.All, Up: told.OSDs.Up}
	for name := range told.Health.Checks {
		h.Checks = append(h.Checks, name)
	}
	slices.Sort(h.Checks)
	active := 0
	for _, state := range told.PGs.ByState {
		h.Clean = h.Clean || state.Name == "active+clean" && state.Count == told.PGs.All
		if slices.Contains(strings.Split(state.Name, "+"), "active") && !strings.Contains(state.Name, "stale") {
			active += state.Count
		}
	}
	h.Active = active == told.PGs.All && active > 0
	return h, nil
}

// Topology is how a cluster is built, for one pool.
type Topology struct {
	FSID          string
	Monitors      int // in quorum
	Up            int // OSDs
	Size, MinSize int // of the pool
	FailureDomain string
	Buckets       int      // failure domains that hold an OSD that is up
	Machines      []string // host names under the OSDs that are up, by themselves told
}

// Topology asks the monitors how the cluster and the pool are built.
func (c *Cluster) Topology(ctx context.Context, pool string) (Topology, error) {
	health, err := c.Health(ctx)
	if err != nil {
		return Topology{}, err
	}
	t := Topology{FSID: health.FSID, Monitors: len(health.Monitors)}
	var dump struct {
		Pools []struct {
			Name    string `json:"pool_name"`
			Size    int    `json:"size"`
			MinSize int    `json:"min_size"`
			Rule    int    `json:"crush_rule"`
		} `json:"pools"`
		OSDs []struct {
			ID int `json:"osd"`
			Up int `json:"up"`
		} `json:"osds"`
	}
	if err := c.ask(ctx, &dump, "osd dump"); err != nil {
		return t, err
	}
	up := map[int]bool{}
	for _, osd := range dump.OSDs {
		up[osd.ID] = osd.Up == 1
		t.Up += osd.Up
	}
	rule := -1
	for _, p := range dump.Pools {
		if p.Name == pool {
			t.Size, t.MinSize, rule = p.Size, p.MinSize, p.Rule
		}
	}
	if rule < 0 {
		return t, fmt.Errorf("pool %q: %w", pool, ErrNotFound)
	}
	return t, errors.Join(c.domain(ctx, &t, rule, up), c.machines(ctx, &t, up))
}

// domain finds what the pool's rule spreads copies over, and how many of those
// hold an OSD that is up.
func (c *Cluster) domain(ctx context.Context, t *Topology, rule int, up map[int]bool) error {
	var rules []struct {
		ID    int `json:"rule_id"`
		Steps []struct {
			Op   string `json:"op"`
			Type string `json:"type"`
		} `json:"steps"`
	}
	if err := c.ask(ctx, &rules, "osd crush rule dump"); err != nil {
		return err
	}
	for _, r := range rules {
		for _, step := range r.Steps {
			if r.ID == rule && step.Type != "" && t.FailureDomain == "" {
				t.FailureDomain = step.Type
			}
		}
	}
	var tree struct {
		Nodes []struct {
			ID       int    `json:"id"`
			Type     string `json:"type"`
			Children []int  `json:"children"`
		} `json:"nodes"`
	}
	if err := c.ask(ctx, &tree, "osd tree"); err != nil {
		return err
	}
	children := map[int][]int{}
	for _, n := range tree.Nodes {
		children[n.ID] = n.Children
	}
	var holds func(id, depth int) bool
	holds = func(id, depth int) bool {
		return up[id] || depth > 0 && slices.ContainsFunc(children[id], func(child int) bool { return holds(child, depth-1) })
	}
	for _, n := range tree.Nodes {
		if n.Type == t.FailureDomain && holds(n.ID, len(tree.Nodes)) {
			t.Buckets++
		}
	}
	return nil
}

// machines finds the machines by what the OSDs themselves tell: a host of CRUSH
// is a name that anybody may give.
func (c *Cluster) machines(ctx context.Context, t *Topology, up map[int]bool) error {
	var osds []struct {
		ID   int    `json:"id"`
		Host string `json:"hostname"`
	}
	if err := c.ask(ctx, &osds, "osd metadata"); err != nil {
		return err
	}
	for _, osd := range osds {
		if up[osd.ID] && osd.Host != "" && !slices.Contains(t.Machines, osd.Host) {
			t.Machines = append(t.Machines, osd.Host)
		}
	}
	slices.Sort(t.Machines)
	return nil
}

// Placement is where CRUSH puts an object.
type Placement struct {
	PG   string `json:"pgid"`
	OSDs []int  `json:"acting"`
}

// Placement asks the monitors where an object belongs.
func (c *Cluster) Placement(ctx context.Context, o Object) (Placement, error) {
	args := []Arg{{"pool", o.Pool}, {"object", o.Name}}
	if o.Namespace != "" {
		args = append(args, Arg{"nspace", o.Namespace})
	}
	var p Placement
	return p, c.ask(ctx, &p, "osd map", args...)
}

// Stored is how many bytes a pool keeps, copies not counted, and in how many
// objects. The monitors learn it every few seconds.
func (c *Cluster) Stored(ctx context.Context, pool string) (bytes, objects int64, err error) {
	var told struct {
		Pools []struct {
			Name  string `json:"name"`
			Stats struct {
				Stored  int64 `json:"stored"`
				Objects int64 `json:"objects"`
			} `json:"stats"`
		} `json:"pools"`
	}
	if err := c.ask(ctx, &told, "df"); err != nil {
		return 0, 0, err
	}
	for _, p := range told.Pools {
		if p.Name == pool {
			return p.Stats.Stored, p.Stats.Objects, nil
		}
	}
	return 0, 0, fmt.Errorf("pool %q: %w", pool, ErrNotFound)
}

func (c *Cluster) ask(ctx context.Context, into any, prefix string, args ...Arg) error {
	answer, err := c.Ask(ctx, Query{prefix, args})
	if err != nil {
		return fmt.Errorf("%s: %w", prefix, err)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("%s: %w: the answer is no JSON as Ceph gives it: %v", prefix, ErrFailed, err)
	}
	return nil
}
