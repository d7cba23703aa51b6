package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"bogops/app/store/fallback"
	"bogops/app/store/s3store"
	"bogops/app/store/versioned"
	"bogops/app/telemetry"
)

// openFallback adds to o a store over home and the bucket that --fallback names.
// It closes home where it fails.
func openFallback(ctx context.Context, cfg Config, home versioned.Home, o opened, log *slog.Logger) (opened, error) {
	_, bucket, _ := strings.Cut(cfg.Fallback, ":")
	opts, err := s3Options(cfg, bucket)
	if err != nil {
		home.Close()
		return opened{}, err
	}
	away, err := s3store.NewAway(ctx, opts)
	if err != nil {
		home.Close()
		return opened{}, fmt.Errorf("--fallback %s: %w", cfg.Fallback, err)
	}
	s, err := fallback.Open(ctx, fallback.Config{
		Home: home, Away: away, Instance: cfg.Instance, Lease: cfg.Lease, TripAfter: cfg.TripAfter, BackAfter: cfg.BackAfter,
		NewPool: cfg.NewPool, Logger: log,
	})
	if err != nil {
		away.Close()
		home.Close()
		return opened{}, err
	}
	o.store, o.after = s, away
	o.state = func() string { return storeState(s.State().Mode) }
	o.unled = func() bool { return !s.State().Serving }
	o.metrics = append(o.metrics, telemetry.Fallback(func() telemetry.FallbackNumbers { return fallbackNumbers(s.State()) }))
	return o, nil
}

// storeState is the contract's word for a mode. While none is known, both stores
// may have to be asked, and nothing is served: that is no time to claim Ceph.
func storeState(mode fallback.Mode) string {
	if mode == "" {
		mode = fallback.Reconciling
	}
	return string(mode)
}

func fallbackNumbers(s fallback.State) telemetry.FallbackNumbers {
	return telemetry.FallbackNumbers{
		State: string(s.Mode), Epoch: s.Epoch, Serving: s.Serving, LeaseAge: s.LeaseAge, Held: s.Held,
		Areas: len(s.Areas), Backlog: s.Backlog, OldestAway: s.OldestAway,
	}
}
