package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"bogops/validator/board"
	"bogops/validator/ceph"
	"bogops/validator/contest"
	"bogops/validator/day"
	"bogops/validator/evidence"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/redeploy"
	"bogops/validator/target"
)

// serveCmd judges a contest by its file and shows the wall.
type serveCmd struct {
	File   string `arg:"" help:"The contest file."`
	Listen string `default:"127.0.0.1:8080" help:"Address of the wall; port 0 takes a free one."`
	Dir    string `default:"contest" help:"Directory of the journal, the evidence and the ledgers; a journal in it is gone on with."`
}

func (c serveCmd) Run(env *environment) error {
	checked, err := contest.Load(c.File, env.getenv)
	if err != nil {
		return usage(err)
	}
	roots, err := trusted(checked.Trust)
	if err != nil {
		return usage(err)
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return usage(fmt.Errorf("--listen %s: %w", c.Listen, err))
	}
	defer listener.Close()
	return c.judge(env, checked, roots, listener)
}

// trusted is the roots that the platforms' chains may end in.
func trusted(trust contest.Trust) (*x509.CertPool, error) {
	if trust.RehearsalRoot == "" {
		return target.MozillaRoots(), nil
	}
	pem, err := os.ReadFile(trust.RehearsalRoot)
	if err != nil {
		return nil, fmt.Errorf("trust.rehearsal_root: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("trust.rehearsal_root %s: want certificates in PEM", trust.RehearsalRoot)
	}
	return pool, nil
}

// judge opens the journal, then runs the day beside the wall until both end.
func (c serveCmd) judge(env *environment, checked *contest.Contest, roots *x509.CertPool, listener net.Listener) error {
	probes := inPlay(checked)
	kept, proofs, err := c.open(checked, probes)
	if err != nil {
		return err
	}
	defer kept.Close()
	cfg := day.Config{
		Contest: checked, Journal: kept, Probes: probes, Dir: c.Dir, Now: time.Now,
		Env:      probe.Env{Evidence: proofs, Now: time.Now, MinValidity: checked.Trust.MinValidity, Rehearsal: checked.Trust.RehearsalRoot != ""},
		Progress: func(line string) { fmt.Fprintf(env.stderr, "%s  %s\n", time.Now().Format(time.TimeOnly), line) },
	}
	cfg.Env.TimeScale, cfg.Env.OneMachine, cfg.Env.Ceph = checked.Judge.TimeScale, cfg.Env.Rehearsal, map[string]*ceph.Cluster{}
	cfg.Env.Began, cfg.Env.Concourse = checked.Start, map[string]*probe.Concourse{}
	nonces, err := openNonces(env.ctx, c.Dir, checked)
	if err != nil {
		return err
	}
	for _, team := range checked.Teams {
		t := day.NewTarget(team, checked, roots)
		way := ceph.Open(team.Ceph, ceph.Options{Roots: roots, Resolve: t.Address})
		defer way.Close()
		cfg.Env.Ceph[team.ID] = way
		pipeline := openConcourse(team, roots, kept)
		defer pipeline.Close()
		cfg.Env.Concourse[team.ID] = pipeline
		judged := day.Team{Team: team, Target: t, Actions: faults(way, pipeline, t), Deploys: map[string]redeploy.Deploy{"app-deploy": unshown}}
		if l := line(checked, team, t, pipeline.Client, nonces); l != nil {
			judged.Deploys, judged.Desk = map[string]redeploy.Deploy{"app-deploy": l.Deploy}, desk(checked, l)
			defer judged.Desk.Close()
			pipeline.Desk = judged.Desk
		}
		cfg.Teams = append(cfg.Teams, judged)
	}
	wall := board.New(board.Config{Journal: kept, Evidence: proofs.Get, Now: time.Now})
	server := &http.Server{Handler: beside(wall, nonces), ReadHeaderTimeout: 10 * time.Second}
	cfg.Progress("The wall: http://" + listener.Addr().String() + "/")
	if without := unchecked(checked, probes); len(without) > 0 {
		cfg.Progress("In play and not checked by this judge: " + strings.Join(without, ", "))
	}
	for _, why := range []string{blind(checked, ceph.Built), undeployable(checked)} {
		if why != "" {
			cfg.Progress(why)
		}
	}

	group, ctx := errgroup.WithContext(env.ctx)
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve the wall: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		defer server.Close()
		defer wall.Close()
		err := day.Run(ctx, cfg)
		if err == nil {
			cfg.Progress("The day is over; the wall stays up until it is interrupted.")
			<-ctx.Done()
		}
		return err
	})
	switch err := group.Wait(); {
	case errors.Is(err, context.Canceled):
		return nil
	case errors.Is(err, day.ErrMeasure):
		return exitError{exitJudge, err}
	default:
		return err
	}
}

