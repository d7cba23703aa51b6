// Package cephfake pretends to be a Ceph cluster, in memory. It stores nothing
// anywhere and proves nothing: it is there so that the judge can be tested
// against clusters and platforms that are wrong in one way.
package cephfake

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"

	"bogops/validator/ceph"
)

// ID is the fsid of every fake, which no real cluster has.
const ID = "00000000-fa1e-fa1e-fa1e-000000000000"

// Pool is the one pool of a fake.
const Pool = "objects"

// Fake is a cluster. Its fields are set before it is used; its methods may be
// called concurrently.
type Fake struct {
	FSID          string
	Health        string
	Monitors      int // in quorum
	OSDs          int // up, each in a CRUSH host and on a machine of its own
	Size, MinSize int
	Domain        string // failure domain of the pool
	OneMachine    bool   // all OSDs tell the same host name
	Frozen        bool   // the pool's statistics never change

	mu      sync.Mutex
	objects map[ceph.Object][]byte
}

// New returns a cluster as CHALLENGE.md wants one.
func New() *Fake {
	return &Fake{FSID: ID, Health: "HEALTH_OK", Monitors: 3, OSDs: 3, Size: 3, MinSize: 2, Domain: "host", objects: map[ceph.Object][]byte{}}
}

// Cluster is the judge's way into the fake, with the organiser's own hand.
func (f *Fake) Cluster() *ceph.Cluster {
	return &ceph.Cluster{Access: f, Mode: "fake", Pool: Pool, Remove: func(_ context.Context, o ceph.Object) error {
		f.Delete(o)
		return nil
	}}
}

// Write stores an object.
func (f *Fake) Write(o ceph.Object, content []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.objects[o] = slices.Clone(content)
}

// Delete removes an object.
func (f *Fake) Delete(o ceph.Object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.objects, o)
}

// Read is that of ceph.Access.
func (f *Fake) Read(_ context.Context, o ceph.Object, at, length int64) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	content, ok := f.objects[o]
	if !ok {
		return nil, ceph.ErrNotFound
	}
	size := int64(len(content))
	at = min(at, size)
	return slices.Clone(content[at:min(at+length, size)]), nil
}

// Close is that of ceph.Access.
func (f *Fake) Close() error { return nil }

// Ask answers in the words of Ceph 16, as far as the judge reads them.
func (f *Fake) Ask(_ context.Context, q ceph.Query) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch q.Prefix {
	case "status":
		return json.Marshal(f.status())
	case "osd dump":
		osds := []any{}
		for i := range f.OSDs {
			osds = append(osds, fields{"osd": i, "up": 1})
		}
		return json.Marshal(fields{"osds": osds, "pools": []any{fields{"pool_name": Pool, "size": f.Size, "min_size": f.MinSize, "crush_rule": 0}}})
	case "osd crush rule dump":
		return json.Marshal([]any{fields{"rule_id": 0, "steps": []any{fields{"op": "take"}, fields{"op": "chooseleaf_firstn", "type": f.Domain}}}})
	case "osd tree":
		return json.Marshal(fields{"nodes": f.tree()})
	case "osd metadata":
		return json.Marshal(f.metadata())
	case "osd map":
		return json.Marshal(f.placement(q))
	case "df":
		return json.Marshal(fields{"pools": []any{fields{"name": Pool, "stats": f.stats()}}})
	}
	return nil, fmt.Errorf("the fake cluster knows no %q", q.Prefix)
}

type fields = map[string]any

func (f *Fake) status() fields {
	names := []string{}
	for i := range f.Monitors {
		names = append(names, fmt.Sprintf("m%d", i))
	}
	return fields{
		"fsid": f.FSID, "health": fields{"status": f.Health, "checks": fields{}}, "quorum_names": names,
		"osdmap": fields{"num_osds": f.OSDs, "num_up_osds": f.OSDs},
		"pgmap":  fields{"num_pgs": 8, "pgs_by_state": []any{fields{"state_name": "active+clean", "count": 8}}},
	}
}

func (f *Fake) tree() []any {
	nodes := []any{}
	for i := range f.OSDs {
		nodes = append(nodes, fields{"id": -2 - i, "type": "host", "children": []int{i}}, fields{"id": i, "type": "osd"})
	}
	return nodes
}

func (f *Fake) metadata() []any {
	osds := []any{}
	for i := range f.OSDs {
		host := fmt.Sprintf("machine-%d", i)
		if f.OneMachine {
			host = "machine"
		}
		osds = append(osds, fields{"id": i, "hostname": host})
	}
	return osds
}

func (f *Fake) placement(q ceph.Query) fields {
	sum := fnv.New32a()
	for _, arg := range q.Args {
		sum.Write([]byte(arg.Value))
	}
	osds := []int{}
	for i := range min(f.Size, f.OSDs) {
		osds = append(osds, i)
	}
	return fields{"pgid": fmt.Sprintf("1.%x", sum.Sum32()%8), "acting": osds}
}

func (f *Fake) stats() fields {
	if f.Frozen {
		return fields{"stored": 0, "objects": 0}
	}
	total := int64(0)
	for _, content := range f.objects {
		total += int64(len(content))
	}
	return fields{"stored": total, "objects": len(f.objects)}
}
