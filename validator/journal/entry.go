// Package journal records a contest: one JSON object a line, each chained to
// the one before by a hash, each on disk before anybody acts on it. It is the
// only thing that measuring passes to judging.
//
// A line reads, byte for byte and without spaces,
//
//	{"seq":N,"at":"T","kind":"K","data":D,"prev":"P","hash":"H"}
//
// and ends in a newline. N counts from 1 and so equals the line's number; T is
// RFC 3339 in UTC with up to nine decimals and no trailing zeros; D is the
// payload of events.go as compact JSON; P is the hash of the line before, 64
// zeros in the first line. H is the SHA-256, in lower-case hex, of the line's
// bytes from the opening brace up to, and without, the last `,"hash":`.
// Because P is among those bytes every hash vouches for all lines above it.
// The chain by itself cannot show that lines at its end are missing or that
// all of it was written anew: for that the last hash, the head, is published
// as the day goes and is given to Verify.
package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Entry is one line. Entries are never changed once appended; Data is shared
// between copies and must not be written to.
type Entry struct {
	Seq  uint64          `json:"seq"`
	At   time.Time       `json:"at"`
	Kind Kind            `json:"kind"`
	Data json.RawMessage `json:"data"`
	Prev string          `json:"prev"`
	Hash string          `json:"hash"`
}

// genesis is what the first line continues from.
var genesis = strings.Repeat("0", sha256.Size*2)

// hashMark separates what is hashed from the hash.
const hashMark = `,"hash":`

// hashed returns the bytes of e's line that its hash is taken over.
func (e Entry) hashed() []byte {
	return fmt.Appendf(nil, `{"seq":%d,"at":%q,"kind":%q,"data":%s,"prev":%q`,
		e.Seq, e.At.UTC().Format(time.RFC3339Nano), e.Kind, e.Data, e.Prev)
}

// sum computes what e.Hash must be.
func (e Entry) sum() string {
	sum := sha256.Sum256(e.hashed())
	return hex.EncodeToString(sum[:])
}

// line returns e as it stands in the file, newline included.
func (e Entry) line() []byte {
	return fmt.Appendf(e.hashed(), "%s%q}\n", hashMark, e.Hash)
}

// parse reads one line without its newline. It refuses any spelling but the
// one that line writes, so that no byte of a file is outside the chain.
func parse(line []byte) (Entry, error) {
	var e Entry
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return Entry{}, fmt.Errorf("not a journal entry: %w", err)
	}
	if again := e.line(); !bytes.Equal(again[:len(again)-1], line) {
		return Entry{}, fmt.Errorf("not spelled as the journal spells its lines")
	}
	return e, nil
}

// Decode returns e's payload. T must be the struct that e.Kind names.
func Decode[T any](e Entry) (T, error) {
	var payload T
	if err := fits(e.Kind, payload); err != nil {
		return payload, fmt.Errorf("journal: line %d: %w", e.Seq, err)
	}
	if err := json.Unmarshal(e.Data, &payload); err != nil {
		return payload, fmt.Errorf("journal: line %d: %s: %w", e.Seq, e.Kind, err)
	}
	return payload, nil
}

// fits tells whether payload is the struct that kind names. A payload under
// the wrong kind would decode into zeros and be scored as such.
func fits(kind Kind, payload any) error {
	of := reflect.TypeOf(payload)
	if of != nil && of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of == nil || strings.ToLower(of.Name()) != string(kind) {
		return fmt.Errorf("payload of kind %q is %v, want the struct of that name", kind, of)
	}
	return nil
}
