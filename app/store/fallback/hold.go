package fallback

import (
	"context"
	"fmt"
	"time"

	"bogops/app/store"
)

// begin waits until an epoch is served here, for a while and not with too many
// others, and starts an operation under it. The caller ends it.
func (s *Store) begin(ctx context.Context) (*operation, error) {
	deadline := s.clock.Now() + s.cfg.HoldFor
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.mu.Lock()
		now := s.clock.Now()
		if t := s.lease.serving(now); t != nil && !s.closed {
			op := s.start(ctx, t)
			s.mu.Unlock()
			return op, nil
		}
		changed, err := s.changed, s.mayHold(now, deadline)
		if err == nil {
			s.held++
		}
		s.mu.Unlock()
		if err != nil {
			return nil, err
		}
		err = s.hold(ctx, changed, deadline-now)
		if err != nil {
			return nil, err
		}
	}
}

// mayHold says whether a request may wait for the end of the wait: not where
// that cannot come in time. The caller holds mu.
func (s *Store) mayHold(now, deadline time.Duration) error {
	l := &s.lease
	hopeless := s.closed || now >= deadline || l.known.Epoch > 0 && (now >= l.expiry || l.waitUntil > deadline)
	switch {
	case hopeless:
		return fmt.Errorf("%w: %s", store.ErrUnavailable, s.why(now))
	case s.held >= s.cfg.MaxHeld:
		return fmt.Errorf("%w: %d requests wait already: %s", store.ErrUnavailable, s.held, s.why(now))
	}
	return nil
}

func (s *Store) hold(ctx context.Context, changed <-chan struct{}, most time.Duration) error {
	timer, stop := s.clock.Timer(most)
	defer stop()
	defer func() {
		s.mu.Lock()
		s.held--
		s.mu.Unlock()
	}()
	select {
	case <-changed:
	case <-timer:
	case <-ctx.Done():
	}
	return ctx.Err()
}
