// Package rehearse plays a whole challenge day on one machine: the platforms
// of two teams and of the witness as real processes, certificates from a real
// ACME server, the judge, faults, a redeployment, the audit and the podium.
package rehearse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"bogops/validator/board"
	"bogops/validator/contest"
	"bogops/validator/day"
	"bogops/validator/evidence"
	"bogops/validator/journal"
	"bogops/validator/probe"
)

// Options is what a rehearsal may be told. Out is emptied and then keeps the
// record: journal.jsonl, report.html, evidence, ledgers and logs. Everything
// else the rehearsal makes is gone when Run returns.
type Options struct {
	App     string // path of the reference server's binary
	Out     string
	Listen  string // address of the wall
	Locale  string // en or fr
	Demo    bool   // end by itself after the podium
	Ceph    bool   // put Ceph in play: a real cluster for each platform
	Forge   bool   // put Concourse in play: a real one, in which the teams' pipelines build and deploy what runs
	Source  string // git checkout of the kit, which the teams push; with Forge only
	Version string // of the validator, for the journal
	Self    string // how the validator was called, for the commands it prints
	Stderr  io.Writer
}

// ErrUsage marks what is wrong with the options.
var ErrUsage = errors.New("the options are wrong")

// badOption is a mistake in the options, in one sentence. It is an ErrUsage.
type badOption struct{ error }

func (badOption) Is(target error) bool { return target == ErrUsage }
func (b badOption) Unwrap() error      { return b.error }

func badOptionf(format string, args ...any) error { return badOption{fmt.Errorf(format, args...)} }

// ErrUnexpected says that the day ended and did not go as a rehearsal must.
var ErrUnexpected = errors.New("the day did not go as a rehearsal must")

// ErrInterrupted says that a demo was stopped before it could show anything.
var ErrInterrupted = errors.New("interrupted before the day was over")

// Run plays the day; ctx is the interrupt. A demo returns nil only once the day
// is over and went as it must. Without Demo an interrupt is how a rehearsal is
// ended, at any time: what went wrong in a day that was over is returned then.
func Run(ctx context.Context, opts Options) error {
	r := &rehearsal{Options: opts, began: time.Now()}
	defer r.clean()
	// The port comes first: a mistake there costs no earlier record.
	listener, err := net.Listen("tcp", r.Listen)
	if err != nil {
		return badOptionf("--listen %s: %w", r.Listen, err)
	}
	defer listener.Close()
	err = r.prepare(ctx)
	if ctx.Err() != nil {
		return r.interrupted()
	}
	if err != nil {
		return err
	}
	defer r.openWall(listener)()
	err = r.play(ctx)
	if ctx.Err() != nil {
		return r.interrupted()
	}
	if err != nil {
		return err
	}
	verdict := r.finish()
	if r.Demo {
		return verdict
	}
	if verdict != nil {
		r.say("FAIL %v", verdict)
	}
	r.say("The wall stays up at %s; press Ctrl-C to end.", r.wallURL)
	<-ctx.Done()
	return verdict
}

// interrupted is how an unfinished day ends: as it was asked to, but a demo
// that showed nothing must not look like one that did.
func (r *rehearsal) interrupted() error {
	r.say("Interrupted: the record so far is in %s", r.Out)
	if r.Demo {
		return ErrInterrupted
	}
	return nil
}

// rehearsal is one running rehearsal.
type rehearsal struct {
	Options
	began   time.Time
	work    string // temporary: stores, certificates, keys
	cast    *cast
	journal *journal.Journal
	probes  []probe.Probe
	proofs  *evidence.Store
	board   *board.Board
	wallURL string
	lost    lostObject
	record  *os.File // locked for as long as the rehearsal writes
}

// prepare makes the directories, the ACME server, the witness and the journal.
func (r *rehearsal) prepare(ctx context.Context) error {
	if err := r.directories(); err != nil {
		return err
	}
	if r.Ceph {
		r.say("Starting three Ceph clusters, one for each platform")
	}
	if r.Forge {
		r.say("Starting Concourse, and what the teams' pipelines need around it")
	}
	r.say("Starting the certificate authority and the witness")
	var err error
	if r.cast, err = assemble(ctx, r.App, r.source(), r.work, filepath.Join(r.Out, "logs"), r.Ceph); err != nil {
		return err
	}
	if err := r.cast.enter(ctx, r.cast.member("temoin"), r.say); err != nil {
		return err
	}
	r.cast.script(time.Now().Add(time.Second), r.Locale)
	if r.proofs, err = evidence.Open(filepath.Join(r.Out, "evidence")); err != nil {
		return err
	}
	r.probes = probes(r.cast.contest)
	checks := make([]journal.Check, len(r.probes))
	for i, p := range r.probes {
		checks[i] = p.Check
	}
	opened := r.cast.contest.Opened(checks, r.Version)
	r.journal, err = journal.Create(filepath.Join(r.Out, "journal.jsonl"), opened, time.Now)
	return err
}

