package certs

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"
)

const leaseKey = "issuer+lease"

// lease elects the one instance that talks to the authority. It is an entry of
// the shared cache that only a conditional write changes, and it is limited in
// time: the holder writes a new version every third of its length, and whoever
// has watched the same version for the whole length may take it. That compares
// no two machines' clocks: each instance only measures how long it has watched.
//
// A holder that cannot write stops by itself after four fifths of the length,
// before anybody else may start.
type lease struct {
	vault  *vault
	me     string
	length time.Duration
	logger *slog.Logger

	watched string // version of another holder, and since when it is the same
	since   time.Time
}

// record is the entry: who holds the lease, and which names rest after failures.
// It is never deleted, so it also tells a wrong fleet key from an empty cache.
type record struct {
	Holder  string          `json:"holder"`
	Beat    int             `json:"beat"`
	Resting map[string]rest `json:"resting,omitempty"`
}

// rest keeps the whole fleet from repeating what the authority just refused:
// limits on failures are per name, not per instance.
type rest struct {
	Failures int       `json:"failures"`
	Until    time.Time `json:"until"`
	Why      string    `json:"why"`
}

func newLease(v *vault, instance string, length time.Duration, logger *slog.Logger) *lease {
	// The random part tells an instance from its own former life.
	return &lease{vault: v, me: instance + " " + rand.Text()[:8], length: length, logger: logger}
}

// look reads the record; a missing one is free and has version "".
func (l *lease) look(ctx context.Context) (record, string, error) {
	content, version, err := l.vault.get(ctx, leaseKey)
	if none, err := missing(err); none || err != nil {
		return record{}, "", err
	}
	var r record
	if err := json.Unmarshal(content, &r); err != nil {
		return record{}, "", fmt.Errorf("lease: %w", err)
	}
	return r, version, nil
}

// waiting is the reason for having no certificate yet when nothing is wrong.
type waiting string

func (w waiting) Error() string { return string(w) }

// forget starts the watch again: while the shared cache is down a holder cannot
// write, and must not be taken for dead right after.
func (l *lease) forget() { l.watched = "" }

// take tries to become the holder, given what look returned. The error says who
// holds it.
func (l *lease) take(ctx context.Context, r record, version string) (*term, error) {
	if r.Holder != "" && r.Holder != l.me {
		if l.watched != version {
			l.watched, l.since = version, time.Now()
		}
		if time.Since(l.since) < l.length {
			return nil, waiting("instance " + r.Holder + " is obtaining it")
		}
		l.logger.Warn("taking the certificate lease from an instance that stopped", "holder", r.Holder)
	}
	began := time.Now()
	r.Holder, r.Beat = l.me, r.Beat+1
	version, err := l.write(ctx, r, version)
	if errors.Is(err, ErrChanged) {
		return nil, waiting("another instance is obtaining it")
	}
	if err != nil {
		return nil, err
	}
	l.watched = ""
	t := &term{lease: l, record: r, version: version}
	t.Context, t.end = context.WithCancelCause(ctx)
	t.expiry = time.AfterFunc(time.Until(began.Add(l.length*4/5)), func() { t.end(errLeaseLost) })
	t.running.Go(t.beat)
	return t, nil
}

func (l *lease) write(ctx context.Context, r record, version string) (string, error) {
	content, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	return l.vault.swap(ctx, leaseKey, version, content)
}

var errLeaseLost = errors.New("the lease was lost: the shared cache did not take its renewal in time")

// term is one holder's time in office, as a context that ends when the lease is
// lost. Whoever has it calls retire.
type term struct {
	context.Context
	lease   *lease
	end     context.CancelCauseFunc
	expiry  *time.Timer
	running sync.WaitGroup

	// Only beat changes these while it runs, only retire after it.
	record  record
	version string
}

// beat renews the lease until the term ends.
func (t *term) beat() {
	tick := time.NewTicker(t.lease.length / 3)
	defer tick.Stop()
	for {
		select {
		case <-t.Done():
			return
		case <-tick.C:
		}
		began := time.Now()
		err := t.renew()
		switch {
		case err == nil:
			t.expiry.Reset(time.Until(began.Add(t.lease.length * 4 / 5)))
		case errors.Is(err, ErrChanged):
			t.end(errLeaseLost)
		default: // the next beat, or expiry, decides
			t.lease.logger.Warn("the certificate lease was not renewed", "error", err)
		}
	}
}

func (t *term) renew() error {
	next := t.record
	next.Beat++
	version, err := t.lease.write(t, next, t.version)
	if errors.Is(err, ErrChanged) {
		// Perhaps an earlier write of ours that seemed to have failed.
		found, at, lookErr := t.lease.look(t)
		if lookErr != nil {
			return lookErr
		}
		if found.Holder != t.lease.me {
			return err
		}
		t.record, t.version = found, at
		return t.renew()
	}
	if err == nil {
		t.record, t.version = next, version
	}
	return err
}

// stop ends the work of the term and waits for its goroutine. The lease stays
// with this instance until retire, or until it runs out.
func (t *term) stop() {
	t.end(context.Canceled)
	t.expiry.Stop()
	t.running.Wait()
}

// retire stops and hands the lease back, with the names that now rest. Nothing
// interrupts it but the vault's own limit: a lease that is not handed back makes
// the next issuer wait. A term that has lost its lease hands nothing back.
func (t *term) retire(resting map[string]rest) {
	lost := errors.Is(context.Cause(t), errLeaseLost)
	t.stop()
	if lost {
		return
	}
	ctx := context.Background()
	free := record{Beat: t.record.Beat + 1, Resting: maps.Clone(resting)}
	_, err := t.lease.write(ctx, free, t.version)
	if errors.Is(err, ErrChanged) {
		found, version, lookErr := t.lease.look(ctx)
		if lookErr == nil && found.Holder != t.lease.me {
			return // it ran out and is another's
		}
		// The last beat was interrupted, but written.
		_, err = t.lease.write(ctx, free, version)
	}
	if err != nil {
		t.lease.logger.Warn("the certificate lease was not handed back and has to run out", "error", err)
	}
}
