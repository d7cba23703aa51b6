package certs

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"
)

// firstLook loads what is there already. It fails where the fleet key does not
// fit, and where there is no directory to share and no local copy to serve
// meanwhile: that is a mistake in the settings. Any other cache that is down is
// waited for in the background.
func (f *fleet) firstLook(ctx context.Context) error {
	if f.local != nil {
		for _, name := range f.names {
			cert, err := f.read(ctx, f.local, name)
			if errors.Is(err, errSealed) {
				return fmt.Errorf("local copy: %w", err)
			}
			if err == nil && cert != nil {
				f.hold(name, cert)
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, f.pace.store)
	defer cancel()
	err := f.refresh(ctx)
	switch absent := errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR); {
	case errors.Is(err, errSealed):
		return fmt.Errorf("shared cache: %w", err)
	case absent && len(f.snapshot()) == 0:
		return fmt.Errorf("%w; want an existing directory that the whole fleet shares", err)
	}
	f.note(err)
	return nil
}

// keep takes a turn now and then until ctx ends: often while a certificate is
// missing or about to end, rarely while all is well.
func (f *fleet) keep(ctx context.Context, settled time.Time) {
	f.listen(ctx, settled)
	for ctx.Err() == nil {
		if err := f.turn(ctx); ctx.Err() == nil {
			f.note(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(f.pause()):
		}
	}
}

// listen waits until this instance can be asked a challenge: until a client has
// been heard, or for long enough that the server must have started. An order
// made earlier would fail and cost another one.
func (f *fleet) listen(ctx context.Context, settled time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.heard:
			return
		case <-time.After(min(f.pace.urgent, max(0, time.Until(settled)))):
		}
		if time.Now().After(settled) {
			return
		}
		// Another instance may be further.
		f.note(cmp.Or(f.refresh(ctx), error(waiting("waiting until the server listens"))))
	}
}

// turn brings memory and shared cache up to date, and gets what is due if the
// lease is to be had.
func (f *fleet) turn(ctx context.Context) error {
	if err := f.refresh(ctx); err != nil {
		f.lease.forget()
		return err
	}
	due := f.due()
	if len(due) == 0 {
		return nil
	}
	found, version, err := f.lease.look(ctx)
	if err != nil {
		f.lease.forget()
		return unreachable(err)
	}
	if due, err = f.awake(due, found.Resting); len(due) == 0 {
		return err
	}
	f.term, err = f.lease.take(ctx, found, version)
	if err != nil {
		return err
	}
	resting := maps.Clone(found.Resting)
	if resting == nil {
		resting = map[string]rest{}
	}
	err = f.issue(resting)
	if ctx.Err() != nil {
		f.term.stop() // close hands the lease back, if it is called
		return ctx.Err()
	}
	f.term.retire(resting)
	f.term = nil
	return err
}

// issue gets every certificate that is still due, now that this instance holds
// the lease: the one before may just have brought it.
func (f *fleet) issue(resting map[string]rest) error {
	if err := f.refresh(f.term); err != nil {
		return err
	}
	due, failed := f.awake(f.due(), resting)
	for _, name := range due {
		f.logger.Info("ordering a certificate", "name", name, "directory", f.issuer.directory)
		cert, err := f.issuer.obtain(f.term, name, f.overHTTP.Load())
		if err != nil {
			if f.term.Err() != nil {
				return err // interrupted, which says nothing about the name
			}
			n := resting[name].Failures + 1
			until := f.pace.now().Add(restAfter(n, f.pace.rest, err))
			resting[name] = rest{Failures: n, Until: until, Why: err.Error()}
			f.logger.Error("no certificate", "error", err, "failures", n, "next", until)
			failed = errors.Join(failed, err)
			continue
		}
		delete(resting, name)
		f.logger.Info("got a certificate", "name", name, "until", cert.Leaf.NotAfter)
		f.hold(name, cert)
	}
	return errors.Join(failed, f.refresh(f.term)) // shares what was got
}

