package main

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"bogops/app/store/radosstore"
	"bogops/app/telemetry"
)

// openCeph opens a pool, alone or with where to fall back to. It is connected
// to in the background.
func openCeph(ctx context.Context, cfg Config, u storeURL, log *slog.Logger) (opened, error) {
	home, err := radosstore.Open(radosstore.Config{
		Conf: cfg.Ceph.Conf, Monitors: cfg.Ceph.Monitors, User: cfg.Ceph.User,
		KeyFile: cfg.Ceph.KeyFile, Key: cfg.Secrets.CephKey,
		Pool: u.name, Namespace: u.namespace,
		InFlight: cfg.Ceph.InFlight, Bytes: storeBytes(cfg), OpTimeout: cfg.Ceph.Timeout,
		Failed: func(what string, err error) {
			log.Warn("work in the background of the store failed and will be done again", "what", what, "error", err.Error())
		},
	})
	if err != nil {
		return opened{}, err
	}
	o := opened{metrics: []prometheus.Collector{
		telemetry.Ceph(func() telemetry.CephNumbers { return telemetry.CephNumbers(home.Numbers()) }),
		telemetry.CephBackground(func() telemetry.CephChores { return telemetry.CephChores(home.ChoreNumbers()) }),
	}}
	if cfg.Fallback == "" {
		o.store = openUnmarked(home, markEvery)
		return o, nil
	}
	return openFallback(ctx, cfg, home, o, log)
}

// storeBytes is how much of bodies a store across a network may hold at once:
// half as much as the requests themselves may, as librados and the SDK hold
// copies that nobody counts.
func storeBytes(cfg Config) int64 { return max(16<<20, int64(cfg.BodyBudget)/2) }
