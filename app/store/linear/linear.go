// Package linear checks what the clients of a store were told: per key it has
// to be what one register would have told them, one operation after the other,
// each somewhere between its call and its answer (M. Herlihy and J. Wing,
// "Linearizability", TOPLAS 1990). The search is porcupine's. It is for tests.
package linear

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"bogops/app/store"
)

// Op is one operation and what its client was told. The Data of each put are
// its own: no two puts write the same.
type Op struct {
	Client   int
	Kind     Kind
	Key      string
	Data     string // that a put wrote or a get returned
	IfAbsent bool
	IfMatch  string

	ETag    string // of what was written or read; empty: a get found nothing
	Created bool   // a put says that there was nothing; looked at only where Tells
	Tells   bool
	Refused bool // the condition failed
	Unknown bool // a write without an answer, or with one that promises nothing

	Call, Return time.Duration // since a moment that all of a history share
	// Until is when an unknown write can have happened at the latest. Zero: it
	// may happen until a write is acknowledged that began after Return.
	Until time.Duration
}

// Kind is what an operation does.
type Kind string

// The kinds of operations.
const (
	Put    Kind = "put"
	Get    Kind = "get"
	Delete Kind = "delete"
)

// Error says which key was told what no register would tell.
type Error struct{ Key, Told string }

func (e *Error) Error() string {
	return fmt.Sprintf("%s: no order of these operations gives these answers:\n%s", e.Key, e.Told)
}

// Check returns an *Error where ops cannot have happened, and another error
// where the search for one key takes longer than limit.
func Check(ops []Op, limit time.Duration) error {
	byKey := map[string][]Op{}
	for _, op := range ops {
		byKey[op.Key] = append(byKey[op.Key], op)
	}
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		history := completed(byKey[key])
		switch porcupine.CheckOperationsTimeout(model(), history, limit) {
		case porcupine.Illegal:
			return &Error{key, stuck(byKey[key], history, limit)}
		case porcupine.Unknown:
			return fmt.Errorf("%s: %d operations took more than %s to check", key, len(history), limit)
		}
	}
	return nil
}

// completed says of each unknown write of one key when it happened at the
// latest, and which ETag it has: that which a reader found with its data, or
// one that nobody saw.
func completed(ops []Op) []porcupine.Operation {
	etags := map[string]string{}
	for _, op := range ops {
		if op.Kind == Get && op.ETag != "" {
			etags[op.Data] = op.ETag
		}
	}
	var history []porcupine.Operation
	for _, op := range ops {
		end := op.Return
		if op.Unknown {
			if end = op.Until; end == 0 {
				end = lastMoment(ops, op.Return)
			}
			if op.ETag = etags[op.Data]; op.ETag == "" {
				op.ETag = "never seen: " + op.Data
			}
		}
		history = append(history, porcupine.Operation{ClientId: op.Client, Input: op, Call: int64(op.Call), Return: int64(end)})
	}
	return history
}

// lastMoment is the first acknowledgement of a write that began after gaveUp.
func lastMoment(ops []Op, gaveUp time.Duration) time.Duration {
	last := time.Duration(math.MaxInt64)
	for _, op := range ops {
		if op.Kind != Get && !op.Unknown && !op.Refused && op.Call > gaveUp {
			last = min(last, op.Return)
		}
	}
	return last
}

// register is what a key holds; the zero register holds nothing.
type register struct{ etag, data string }

func model() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{register{}} },
		Step: func(state, input, _ any) []any {
			held, op := state.(register), input.(Op)
			next, right := step(held, op)
			switch {
			case op.Unknown && right:
				return []any{held, next}
			case op.Unknown:
				return []any{held}
			case right:
				return []any{next}
			}
			return nil
		},
	}
	return m.ToModel()
}

// step is what the register holds after op, and whether it told op right.
func step(held register, op Op) (next register, right bool) {
	if op.Kind == Get {
		return held, held == register{op.ETag, op.Data}
	}
	refused := store.PutOptions{IfAbsent: op.IfAbsent, IfMatch: op.IfMatch}.Check(held.etag) != nil
	switch {
	case refused != op.Refused:
		return held, false
	case refused:
		return held, true
	case op.Kind == Delete:
		return register{}, true
	}
	return register{op.ETag, op.Data}, !op.Tells || op.Unknown || op.Created == (held.etag == "")
}

// stuck tells of the longest order that was found its end, and those first in
// time that fit nowhere behind it, each with the write whose data it returned.
func stuck(ops []Op, history []porcupine.Operation, limit time.Duration) string {
	_, info := porcupine.CheckOperationsVerbose(model(), history, limit)
	var longest []porcupine.Operation
	for _, order := range info.PartialLinearizationsOperations()[0] {
		if len(order) > len(longest) {
			longest = order
		}
	}
	var out strings.Builder
	ordered := map[Op]bool{}
	for i, op := range longest {
		ordered[op.Input.(Op)] = true
		if i >= len(longest)-12 {
			fmt.Fprintln(&out, op.Input)
		}
	}
	var rest []Op
	for _, op := range history {
		if in := op.Input.(Op); !ordered[in] {
			rest = append(rest, in)
		}
	}
	slices.SortFunc(rest, func(a, b Op) int { return cmp.Compare(a.Return, b.Return) })
	out.WriteString("  and then none of:\n")
	for _, op := range rest[:min(len(rest), 12)] {
		fmt.Fprintln(&out, op)
		if op.Kind == Get && op.Data != "" {
			for _, wrote := range ops {
				if wrote.Kind == Put && wrote.Data == op.Data {
					fmt.Fprintf(&out, "    which was%v\n", wrote)
				}
			}
		}
	}
	return out.String()
}

func (op Op) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "  %9d to %9d µs, client %d: %s %s", op.Call.Microseconds(), op.Return.Microseconds(), op.Client, op.Kind, op.Data)
	if op.IfAbsent {
		out.WriteString(" if absent")
	}
	if op.IfMatch != "" {
		fmt.Fprintf(&out, " if %.9s", op.IfMatch)
	}
	switch {
	case op.Unknown:
		out.WriteString(": no answer")
	case op.Refused:
		out.WriteString(": refused")
	case op.Kind == Get && op.ETag == "":
		out.WriteString(": nothing")
	default:
		fmt.Fprintf(&out, ": %.9s", op.ETag)
	}
	return out.String()
}
