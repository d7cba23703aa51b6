package fallback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// pulse is how Ceph feels from here, by round trips of this instance's own.
// Store.mu guards it.
type pulse struct {
	begun time.Duration // when the first round trip began
	good  time.Duration // when the last round trip that worked began
	since time.Duration // when the first of the unbroken row of them began
	bad   bool          // the last one failed
}

// down says whether no round trip has worked for longer than limit. One that
// hangs is one that has not worked.
func (p pulse) down(now, limit time.Duration) bool {
	return p.begun > 0 && now-max(p.good, p.begun) > limit
}

// back says whether every round trip has worked for limit.
func (p pulse) back(now, limit, stale time.Duration) bool {
	return p.good > 0 && !p.bad && now-p.since >= limit && now-p.good <= stale
}

// beat takes in a round trip that began at before.
func (p *pulse) beat(before time.Duration, err error) {
	if err != nil {
		p.bad = true
		return
	}
	if p.bad || p.good == 0 {
		p.since = before
	}
	p.good, p.bad = before, false
}

// pulses is how many records the round trips use in turn: more than one, because
// Ceph can be there for one object and not for another.
const pulses = 4

// feel makes round trips to Ceph until the store is closed.
func (s *Store) feel() {
	tags := map[string]string{}
	for n := 0; s.ctx.Err() == nil; n++ {
		s.touch(s.ctx, fmt.Sprintf("pulse/%s/%d", url.PathEscape(s.cfg.Instance), n%pulses), tags)
		s.sleep(s.renew, nil)
	}
}

// touch makes one round trip and notes how it went.
func (s *Store) touch(ctx context.Context, name string, tags map[string]string) {
	before := s.clock.Now()
	s.mu.Lock()
	if s.pulse.begun == 0 {
		s.pulse.begun = max(before, 1)
	}
	s.mu.Unlock()
	err := s.roundTrip(ctx, name, tags)
	s.mu.Lock()
	defer s.mu.Unlock()
	if (err != nil) != s.pulse.bad {
		s.log.Info("fall-back: round trip to Ceph", "works", err == nil, "error", err)
	}
	s.pulse.beat(before, err)
}

// roundTrip writes one record in Ceph. tags are those of the last ones.
func (s *Store) roundTrip(ctx context.Context, name string, tags map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.TripAfter)
	defer cancel()
	if h := s.home.Health(ctx); h.State == store.Down {
		return fmt.Errorf("%w: %s", store.ErrUnavailable, h.Reason)
	}
	records := s.home.Records()
	if tags[name] == "" {
		_, tag, err := records.Read(ctx, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		tags[name] = tag
	}
	value, err := json.Marshal(nonce())
	if err != nil {
		return err
	}
	tag, err := records.Write(ctx, name, value, tags[name])
	if tags[name] = tag; errors.Is(err, versioned.ErrMoved) {
		return nil // an answer, too: a late write of before was there
	}
	return err
}
