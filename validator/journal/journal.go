package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// ErrClosed is what Append returns after Close, and after a Closed entry.
var ErrClosed = errors.New("journal: closed")

// sink is where lines become durable: a file, or nothing for a journal in
// memory. After an error nothing more is written to it.
type sink interface {
	write(lines []byte) error // returns once lines are durable
	close() error
}

// Journal is an open journal. All methods may be called at the same time from
// several goroutines.
type Journal struct {
	now  func() time.Time
	sink sink

	mu      sync.Mutex
	entries []Entry       // durable, and so visible
	pending []Entry       // chained, on their way to the sink
	last    Entry         // of entries and pending together
	writing bool          // one of the appenders is at the sink
	changed chan struct{} // closed and replaced when entries, failed or closed change
	failed  error         // what the sink said; ends the journal
	closed  bool
}

func newJournal(sink sink, entries []Entry, now func() time.Time) *Journal {
	j := &Journal{now: now, sink: sink, entries: entries, changed: make(chan struct{})}
	j.last = Entry{Hash: genesis}
	if len(entries) > 0 {
		j.last = entries[len(entries)-1]
	}
	return j
}

// Memory returns a journal that is kept nowhere else, with opened as its first
// entry, stamped by the machine's clock.
func Memory(opened Opened) *Journal { return MemoryAt(opened, time.Now) }

// MemoryAt is Memory with a clock.
func MemoryAt(opened Opened, now func() time.Time) *Journal {
	j := newJournal(nowhere{}, nil, now)
	if _, err := j.Append(KindOpened, opened); err != nil {
		panic(err) // only a value that JSON cannot spell: a mistake in the caller's code
	}
	return j
}

type nowhere struct{}

func (nowhere) write([]byte) error { return nil }
func (nowhere) close() error       { return nil }

// Append adds an entry and returns once it is on disk; appenders that come
// together share one sync. payload must be the struct that kind names. After
// an error the entry is not in the journal; where the disk was at fault the
// journal takes no more entries, and every later Append says why.
func (j *Journal) Append(kind Kind, payload any) (Entry, error) {
	if err := fits(kind, payload); err != nil {
		return Entry{}, fmt.Errorf("journal: %w", err)
	}
	data, err := json.Marshal(payload)
	if err != nil {
		return Entry{}, fmt.Errorf("journal: %s: %w", kind, err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	e, err := j.chain(kind, data)
	if err != nil {
		return Entry{}, err
	}
	for uint64(len(j.entries)) < e.Seq {
		if j.failed != nil {
			return Entry{}, j.failed
		}
		if !j.writing {
			j.flush()
			continue
		}
		changed := j.changed
		j.mu.Unlock()
		<-changed
		j.mu.Lock()
	}
	return e, nil
}

// chain makes the next entry and queues it. The caller holds mu.
func (j *Journal) chain(kind Kind, data []byte) (Entry, error) {
	if j.failed != nil {
		return Entry{}, j.failed
	}
	if j.closed || j.last.Kind == KindClosed {
		return Entry{}, ErrClosed
	}
	e := Entry{Seq: j.last.Seq + 1, At: j.now().Round(0).UTC(), Kind: kind, Data: data, Prev: j.last.Hash}
	e.Hash = e.sum()
	j.last = e
	j.pending = append(j.pending, e)
	return e, nil
}

// flush writes all that is pending, the caller's entry among it. The caller
// holds mu, which is free during the write so that others can queue.
func (j *Journal) flush() {
	batch := j.pending
	j.pending, j.writing = nil, true
	j.mu.Unlock()
	var lines []byte
	for _, e := range batch {
		lines = append(lines, e.line()...)
	}
	err := j.sink.write(lines)
	j.mu.Lock()
	j.writing = false
	if err != nil {
		j.failed = err
	} else {
		j.entries = append(j.entries, batch...)
	}
	j.announce()
}

// announce wakes everyone who waits for a change. The caller holds mu.
func (j *Journal) announce() {
	close(j.changed)
	j.changed = make(chan struct{})
}

// Entries returns everything that is on disk, oldest first. It is cheap: the
// slice is shared and must not be written to.
func (j *Journal) Entries() []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries[:len(j.entries):len(j.entries)]
}

// Head returns the hash of the newest entry on disk.
func (j *Journal) Head() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) == 0 {
		return genesis
	}
	return j.entries[len(j.entries)-1].Hash
}

// Close waits for appends under way and gives the file back. Entries, Head and
// Subscribe go on working. Closing twice is no error.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	j.announce()
	for j.failed == nil && (j.writing || len(j.pending) > 0) {
		changed := j.changed
		j.mu.Unlock()
		<-changed
		j.mu.Lock()
	}
	return j.sink.close()
}

// short is a hash as error texts show it.
func short(hash string) string {
	if len(hash) <= 12 {
		return hash
	}
	return strings.ToLower(hash[:12])
}
