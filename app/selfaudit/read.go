package selfaudit

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"time"

	"golang.org/x/time/rate"

	"bogops/app/store"
)

const pieceLen = 64 << 10 // bytes read at once

// Run audits until ctx ends: at most Rate objects and Bytes bytes a second,
// however busy or idle the server is.
func (a *Auditor) Run(ctx context.Context) {
	objects := rate.NewLimiter(rate.Limit(a.cfg.Rate), 1)
	bytes := rate.NewLimiter(rate.Limit(a.cfg.Bytes), max(pieceLen, a.cfg.Bytes))
	for objects.Wait(ctx) == nil {
		a.Step(ctx, func(n int) error { return bytes.WaitN(ctx, n) })
	}
}

// Step reads one object again and counts what it found. It returns "" where
// there was nothing to read, or where the object was written meanwhile: then
// what was seen proves nothing. Pace is called before n bytes are read; nil
// does not wait.
func (a *Auditor) Step(ctx context.Context, pace func(n int) error) Result {
	e := a.pick()
	if e == nil {
		return ""
	}
	found := a.read(ctx, e, pace)
	if found.result == Lost {
		// A second look: what comes and goes is a fault, but no loss.
		if again := a.read(ctx, e, pace); again.result == "" {
			return ""
		} else if again.result != Lost {
			found = finding{Unconfirmed, found.why}
		}
	}
	return a.conclude(ctx, e, found)
}

// finding is a result and, where it is bad, the reason.
type finding struct {
	result Result
	why    string
}

// conclude counts a finding unless e has been written meanwhile.
func (a *Auditor) conclude(ctx context.Context, e *entry, found finding) Result {
	a.mu.Lock()
	defer a.mu.Unlock()
	if found.result == "" || ctx.Err() != nil || a.entries[e.key] != e || a.flights[e.key] != nil {
		return ""
	}
	a.found[found.result]++
	switch found.result {
	case Verified, Unreadable, Unconfirmed:
	default:
		a.forget(e) // told once
	}
	about := []any{"etag", e.etag, "key", store.Fingerprint(e.key), "size", e.size,
		"acknowledged", e.modified.UTC().Format(time.RFC3339Nano), "why", found.why}
	switch found.result {
	case Lost:
		a.cfg.Logger.Error("audit: an acknowledged object is lost", about...)
	case Unreadable:
		if !a.blind { // a store that is down would fill the log
			a.cfg.Logger.Warn("audit: objects cannot be read", about...)
		}
	case Older, Unconfirmed:
		a.cfg.Logger.Warn("audit: "+string(found.result), about...)
	}
	a.blind = found.result == Unreadable
	return found.result
}

// read compares what the store holds with e.
func (a *Auditor) read(ctx context.Context, e *entry, pace func(int) error) finding {
	body, info, err := a.cfg.Store.Get(ctx, e.key, store.Whole)
	switch {
	case errors.Is(err, store.ErrNotFound) && a.cfg.Alone:
		return finding{Lost, "nothing is there, and nobody has deleted it"}
	case errors.Is(err, store.ErrNotFound):
		return finding{Absent, ""}
	case err != nil:
		return failed(ctx, err)
	}
	defer body.Close()
	if info.ETag != e.etag {
		return a.other(e, version{info.ETag, info.Modified})
	}
	sum, read := sha256.New(), int64(0)
	piece := make([]byte, min(pieceLen, max(e.size, 1)+1))
	for {
		if pace != nil {
			if err := pace(len(piece)); err != nil {
				return finding{}
			}
		}
		n, err := body.Read(piece)
		sum.Write(piece[:n])
		read += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return failed(ctx, err)
		}
	}
	switch {
	case read != e.size:
		return finding{Lost, "it has not as many bytes as were acknowledged"}
	case [sha256.Size]byte(sum.Sum(nil)) != e.sum:
		return finding{Lost, "its bytes are not those that were acknowledged"}
	}
	return finding{Verified, ""}
}

// failed judges an error. A store that knows its object to be damaged has lost
// it; any other error may pass.
func failed(ctx context.Context, err error) finding {
	switch {
	case ctx.Err() != nil:
		return finding{}
	case errors.Is(err, store.ErrDamaged):
		return finding{Lost, "the store says that it is damaged"}
	}
	return finding{Unreadable, "the store gave an error"}
}

// other judges a version that this instance did not leave there. That it says
// to be older proves nothing by itself: clocks of several machines differ. That
// it is the very write which ours replaced proves it.
func (a *Auditor) other(e *entry, now version) finding {
	back := now.etag == e.before.etag && now.modified.Equal(e.before.modified) && now.modified.Before(e.modified)
	switch {
	case back:
		return finding{Lost, "the version before it is back"}
	case a.cfg.Alone:
		return finding{Lost, "another version is there, and nobody has written it"}
	case now.modified.Before(e.modified):
		return finding{Older, "another version is there that says it is older: a loss, or a clock that is wrong"}
	}
	return finding{Superseded, ""}
}
