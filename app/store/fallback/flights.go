package fallback

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// mostUnknown is how many keys a health record names. Beyond it this instance
// never again reports that nothing is under way, and tombstones stay until it
// has ended.
const mostUnknown = 512

// flights counts what is under way by the round it began in, for the removal of
// tombstones. Store.mu guards it.
type flights struct {
	round   uint64         // the last one that this instance has seen
	begun   map[uint64]int // by round; no zeros
	unknown []string       // marks of the keys of writes that may land where nothing is
	more    bool           // than mostUnknown
}

func (f *flights) begin() (round uint64) {
	f.begun[f.round]++
	return f.round
}

func (f *flights) end(round uint64) {
	if f.begun[round]--; f.begun[round] == 0 {
		delete(f.begun, round)
	}
}

// see notes that a round has begun: what begins from now on knows of every
// tombstone that was found before.
func (f *flights) see(round uint64) { f.round = max(f.round, round) }

// cleared is the last round before which nothing began that is still under way.
func (f *flights) cleared() uint64 {
	if f.more {
		return 0
	}
	cleared := f.round
	for round := range f.begun {
		cleared = min(cleared, round)
	}
	return cleared
}

// doubt notes a write of key whose outcome is unknown, and that can still land
// once the key holds nothing. One over a head needs no note: heads are never
// the same again, and only "nothing" comes back, when a tombstone is removed.
func (f *flights) doubt(key string) {
	m := mark(key)
	switch {
	case slices.Contains(f.unknown, m):
	case len(f.unknown) == mostUnknown:
		f.more = true
	default:
		f.unknown = append(f.unknown, m)
	}
}

// mark stands for a key in a health record.
func mark(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:8])
}
