// Command app is the reference platform: it keeps objects in a store and
// serves them over HTTP as CHALLENGE.md describes. It needs nothing but its
// settings: every instance is alike, and the store holds all state.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"bogops/app/admit"
	"bogops/app/api"
	"bogops/app/certs"
	"bogops/app/logbuf"
	"bogops/app/telemetry"
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "dev"

// build says what was built: which version, and with what.
func build() string {
	if withCeph {
		return "app " + version + ", can store in Ceph"
	}
	return "app " + version + ", cannot store in Ceph: built without the tag ceph"
}

// Exit codes.
const (
	exitFailure = 1
	exitUsage   = 64 // EX_USAGE of sysexits.h
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once the first signal has begun the drain, a second one kills.
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "app:", err)
		os.Exit(exitCode(err))
	}
}

func exitCode(err error) int {
	var usage usageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailure
}

// run is the whole program: settings, store, certificates, handler, and then
// serving until ctx ends. It logs to stdout as JSON lines and returns once
// everything that it opened is closed again.
func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	cfg, err := parseConfig(args, getenv, stdout)
	if errors.Is(err, errHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	lines := logbuf.New(stdout)
	defer lines.Close()
	log := slog.New(slog.NewJSONHandler(lines.Prompt(), nil)).With("instance", cfg.Instance)
	access := slog.New(slog.NewJSONHandler(lines.Lazy(), nil)).With("instance", cfg.Instance)

	measured := telemetry.New(telemetry.Build{Version: cfg.AppVersion, GoVersion: runtime.Version()})
	stopTracing, err := measured.Trace(ctx, cfg.Instance, cfg.AppVersion, log)
	if err != nil {
		return usageError{err}
	}
	defer stopTracing()
	floor := heapFloor()
	defer runtime.KeepAlive(floor)
	inner, err := openStore(ctx, cfg, log)
	if err != nil {
		return fmt.Errorf("--store %s: %w", cfg.Store, err)
	}
	objects := inner.store
	defer inner.close()
	measured.Register(inner.metrics...)
	locate := telemetry.ObserveLocate(locator(objects), measured)
	objects, stopAudit := auditStore(ctx, cfg, objects, telemetry.Observe(objects, measured), measured, log)
	defer stopAudit()

	source, err := openCertificates(ctx, cfg, log)
	if err != nil {
		return fmt.Errorf("--certs %s: %w", cfg.Certs, err)
	}
	defer source.Close()

	gate := admit.New(admit.Config{Connections: connections(cfg.MaxConnections), InFlight: cfg.MaxInFlight, Bytes: int64(cfg.BodyBudget)})
	s := &server{cfg: cfg, log: log, store: objects, unled: inner.unled, certs: source, gate: gate}
	measured.Register(telemetry.DroppedLines(lines.Dropped), telemetry.Malformed(s.malformed.Load), telemetry.StoreHealth(objects), telemetry.CertificateExpiry(source.Ends), telemetry.Admission(gate.Numbers))
	admin, err := openAdmin(cfg.AdminListen, measured.Admin(s.ready, log), log)
	if err != nil {
		return err
	}
	defer admin.close()
	tokens, stopRotating := rotateTokens(cfg, getenv, log)
	defer stopRotating()
	handler := api.New(api.Config{
		Store:     objects,
		Tokens:    tokens,
		Describe:  describe(cfg, inner, time.Now().UTC()),
		Limits:    api.Limits{Object: int64(cfg.MaxObject), Process: int64(cfg.MaxProcess)},
		Gate:      gate,
		Locate:    locate,
		Logger:    log,
		Ready:     s.ready,
		HSTS:      overTLS(source, cfg.HSTS),
		Handicap:  cfg.Handicap,
		Telemetry: measured,
		Access:    access,
	})
	return s.serve(ctx, handler)
}

// overTLS is hsts where this process serves TLS itself. Elsewhere it is for
// whoever does to say it.
func overTLS(source *certs.Source, hsts time.Duration) time.Duration {
	if source.TLSConfig() == nil {
		return 0
	}
	return hsts
}

// describe returns the platform's description of itself. Of it only the state of
// the store changes while the process lives.
func describe(cfg Config, objects opened, started time.Time) func() api.Description {
	deployed := started
	if at, err := time.Parse(time.RFC3339, cfg.DeployedAt); err == nil {
		deployed = at.UTC()
	}
	d := api.Description{
		Team: cfg.Team, Contest: cfg.Contest, Contract: api.Contract, Level: api.Level,
		Version: cfg.AppVersion, DeployedAt: deployed, Instance: cfg.Instance, StartedAt: started,
		Zone: cfg.Zone, Store: objects.store.Describe().Kind, StoreState: "primary",
		Limits: api.DescriptionLimits{Object: int64(cfg.MaxObject), Process: int64(cfg.MaxProcess)},
	}
	return func() api.Description {
		now := d
		if objects.state != nil {
			now.StoreState = objects.state()
		}
		return now
	}
}
