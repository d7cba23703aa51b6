package radosstore

import (
	"context"
	"errors"
	"sync"
)

// edit is one thing to do to a shard.
type edit struct {
	name   string
	value  []byte  // nil: take the entry away
	lazy   bool    // nobody waits for it
	fenced bool    // it holds only while the shard's fence is the one below
	fence  uint64  //
	ticket *ticket // who waits for it; nil: nobody
}

// ticket is how a writer waits for its entry.
type ticket struct {
	done chan struct{}
	err  error
}

func (t *ticket) wait(ctx context.Context) error {
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fenceTries is how often a batch is sent while others move the fence of its
// shard. Each time a removal has got on, and one takes several times as long.
const fenceTries = 16

// What is queued for a shard leaves in operations of up to maxBatch changes, and
// beyond maxLazy what nobody waits for is forgotten.
const (
	maxBatch = 256
	maxLazy  = 4096
)

// shard is this process's side of one shard of the index. One operation at
// a time is on its way; what comes meanwhile leaves together with the next, so
// a crowd of writers shares operations, and settling costs none of its own.
type shard struct {
	object string

	mu     sync.Mutex
	fence  uint64 // as last seen; a wrong one costs a round trip
	queued []edit
	names  map[string]int // where in queued a name is; the later change of a name takes the place of the earlier
	urgent int            // changes that somebody waits for, or a flush
	flying bool
}

// add queues c, and reports whether the caller is to start a flight.
func (s *shard) add(c edit) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.put(c) {
		return false
	}
	if !c.lazy {
		s.urgent++
	}
	return s.start()
}

func (s *shard) put(c edit) bool {
	at, known := s.names[c.name]
	switch {
	case known && s.queued[at].ticket == nil:
		s.queued[at] = c
	case c.lazy && len(s.queued) >= maxLazy:
		return false
	default:
		s.names[c.name] = len(s.queued)
		s.queued = append(s.queued, c)
	}
	return true
}

// hurry asks for all that is queued to be sent, and reports whether the caller
// is to start a flight.
func (s *shard) hurry() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.urgent = max(s.urgent, len(s.queued))
	return s.start()
}

func (s *shard) start() bool {
	if s.flying || s.urgent == 0 {
		return false
	}
	s.flying = true
	return true
}

// take returns the next batch; none where nothing urgent is left, and then the
// flight is over. Of two changes of one name the later begins a new batch.
func (s *shard) take() []edit {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.urgent == 0 || len(s.queued) == 0 {
		s.flying, s.urgent = false, 0
		return nil
	}
	n, seen := 0, map[string]bool{}
	for n < len(s.queued) && n < maxBatch && !seen[s.queued[n].name] {
		seen[s.queued[n].name] = true
		n++
	}
	batch := s.queued[:n:n]
	s.queued = s.queued[n:]
	s.urgent = max(0, s.urgent-n)
	clear(s.names)
	for at, c := range s.queued {
		s.names[c.name] = at
		if c.ticket != nil {
			s.urgent = max(s.urgent, at+1)
		}
	}
	return batch
}

func (s *shard) seen() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fence
}

// see notes where the fence is. It goes down only where the shard was lost.
func (s *shard) see(fence uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fence = fence
}

// fly sends batch after batch until nothing urgent is left.
func (x *index) fly(s *shard) {
	for batch := s.take(); batch != nil; batch = s.take() {
		err := x.send(x.life, s, batch)
		for _, c := range batch {
			if c.ticket == nil {
				continue
			}
			if err != nil && x.life.Err() == nil {
				// The head may be there, so the entry should be: again, with
				// the next flush. A pending entry too many does no harm.
				s.add(edit{name: c.name, value: c.value, lazy: true})
			}
			c.ticket.err = err
			close(c.ticket.done)
		}
	}
}

// send carries out a batch under the fence of the shard, without what was
// queued under an older one.
func (x *index) send(ctx context.Context, s *shard, batch []edit) (err error) {
	for range fenceTries {
		fence := s.seen()
		all := fencedEdit{set: map[string][]byte{}}
		for _, one := range batch {
			switch {
			case one.fenced && one.fence != fence:
			case one.value == nil:
				all.drop = append(all.drop, one.name)
			default:
				all.set[one.name] = one.value
			}
		}
		if len(all.set)+len(all.drop) == 0 {
			return nil
		}
		if err = editFenced(ctx, x.pool, s.object, fence, all); !errors.Is(err, errGuard) {
			return err
		}
		now, err := readFence(ctx, x.pool, s.object)
		if err != nil {
			return err
		}
		s.see(now)
	}
	return err
}
