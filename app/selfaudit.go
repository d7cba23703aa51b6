package main

import (
	"context"
	"log/slog"
	"sync"

	"bogops/app/selfaudit"
	"bogops/app/store"
	"bogops/app/telemetry"
)

// auditStore returns s watched by an audit that runs until ctx ends, which is
// when the drain begins, or the returned function is called. It reads past what
// measures the requests' own operations: raw is below that.
func auditStore(ctx context.Context, cfg Config, raw, s store.Store, t *telemetry.Telemetry, log *slog.Logger) (store.Store, func()) {
	if cfg.AuditRate == 0 {
		return s, func() {}
	}
	auditor := selfaudit.New(selfaudit.Config{
		Store: raw, Rate: cfg.AuditRate, Logger: log,
		// Memory is nobody else's, whatever the settings say.
		Alone: cfg.StoreAlone || raw.Describe().Kind == "memory",
	})
	t.Register(telemetry.Audit(auditor.Numbers))
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { auditor.Run(ctx) })
	return auditor.Watch(s), func() { cancel(); running.Wait() }
}
