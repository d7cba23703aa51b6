package radosstore

import (
	"context"
	"time"

	"bogops/app/store"
)

// Home is a Ceph pool as the place where objects belong. It can be used at
// once: until the cluster is reached calls fail with store.ErrUnavailable.
type Home struct {
	cfg     Config
	pool    pool
	buffers *buffers
	now     func() time.Time

	index     *index
	listing   *lister
	uploads   *uploads
	collector *collector
	chores    chores
}

// Open returns the pool that cfg names, and connects to it in the background
// until Close. A binary that was built without the tag ceph returns an error.
func Open(cfg Config) (*Home, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	p, err := dial(cfg)
	if err != nil {
		return nil, err
	}
	h := newHome(cfg, p)
	h.beginChores()
	return h, nil
}

func newHome(cfg Config, p pool) *Home {
	h := &Home{
		cfg: cfg, pool: p, now: time.Now,
		buffers: newBuffers(cfg.Bytes, cfg.Waiting),
	}
	clock := func() time.Time { return h.now() }
	h.index = newIndex(p, cfg.IndexShards, cfg.Stale, clock)
	h.listing = &lister{index: h.index, look: h.Head}
	h.uploads = newUploads(p, clock)
	h.collector = newCollector(h, cfg.Grace, cfg.Retention)
	return h
}

// Describe implements store.Store.
func (h *Home) Describe() store.Description {
	return store.Description{Kind: "ceph", Durable: true, InFlight: h.cfg.InFlight}
}

// Health says how the last round trip through the pool went, and whether
// operations time out. It does not wait.
func (h *Home) Health(context.Context) store.Health { return h.pool.health(h.now()) }

// Address implements versioned.Home.
func (h *Home) Address() (string, error) { return h.pool.address() }

// Blocklist implements versioned.Home. It returns when the monitors have agreed.
// OSDs hear of it one after the other, but none answers this instance any more
// before it has: so whatever this instance does to an object afterwards, nothing
// of the other one comes after that.
func (h *Home) Blocklist(ctx context.Context, address string) error {
	return h.pool.blocklist(ctx, address)
}

// Close waits for every operation that was begun, also for those whose callers
// have gone; each ends by its time-out. Readers that Open returned fail afterwards.
func (h *Home) Close() error {
	h.endChores()
	return h.pool.close()
}
