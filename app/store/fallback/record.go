package fallback

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"bogops/app/store"
)

// Mode says where objects go. Their words are the contract's.
type Mode string

// The modes of a platform.
const (
	Primary     Mode = "primary"     // everything is in Ceph
	Fallback    Mode = "fallback"    // Ceph is away, writes go to the epoch's area
	Reconciling Mode = "reconciling" // writes go to Ceph, the areas are brought home
)

// The names of the records beside the areas.
const (
	recordName     = "control"
	reconcilerName = "reconciler"
	roundName      = "round"
	instances      = "instances/"
)

// record is the control record: what all instances agree by. Whoever changes
// the mode raises the epoch.
type record struct {
	Epoch   uint64    `json:"epoch"`
	Mode    Mode      `json:"mode"`
	Areas   []uint64  `json:"areas"`   // not yet empty, in order; an area's number is its epoch
	Since   time.Time `json:"since"`   // when the mode began, for people
	By      string    `json:"by"`      // which instance moved it, for people
	Lease   int64     `json:"lease"`   // L in milliseconds, that of every instance
	Lineage string    `json:"lineage"` // drawn when a record is made where there was none
	Nonce   string    `json:"nonce"`   // makes every value unique
}

// same says whether whoever acts under r may act under other.
func (r record) same(other record) bool {
	return r.Epoch == other.Epoch && r.Mode == other.Mode && r.Lineage == other.Lineage
}

// move is r after its mode became m.
func (r record) move(m Mode, by string, at time.Time) record {
	r.Epoch++
	r.Mode, r.By, r.Since = m, by, at
	r.Areas = slices.Clone(r.Areas)
	if m == Fallback {
		r.Areas = append(r.Areas, r.Epoch)
	}
	return r
}

// mayMove says whether the mode moves from r's to m: out from wherever it is
// not out already, and home by way of bringing everything home.
func (r record) mayMove(m Mode) bool {
	switch m {
	case Fallback:
		return r.Mode != Fallback
	case Reconciling:
		return r.Mode == Fallback
	}
	return r.Mode == Reconciling
}

// without is r with an area off the list.
func (r record) without(area uint64) record {
	r.Areas = slices.DeleteFunc(slices.Clone(r.Areas), func(a uint64) bool { return a == area })
	return r
}

// check refuses a record that nobody can have written.
func (r record) check() error {
	switch {
	case r.Epoch == 0 || r.Lineage == "" || r.Lease <= 0:
		return fmt.Errorf("%w: the control record has no epoch, no lineage or no lease", store.ErrDamaged)
	case r.Mode != Primary && r.Mode != Fallback && r.Mode != Reconciling:
		return fmt.Errorf("%w: the control record has mode %q; want %s, %s or %s", store.ErrDamaged, r.Mode, Primary, Fallback, Reconciling)
	case !slices.IsSorted(r.Areas) || len(r.Areas) > 0 && r.Areas[len(r.Areas)-1] > r.Epoch:
		return fmt.Errorf("%w: the control record of epoch %d lists the areas %v; want epochs up to its own, in order", store.ErrDamaged, r.Epoch, r.Areas)
	case (r.Mode == Fallback) != slices.Contains(r.Areas, r.Epoch):
		return fmt.Errorf("%w: the control record of epoch %d in mode %s lists the areas %v; want its own in mode %s only", store.ErrDamaged, r.Epoch, r.Mode, r.Areas, Fallback)
	case r.Mode == Primary && len(r.Areas) > 0:
		return fmt.Errorf("%w: the control record in mode %s lists the areas %v; want none", store.ErrDamaged, r.Mode, r.Areas)
	}
	return nil
}

// nonce is 128 bits that nobody else draws.
func nonce() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program first
	return hex.EncodeToString(b[:])
}

// readRecord reads the control record as it is now.
func (s *Store) readRecord(ctx context.Context) (record, string, error) {
	var r record
	tag, err := s.readJSON(ctx, recordName, &r)
	if err == nil {
		err = r.check()
	}
	return r, tag, err
}

// writeRecord changes the control record, unless it has changed since tag.
func (s *Store) writeRecord(ctx context.Context, r record, tag string) (string, error) {
	r.Nonce = nonce()
	if err := r.check(); err != nil {
		return "", err
	}
	return s.writeJSON(ctx, recordName, r, tag)
}

// readJSON reads a record beside the areas.
func (s *Store) readJSON(ctx context.Context, name string, into any) (tag string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.callTimeout)
	defer cancel()
	value, tag, err := s.away.Read(ctx, name)
	if err != nil {
		return "", err
	}
	if err := json.Unmarshal(value, into); err != nil {
		return "", fmt.Errorf("%w: record %s: %w", store.ErrDamaged, name, err)
	}
	return tag, nil
}

// writeJSON writes a record beside the areas.
func (s *Store) writeJSON(ctx context.Context, name string, value any, tag string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.callTimeout)
	defer cancel()
	text, err := json.Marshal(value)
	if err != nil {
		return "", err
	}
	return s.away.Write(ctx, name, text, tag)
}