// open creates the journal of the day, or goes on with the one that is there.
func (c serveCmd) open(checked *contest.Contest, probes []probe.Probe) (*journal.Journal, *evidence.Store, error) {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, nil, usage(fmt.Errorf("--dir %s: %w", c.Dir, err))
	}
	dir := checked.Judge.EvidenceDir
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.Dir, dir)
	}
	proofs, err := evidence.Open(dir)
	if err != nil {
		return nil, nil, usage(err)
	}
	checks := make([]journal.Check, len(probes))
	for i, p := range probes {
		checks[i] = p.Check
	}
	opened := checked.Opened(checks, version)
	path := filepath.Join(c.Dir, "journal.jsonl")
	if _, err := os.Stat(path); err == nil {
		kept, err := resume(path, opened)
		return kept, proofs, err
	}
	// Without its journal a ledger is of another day, and the audit would hold
	// its objects against the teams.
	if old, _ := filepath.Glob(filepath.Join(c.Dir, "ledger-*")); len(old) > 0 {
		return nil, nil, usage(fmt.Errorf("--dir %s holds %s and no journal: name another directory, or put the journal back", c.Dir, filepath.Base(old[0])))
	}
	kept, err := journal.Create(path, opened, time.Now)
	return kept, proofs, err
}

// resume goes on with a journal, if it is of this contest and these rules.
func resume(path string, want journal.Opened) (*journal.Journal, error) {
	entries, err := journal.Read(path)
	if err != nil {
		return nil, err
	}
	got, err := journal.Decode[journal.Opened](entries[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if got.Contest != want.Contest || got.RulesHash != want.RulesHash || got.SeedHash != want.SeedHash {
		return nil, usage(fmt.Errorf("%s is the journal of contest %q with other rules or another seed: name another --dir, or put the contest file back", path, got.Contest))
	}
	return journal.Resume(path, time.Now)
}

// unchecked is the bricks in play, and the levels of one, that none of the
// probes looks at: their points leave the sum, which an organiser must know
// before the day.
func unchecked(checked *contest.Contest, probes []probe.Probe) []string {
	var bricks []string
	for _, b := range checked.Bricks {
		if b.InPlay && len(probe.Select(probes, b.ID)) == 0 {
			bricks = append(bricks, b.ID)
		}
		if b.InPlay && b.ID == "api" && b.Level != "" && !slices.Contains(probe.Levels(), b.Level) {
			bricks = append(bricks, "api at "+b.Level)
		}
	}
	return bricks
}

// blind says of which teams a judge without librados cannot see the Ceph, and
// nothing where it can: each of their verdicts would be JUDGE_ERROR, which an
// organiser must know before the day.
func blind(checked *contest.Contest, built bool) string {
	inPlay := slices.ContainsFunc(checked.Bricks, func(b contest.Brick) bool { return b.ID == "ceph" && b.InPlay })
	var unseen []string
	for _, t := range checked.Teams {
		if !built && inPlay && t.Ceph != nil && len(t.Ceph.Monitors) > 0 {
			unseen = append(unseen, t.ID)
		}
	}
	if len(unseen) == 0 {
		return ""
	}
	return "This judge was built without librados and cannot look into the Ceph of " + strings.Join(unseen, ", ") + ": want one from make build where librados-dev is"
}

// inPlay is the checks of the bricks that the contest has in play.
func inPlay(checked *contest.Contest) []probe.Probe {
	level, bricks := probe.Bronze, []string{}
	for _, b := range checked.Bricks {
		if b.InPlay {
			bricks = append(bricks, b.ID)
		}
		if b.ID == "api" && b.Level != "" {
			level = b.Level
		}
	}
	if len(bricks) == 0 {
		return nil
	}
	return probe.Select(probe.All(level), bricks...)
}
