// Package ledger remembers what a target was asked to keep and what it
// acknowledged, so that a later read can be judged without blaming anyone for
// what the contract allows.
//
// Per key it keeps the set of lawful versions. A write is lawful from before
// it is sent. An acknowledgement removes only versions whose write had ended
// before the acknowledged one began: writes that overlap may end in either
// order. A write without a clear answer stays lawful until such an
// acknowledgement.
package ledger

import (
	"fmt"
	"slices"
	"sync"
)

// Outcome is how a write ended.
type Outcome string

// The outcomes of a write.
const (
	Acknowledged Outcome = "ack"   // the target said that it is kept
	Maybe        Outcome = "maybe" // 5xx, time-out, reset: it takes effect once or never
	Never        Outcome = "never" // refused, or never sent
)

// Version is one state of a key. Number 0 is the absence of an object: what
// was there before the first write, and what a delete leaves.
type Version struct {
	Number uint64
	Size   int64
}

// WriteID names a write from Begin to End.
type WriteID uint64

// Ledger is one team's ledger. It is safe for concurrent use.
type Ledger struct {
	file *file

	mu      sync.Mutex
	clock   uint64 // lines of the file so far: the order of begins and ends
	changes uint64 // removals so far: what a Reading is measured by
	keys    map[string]*entry
	pending map[WriteID]string
	maybes  int
	resumed bool
}

// entry is one key. Lawful is never empty.
type entry struct {
	lawful []write
	past   []past
	acked  bool
}

// write is one write of a key. The first of an entry has begun and ended 0: the
// absence of the object since ever.
type write struct {
	Version
	begun, ended uint64 // by the ledger's clock; ended 0: not yet
}

func (w write) endedBefore(begun uint64) bool {
	return w.ended < begun && (w.ended != 0 || w.begun == 0)
}

// past is a version that is lawful no more since the change at.
type past struct {
	Version
	at    uint64
	never bool // its write was refused
}

func empty() *Ledger {
	return &Ledger{keys: map[string]*entry{}, pending: map[WriteID]string{}}
}

// Begin says that version is about to be written to key. It returns before its
// line is on disk: what a crash forgets here, Open forgives. After an error
// nothing may be sent.
func (l *Ledger) Begin(key string, version uint64, size int64) (WriteID, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := record{Begin: l.clock + 1, Key: key, Version: version, Size: size}
	if _, err := l.file.append(r); err != nil {
		return 0, err
	}
	l.begin(r)
	return WriteID(r.Begin), nil
}

func (l *Ledger) begin(r record) {
	l.clock++
	e := l.keys[r.Key]
	if e == nil {
		e = &entry{lawful: []write{{}}}
		l.keys[r.Key] = e
	}
	e.lawful = append(e.lawful, write{Version: Version{r.Version, r.Size}, begun: r.Begin})
	l.pending[WriteID(r.Begin)] = r.Key
}

// End says how a write ended. It is called when the answer has come, and counts
// from then; but an acknowledgement has its effect, and End returns, only once
// its line is synced to disk, so that a crash of the judge never invents a
// loss. An error is the judge's own.
func (l *Ledger) End(id WriteID, outcome Outcome) error {
	l.mu.Lock()
	key, ok := l.pending[id]
	if !ok {
		l.mu.Unlock()
		return fmt.Errorf("ledger: end of write %d, which is not pending", id)
	}
	batch, err := l.file.append(record{End: uint64(id), Outcome: outcome})
	l.clock++
	l.end(id, outcome)
	l.mu.Unlock()
	if err != nil || outcome != Acknowledged {
		return err
	}
	if err := l.file.wait(batch); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acknowledge(key, uint64(id))
	return nil
}

// end marks the write as ended now. A refused one is lawful no more.
func (l *Ledger) end(id WriteID, outcome Outcome) {
	e := l.keys[l.pending[id]]
	delete(l.pending, id)
	i := slices.IndexFunc(e.lawful, func(w write) bool { return w.begun == uint64(id) })
	e.lawful[i].ended = l.clock
	switch outcome {
	case Maybe:
		l.maybes++
	case Never:
		l.changes++
		e.past = append(e.past, past{e.lawful[i].Version, l.changes, true})
		e.lawful = slices.Delete(e.lawful, i, i+1)
	}
}

// acknowledge removes the versions whose write had ended before begun.
func (l *Ledger) acknowledge(key string, begun uint64) {
	l.changes++
	e := l.keys[key]
	e.acked = true
	e.lawful = slices.DeleteFunc(e.lawful, func(w write) bool {
		if !w.endedBefore(begun) {
			return false
		}
		e.past = append(e.past, past{w.Version, l.changes, false})
		return true
	})
}

// Acknowledged returns, in byte order, the keys that had a write acknowledged.
func (l *Ledger) Acknowledged() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var keys []string
	for key, e := range l.keys {
		if e.acked {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// Has reports whether a write of key was ever acknowledged.
func (l *Ledger) Has(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.keys[key]
	return e != nil && e.acked
}

// Maybe returns how many writes ended without a clear answer.
func (l *Ledger) Maybe() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.maybes
}

// Path is where the ledger's file is.
func (l *Ledger) Path() string { return l.file.f.Name() }