// source is what the teams push, and nothing where Concourse is not in play.
func (r *rehearsal) source() string {
	if r.Forge {
		return r.Source
	}
	return ""
}

// patience bounds a check, so that a platform which answers nothing does not
// hold up the ticks of all for as long as it might on the day.
const patience = 3 * tick

// probes is the checks of the bricks that a rehearsal has in play.
func probes(c *contest.Contest) []probe.Probe {
	var inPlay []string
	for _, b := range c.Bricks {
		if b.InPlay {
			inPlay = append(inPlay, b.ID)
		}
	}
	chosen := probe.Select(probe.All(level), inPlay...)
	for i := range chosen {
		chosen[i].Timeout = min(chosen[i].Timeout, patience)
	}
	return chosen
}

// directories checks the binary and lays out the record and the work.
func (r *rehearsal) directories() error {
	if r.Ceph && !cephIsHere() {
		return errNoCeph
	}
	if r.Forge && !(r.Ceph && forgeIsHere()) {
		return errNoForge
	}
	if info, err := os.Stat(r.App); err != nil || info.IsDir() {
		return badOptionf("--app %s: want the reference server's binary (make build puts it beside the validator)", r.App)
	}
	var err error
	if r.record, err = openRecord(r.Out); err != nil {
		return err
	}
	r.work, err = os.MkdirTemp("", "bogops-rehearsal-")
	return err
}

// openWall serves the board on listener and returns what closes it.
func (r *rehearsal) openWall(listener net.Listener) func() {
	r.board = board.New(board.Config{Journal: r.journal, Evidence: r.proofs.Get, Now: time.Now})
	server := &http.Server{Handler: r.board, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends by Close below
	}()
	r.wallURL = "http://" + listener.Addr().String() + "/"
	r.say("The wall: %s", r.wallURL)
	return func() {
		r.board.Close()
		_ = server.Close()
		<-served
	}
}

// play runs the day beside the script that brings the teams in.
func (r *rehearsal) play(ctx context.Context) error {
	teams := r.cast.teams(r.journal.Entries)
	defer r.cast.closePipelines()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.cast.arrive(ctx, r.say) })
	group.Go(func() error {
		return day.Run(ctx, day.Config{
			Contest: r.cast.contest, Journal: r.journal, Teams: teams,
			Probes: r.probes,
			Env: probe.Env{
				Evidence: r.proofs, Now: time.Now, MinValidity: r.cast.contest.Trust.MinValidity, Rehearsal: true, LargeBytes: largeBody, Racers: racers,
				TimeScale: timeScale, Settling: 2 * tick, OneMachine: true, Ceph: r.cast.ways(), Concourse: r.cast.pipelines(), Began: r.began,
			},
			Dir: r.Out, MaxLag: maxLag, Now: time.Now, Progress: func(line string) { r.say("%s", line) },
			LoadStarted: r.loseOne, Epilogue: r.confess,
		})
	})
	return group.Wait()
}

// say prints one line with the time since the beginning.
func (r *rehearsal) say(format string, args ...any) {
	since := time.Since(r.began).Round(time.Second)
	fmt.Fprintf(r.Stderr, "%d:%02d  %s\n", int(since.Minutes()), int(since.Seconds())%60, fmt.Sprintf(format, args...))
}

// clean stops everything and removes the work. It runs in any case.
func (r *rehearsal) clean() {
	if r.cast != nil {
		if err := r.cast.leave(); err != nil {
			r.say("FAIL %v", err)
		}
	}
	if r.journal != nil {
		_ = r.journal.Close()
	}
	if r.work != "" {
		_ = os.RemoveAll(r.work)
	}
	if r.record != nil {
		_ = r.record.Close()
	}
}
