// Package oracle computes what a platform must answer to a processed GET. It
// shares no line with any platform: what it knows is section 2 of
// CHALLENGE.md, and a second language holds its golden vectors.
package oracle

import (
	"errors"
	"fmt"
	"strings"
)

// MaxSteps is the longest chain that the contract allows.
const MaxSteps = 8

// ErrChain says that a chain breaks the contract: a platform answers 400.
var ErrChain = errors.New("bad chain")

// Apply returns the bytes that chain makes of data. Chain is the decoded value
// of the parameter process: "," and ":" as themselves. An error wraps ErrChain
// and says which step is wrong. Apply neither keeps nor changes data; it is
// safe for concurrent use.
//
// gzip and thumbnail have no one right answer to compute and are refused.
func Apply(chain string, data []byte) ([]byte, error) {
	return ApplyTo(chain, int64(len(data)), func(offset, length int64) []byte {
		return data[offset : offset+length]
	})
}

// ApplyTo is Apply on an object of size bytes, of which part makes only what
// the first step reads. Part is called once, with bounds inside the object.
func ApplyTo(chain string, size int64, part func(offset, length int64) []byte) ([]byte, error) {
	steps, err := parse(chain)
	if err != nil {
		return nil, err
	}
	offset, length := int64(0), size
	if cut := steps[0].cut; cut != nil {
		offset = min(cut.offset, size)
		length = min(cut.length, size-offset)
		steps = steps[1:]
	}
	data := part(offset, length)
	for _, s := range steps {
		data = s.apply(data)
	}
	return data, nil
}

// step is one parsed step: from bytes to bytes, its input left as it was.
type step struct {
	apply func([]byte) []byte
	cut   *cut // what a slice keeps
}

type cut struct{ offset, length int64 }

func parse(chain string) ([]step, error) {
	if chain == "" {
		return nil, fmt.Errorf("%w: it is empty, want 1 to %d steps", ErrChain, MaxSteps)
	}
	texts := strings.Split(chain, ",")
	if len(texts) > MaxSteps {
		return nil, fmt.Errorf("%w: %d steps, want 1 to %d", ErrChain, len(texts), MaxSteps)
	}
	steps := make([]step, 0, len(texts))
	for i, text := range texts {
		s, err := parseStep(text)
		if err != nil {
			return nil, fmt.Errorf("%w: step %d: %w", ErrChain, i+1, err)
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func parseStep(text string) (step, error) {
	name, rest, hasArgs := strings.Cut(text, ":")
	var args []string
	if hasArgs {
		args = strings.Split(rest, ":")
	}
	for _, k := range kinds {
		if k.name != name {
			continue
		}
		if len(args) != k.args {
			return step{}, fmt.Errorf("%q has %d arguments, want %d", text, len(args), k.args)
		}
		s, err := k.build(args)
		if err != nil {
			return step{}, fmt.Errorf("%q: %w", text, err)
		}
		return s, nil
	}
	return step{}, fmt.Errorf("%q is no step that can be computed", text)
}
