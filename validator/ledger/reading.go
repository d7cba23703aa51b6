package ledger

import "slices"

// Class is what a read of a whole version means.
type Class string

// The classes of a read.
const (
	Right   Class = "ok"
	Stale   Class = "stale"   // a version that an acknowledged write has replaced
	Lost    Class = "lost"    // no object, and one must be there
	Foreign Class = "foreign" // a version that was never written, or was refused
)

// Reading is a read of one key from just before it is sent. What was lawful at
// any moment from then on is a right answer to it: a write that is acknowledged
// while the read is under way may be seen or not.
type Reading struct {
	ledger *Ledger
	key    string
	begun  uint64
}

// Read begins a reading of key.
func (l *Ledger) Read(key string) Reading {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Reading{l, key, l.changes}
}

// Lawful returns the versions that are right answers to a read of key now,
// the newest write first.
func (l *Ledger) Lawful(key string) []Version { return l.Read(key).Lawful() }

// Judge says what it means that a read of key now gave the whole version got,
// or no object where got is 0.
func (l *Ledger) Judge(key string, got uint64) Class { return l.Read(key).Judge(got) }

// Lawful returns the versions that are right answers so far, the newest write
// first.
func (r Reading) Lawful() []Version {
	lawful, _ := r.versions()
	return lawful
}

// Past returns the versions that are right answers no more, the last replaced
// first: what a stale answer may hold.
func (r Reading) Past() []Version {
	_, past := r.versions()
	return past
}

func (r Reading) versions() (lawful, replaced []Version) {
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	e := r.ledger.keys[r.key]
	if e == nil {
		return []Version{{}}, nil
	}
	for _, w := range slices.Backward(e.lawful) {
		lawful = append(lawful, w.Version)
	}
	for _, p := range slices.Backward(e.past) {
		switch {
		case p.at > r.begun:
			lawful = append(lawful, p.Version)
		case !p.never:
			replaced = append(replaced, p.Version)
		}
	}
	return lawful, replaced
}

// Judge says what it means that the reading gave the whole version got, or no
// object where got is 0.
func (r Reading) Judge(got uint64) Class {
	is := func(v Version) bool { return v.Number == got }
	lawful, replaced := r.versions()
	switch {
	case slices.ContainsFunc(lawful, is):
		return Right
	case got == 0:
		return Lost
	case slices.ContainsFunc(replaced, is):
		return Stale
	case r.forgotten(got):
		return Right
	}
	return Foreign
}

// forgotten reports whether the write of got may have begun in the moment
// before a crash of the judge, which then lost its line.
func (r Reading) forgotten(got uint64) bool {
	r.ledger.mu.Lock()
	defer r.ledger.mu.Unlock()
	e := r.ledger.keys[r.key]
	refused := e != nil && slices.ContainsFunc(e.past, func(p past) bool { return p.Number == got })
	return r.ledger.resumed && !refused
}
