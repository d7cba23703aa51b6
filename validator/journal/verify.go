package journal

import (
	"fmt"
	"strings"
)

// What can have happened to a journal.
const (
	Altered  = "altered"
	Removed  = "removed"
	Inserted = "inserted"
	Swapped  = "swapped"
	Cut      = "cut"
)

// Damage says where a journal is not as it was written, and how.
type Damage struct {
	Line   int    // from 1
	What   string // Altered, Removed, Inserted, Swapped or Cut
	Detail string // one sentence
}

func (d *Damage) Error() string { return fmt.Sprintf("line %d: %s: %s", d.Line, d.What, d.Detail) }

// headDigits is how much of a head must be given at least: as much as nobody
// finds by trying.
const headDigits = 16

// Verify checks that entries are a whole journal from its first line on, and
// that it ends in head: a hash in hex, or its first 16 digits or more. An empty
// head leaves a cut tail undetected. The error is a *Damage, except for a head
// that is no hash.
func Verify(entries []Entry, head string) error {
	if len(entries) == 0 {
		return &Damage{Line: 1, What: Cut, Detail: "there is no line at all"}
	}
	prev := genesis
	for i, e := range entries {
		if e.Seq != uint64(i+1) || e.Prev != prev || e.Hash != e.sum() {
			return diagnose(entries, i, prev)
		}
		prev = e.Hash
	}
	if kind := entries[0].Kind; kind != KindOpened {
		return &Damage{Line: 1, What: Altered, Detail: fmt.Sprintf("it is of kind %q, want %q", kind, KindOpened)}
	}
	if head == "" {
		return nil
	}
	return endsIn(entries, head)
}

// diagnose names what broke the chain at entries[i], the first that does not
// continue from prev. It goes by what is left: a line keeps its own hash and
// number wherever it is moved to.
func diagnose(entries []Entry, i int, prev string) error {
	e, want := entries[i], uint64(i+1)
	follows := func(j int) bool { // entries[j] is what once stood at i
		return j < len(entries) && entries[j].Seq == want && entries[j].Prev == prev
	}
	switch {
	case e.Hash != e.sum() && !follows(i+1):
		return &Damage{Line: i + 1, What: Altered, Detail: "its content does not have the hash that it carries"}
	case e.Hash != e.sum():
		return &Damage{Line: i + 1, What: Inserted, Detail: "the line after it continues from the line before it"}
	case i > 0 && e.Seq == want-1 && e.Prev == entries[i-1].Prev && e.Hash != entries[i-1].Hash:
		return &Damage{Line: i, What: Inserted, Detail: "the line after it continues from the line before it"}
	case e.Seq == want && i == 0:
		return &Damage{Line: 1, What: Altered, Detail: "it continues from another line, and is the first"}
	case e.Seq == want:
		return &Damage{Line: i, What: Altered, Detail: fmt.Sprintf("its hash is %s, but line %d was written after one with %s", short(prev), i+1, short(e.Prev))}
	case e.Seq < want:
		return &Damage{Line: i + 1, What: Inserted, Detail: fmt.Sprintf("it carries the number %d, which line %d has", e.Seq, e.Seq)}
	}
	return displaced(entries, i, follows)
}

// displaced tells apart the ways in which a number can come too early.
func displaced(entries []Entry, i int, follows func(int) bool) error {
	e, want := entries[i], uint64(i+1)
	home := -1
	for j := i + 1; j < len(entries); j++ {
		if entries[j].Seq == e.Seq {
			return &Damage{Line: i + 1, What: Inserted, Detail: fmt.Sprintf("it carries the number %d, which line %d has", e.Seq, j+1)}
		}
		if home < 0 && follows(j) {
			home = j
		}
	}
	switch {
	case home == i+1 && e.Seq != want+1:
		return &Damage{Line: i + 1, What: Inserted, Detail: fmt.Sprintf("it carries the number %d, and the line after it the number %d", e.Seq, want)}
	case home > 0:
		return &Damage{Line: i + 1, What: Swapped, Detail: fmt.Sprintf("it carries the number %d, and line %d the number %d", e.Seq, home+1, want)}
	case e.Seq == want+1:
		return &Damage{Line: i + 1, What: Removed, Detail: fmt.Sprintf("the line with the number %d is missing here", want)}
	}
	return &Damage{Line: i + 1, What: Removed, Detail: fmt.Sprintf("the lines with the numbers %d to %d are missing here", want, e.Seq-1)}
}

// endsIn checks the head of a chain that is otherwise right.
func endsIn(entries []Entry, head string) error {
	head = strings.ToLower(head)
	if len(head) < headDigits || len(head) > len(genesis) || strings.Trim(head, "0123456789abcdef") != "" {
		return fmt.Errorf("the head is %q, want the %d hex digits of a line's hash, or at least the first %d", head, len(genesis), headDigits)
	}
	last := len(entries) - 1
	if strings.HasPrefix(entries[last].Hash, head) {
		return nil
	}
	for i, e := range entries[:last] {
		if strings.HasPrefix(e.Hash, head) {
			return &Damage{Line: i + 2, What: Inserted, Detail: fmt.Sprintf("the head given is the hash of line %d, and lines follow it", i+1)}
		}
	}
	return &Damage{Line: last + 2, What: Cut, Detail: fmt.Sprintf("the journal ends in line %d with %s, but its head is %s", last+1, short(entries[last].Hash), short(head))}
}
