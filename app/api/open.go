package api

import (
	"context"
	"io"
	"net/http"
	"slices"
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
// unchanged, or parts; none mean the whole.
func (w reading) choose(info store.Info) (parts []store.Range, unchanged bool, err error) {
	unchanged, err = w.check(info)
	if err != nil || unchanged || w.spans == nil || w.ifRange != "" && w.ifRange != info.ETag {
		return nil, unchanged, err
	}
	parts, ok := partsOf(w.spans, info.Size)
	if !ok {
		return nil, false, newUnsatisfiable(info.Size)
	}
	return parts, false, nil
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
	unchanged bool            // 304: there is no body
	parts     []store.Range   // nil: the whole
	bodies    []io.ReadCloser // of the parts, or one of the whole
}

func (f *opened) close() {
	for _, body := range f.bodies {
		_ = body.Close() // what was read is checked already
	}
	f.bodies = nil
}

// patienceWithChange is how often an object may be replaced while parts of it
// are looked for.
const patienceWithChange = 4

// open finds an object and opens what is wanted of it. A store takes the range
// before it says which object it reads, and the object may be replaced in
// between: so what was opened is judged by the very object that it belongs
// to, and opened again where that one would have wanted other parts. An answer
// never mixes two versions. The caller closes what is opened.
func (o *objects) open(ctx context.Context, key string, w reading) (opened, error) {
	var found opened
	var err error
	held := make([]store.Range, 1, maxSpans)
	known := false
	if held[0], known = w.guess(); known {
		err = o.openParts(ctx, key, held, &found)
	} else {
		found.info, err = o.store.Stat(ctx, key)
	}
	for tries := 0; err == nil; tries++ {
		if tries == patienceWithChange {
			w.spans = nil // Range may always be ignored
		}
		found.parts, found.unchanged, err = w.choose(found.info)
		if err != nil || found.unchanged {
			break
		}
		wanted := found.parts
		if wanted == nil {
			wanted = []store.Range{store.Whole}
		}
		if found.bodies != nil && sameBytes(held, wanted, found.info.Size) {
			known := !w.digest
			if !known {
				known, err = o.know(ctx, key, &found.info)
			}
			if err != nil {
				break
			}
			if known || tries >= patienceWithChange {
				return found, nil
			}
		}
		found.close()
		held = append(held[:0], wanted...)
		err = o.openParts(ctx, key, held, &found)
	}
	found.close()
	return found, w.missing(err)
}

// openParts opens parts of one version, or nothing where it met two.
func (o *objects) openParts(ctx context.Context, key string, parts []store.Range, found *opened) error {
	for i, part := range parts {
		body, info, err := o.store.Get(ctx, key, part)
		if err != nil {
			found.close()
			return err
		}
		found.bodies = append(found.bodies, body)
		if i > 0 && info.ETag != found.info.ETag {
			found.close()
		}
		if found.info = info; found.bodies == nil {
			return nil
		}
	}
	return nil
}

// look is open for HEAD: it finds the object and opens nothing.
func (o *objects) look(ctx context.Context, key string, w reading) (opened, error) {
	var found opened
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

func sameBytes(held, wanted []store.Range, size int64) bool {
	return slices.EqualFunc(held, wanted, func(a, b store.Range) bool {
		aFrom, aTo := a.Clip(size)
		bFrom, bTo := b.Clip(size)
		return aFrom == bFrom && aTo == bTo
	})
}