// refresh takes over what is newer in the shared cache, and shares what is newer
// here: a certificate that was got, or kept in the local copy, while the cache
// was down. The lease's record is read first, as it shows a wrong fleet key
// before anything is written.
func (f *fleet) refresh(ctx context.Context) error {
	if _, _, err := f.lease.look(ctx); err != nil {
		return unreachable(err)
	}
	held := f.snapshot()
	for _, name := range f.names {
		cert, err := f.read(ctx, f.shared, name)
		if err != nil {
			return unreachable(err)
		}
		switch own := held[name]; {
		case cert != nil && newer(cert, own):
			f.hold(name, cert)
		case own != nil && (cert == nil || newer(own, cert)):
			if err := f.write(ctx, f.shared, name, own); err != nil {
				return unreachable(err)
			}
		}
	}
	return nil
}

// unreachable words an error of the shared cache for whoever asks why there is
// no certificate.
func unreachable(err error) error {
	if errors.Is(err, errSealed) {
		return err
	}
	return fmt.Errorf("the shared certificate cache does not answer: %w", err)
}

// read returns the certificate for name in v, nil where there is none.
func (f *fleet) read(ctx context.Context, v *vault, name string) (*tls.Certificate, error) {
	content, _, err := v.get(ctx, name)
	if none, err := missing(err); none || err != nil {
		return nil, err
	}
	return decode(name, content)
}

func (f *fleet) write(ctx context.Context, v *vault, name string, cert *tls.Certificate) error {
	content, err := encode(cert)
	if err != nil {
		return err
	}
	return v.put(ctx, name, content)
}

// hold serves cert from now on. The local copy is a convenience: without it the
// next start needs the shared cache.
func (f *fleet) hold(name string, cert *tls.Certificate) {
	f.mu.Lock()
	f.held[name] = cert
	f.mu.Unlock()
	if f.local == nil {
		return
	}
	if err := f.write(context.Background(), f.local, name, cert); err != nil {
		f.logger.Warn("the local copy of a certificate was not written", "name", name, "error", err)
	}
}

// due returns the names without a certificate, or with one that is to be
// renewed.
func (f *fleet) due() []string {
	held, now := f.snapshot(), f.pace.now()
	var due []string
	for _, name := range f.names {
		if cert := held[name]; cert == nil || !now.Before(renewalTime(cert.Leaf)) {
			due = append(due, name)
		}
	}
	return due
}

// awake returns those of names that do not rest, and an error about those that
// do. A rest that lies further ahead than any was ever meant to is a wrong
// clock's, and is not kept.
func (f *fleet) awake(names []string, resting map[string]rest) ([]string, error) {
	var awake []string
	var asleep error
	now := f.pace.now()
	for _, name := range names {
		r, rests := resting[name]
		if !rests || !now.Before(r.Until) || r.Until.Sub(now) > 7*24*time.Hour {
			awake = append(awake, name)
			continue
		}
		asleep = errors.Join(asleep, fmt.Errorf("attempts that failed: %d, the next one is at %s, the last one: %s",
			r.Failures, r.Until.UTC().Format(time.RFC3339), r.Why))
	}
	return awake, asleep
}

// note remembers why the last turn did not end well, for Ready, and logs a
// trouble once.
func (f *fleet) note(err error) {
	f.mu.Lock()
	before := f.trouble
	f.trouble = err
	f.mu.Unlock()
	if err == nil || (before != nil && before.Error() == err.Error()) {
		return
	}
	if _, normal := err.(waiting); normal {
		f.logger.Info("waiting for a certificate", "why", err)
	} else {
		f.logger.Warn("certificates cannot be kept fresh now", "error", err)
	}
}

// pause is a twentieth of what the shortest certificate still has, within
// limits and with some jitter, so that a fleet does not ask in step.
func (f *fleet) pause() time.Duration {
	held, now := f.snapshot(), f.pace.now()
	shortest := f.pace.calm
	for _, name := range f.names {
		left := time.Duration(0)
		if cert := held[name]; cert != nil {
			left = cert.Leaf.NotAfter.Sub(now)
		}
		shortest = min(shortest, left/20)
	}
	pause := max(shortest, f.pace.urgent)
	return pause + rand.N(pause/5)
}
