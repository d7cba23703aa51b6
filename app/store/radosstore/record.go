package radosstore

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// record is what the registry says of one upload: text, so that it can be read
// with the rados command alone.
type record struct {
	Key      string    `json:"key,omitempty"` // empty: tails that a scrub found, of nobody knows which key
	Started  time.Time `json:"started"`
	Instance string    `json:"instance,omitempty"` // client address of who uploads
	Beat     int       `json:"beat,omitempty"`     // goes up for as long as the upload goes on

	// Armed says that a head with these tails may be on its way, over the head
	// with the guard Base (empty: over nothing) and as this version.
	Armed      bool   `json:"armed,omitempty"`
	Base       []byte `json:"base,omitempty"`
	Epoch      uint64 `json:"epoch,omitempty"`
	Generation uint64 `json:"generation,omitempty"`

	// Confirmed says of a record without a key that a second scrub found no head
	// with these tails either.
	Hash      string `json:"hash,omitempty"` // of the key, as in the names of the tails
	Confirmed bool   `json:"confirmed,omitempty"`
}

func (r record) armed(base, next versioned.Head) record {
	r.Armed, r.Base = true, []byte(base.Guard)
	r.Epoch, r.Generation = next.Version.Epoch, next.Version.Generation
	return r
}

// mayLandOver reports whether the upload's head, if it was sent, would still take
// effect over what is there now.
func (r record) mayLandOver(now versioned.Head) bool {
	return r.Armed && string(r.Base) == now.Guard
}

func (r record) encode() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // of numbers, texts and a time: cannot be
	}
	return b
}

func parseRecord(b []byte) (r record, err error) {
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%w: the record of an upload cannot be read: %w", store.ErrDamaged, err)
	}
	return r, nil
}

// In the omap of its shard a record stands under the draft in hex. The same name
// with doomMark behind it says that the collector has given the draft up: from
// then on it cannot be committed.
const doomMark = "!"

func (d draftID) String() string { return hex.EncodeToString(d[:]) }

func parseDraft(s string) (d draftID, err error) {
	n, err := hex.Decode(d[:], []byte(s[:min(len(s), 2*len(d))]))
	if err != nil || n != len(d) || len(s) != 2*len(d) {
		return draftID{}, fmt.Errorf("%w: %q names no draft", store.ErrDamaged, s)
	}
	return d, nil
}

// registerShards is how many omaps the registry is spread over, by the first
// byte of the draft. It must not change for a pool.
const registerShards = 16

func registerName(d draftID) string { return registerShardName(int(d[0]) % registerShards) }

func registerShardName(n int) string { return fmt.Sprintf("u:%d", n) }

// parseTail reads what tailName wrote.
func parseTail(name string) (hash string, d draftID, ok bool) {
	parts := strings.Split(strings.TrimPrefix(name, tailPrefix), ".")
	if len(parts) != 3 || !strings.HasPrefix(name, tailPrefix) {
		return "", d, false
	}
	d, err := parseDraft(parts[1])
	return parts[0], d, err == nil
}
