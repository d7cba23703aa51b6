package api

import (
	"context"
	"io"
	"net/http"
	"strings"

	"bogops/app/store"
)

// reading is what a GET or HEAD says of the object it wants.
type reading struct {
	preconditions
	spans   []span // nil: the whole object
	ifRange string // empty: no condition on spans
	digest  bool   // Repr-Digest is wanted
}

func parseReading(header http.Header) (reading, error) {
	p, err := parsePreconditions(header)
	return reading{
		preconditions: p,
		spans:         parseRange(header.Values("Range")),
		ifRange:       strings.Join(header.Values("If-Range"), ","),
		digest:        wantsDigest(header),
	}, err
}

// unsatisfiable is a 416; it knows the size that the answer has to say.
type unsatisfiable struct {
	error
	size int64
}

func newUnsatisfiable(size int64) error {
	return unsatisfiable{refuse(errRange, "The object has %d bytes; no range that was asked for lies in it.", size), size}
}

func (u unsatisfiable) Unwrap() error { return u.error }

// choose decides what the answer holds of an object: nothing, where it is
// unchanged, or a part, which may be store.Whole.
func (w reading) choose(info store.Info) (part store.Range, unchanged bool, err error) {
	unchanged, err = w.check(info)
	if err != nil || unchanged {
		return store.Whole, unchanged, err
	}
	if w.spans == nil || w.ifRange != "" && w.ifRange != info.ETag || len(w.spans) > 1 {
		return store.Whole, false, nil
	}
	s := w.spans[0]
	if !s.satisfiable(info.Size) {
		return store.Whole, false, newUnsatisfiable(info.Size)
	}
	part = s.within(info.Size)
	if part.Length == 0 {
		return store.Whole, false, nil // no Content-Range can say it
	}
	return part, false, nil
}

// guess is the part to ask the store for before anything is known of the
// object; false where it is better to look first.
func (w reading) guess() (store.Range, bool) {
	switch {
	case w.noneMatch != nil || !w.changeSince.IsZero() || w.ifRange != "" || len(w.spans) > 1:
		return store.Whole, false
	case len(w.spans) == 1:
		return w.spans[0].asked()
	}
	return store.Whole, true
}

// opened is an object, as a request wants to have it.
type opened struct {
	info      store.Info
	unchanged bool // 304: there is no body
	part      store.Range
	body      io.ReadCloser
}

// patienceWithChange is how often an object may be replaced while a range of
// it is looked for.
const patienceWithChange = 4

// open finds an object and opens what is wanted of it. A store takes the range
// before it says which object it reads, and the object may be replaced in
// between: so what was opened is judged by the very object that it belongs
// to, and opened again where that one would have wanted another part. An
// answer never mixes two versions.
func (o *objects) open(ctx context.Context, key string, w reading) (opened, error) {
	var found opened
	var err error
	held, known := w.guess()
	if known {
		found.body, found.info, err = o.store.Get(ctx, key, held)
	} else {
		found.info, err = o.store.Stat(ctx, key)
	}
	for tries := 0; err == nil; tries++ {
		if tries == patienceWithChange {
			w.spans = nil // Range may always be ignored
		}
		found.part, found.unchanged, err = w.choose(found.info)
		if err == nil && found.body != nil && !found.unchanged && sameBytes(held, found.part, found.info.Size) {
			known := !w.digest
			if !known {
				known, err = o.know(ctx, key, &found.info)
			}
			if err == nil && (known || tries >= patienceWithChange) {
				return found, nil
			}
		}
		if found.body != nil {
			found.body.Close()
			found.body = nil
		}
		if err != nil || found.unchanged {
			return found, w.missing(err)
		}
		held = found.part
		found.body, found.info, err = o.store.Get(ctx, key, held)
	}
	return found, w.missing(err)
}

// look is open for HEAD: it finds the object and opens nothing.
func (o *objects) look(ctx context.Context, key string, w reading) (opened, error) {
	found := opened{part: store.Whole}
	for tries := 0; ; tries++ {
		var err error
		if found.info, err = o.store.Stat(ctx, key); err != nil {
			return found, w.missing(err)
		}
		if found.unchanged, err = w.check(found.info); err != nil || found.unchanged || !w.digest {
			return found, err
		}
		known, err := o.know(ctx, key, &found.info)
		if known || err != nil || tries == patienceWithChange {
			return found, w.missing(err)
		}
	}
}

func sameBytes(a, b store.Range, size int64) bool {
	aFrom, aTo := a.Clip(size)
	bFrom, bTo := b.Clip(size)
	return aFrom == bFrom && aTo == bTo
}
