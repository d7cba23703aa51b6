// Package process maps the bytes of an object to other bytes by a chain of
// steps that a client names in a query: `slice:100:4096,upper,hmac:n0nce`. A
// chain is parsed, then planned in arithmetic (how many bytes each step takes
// and gives), and only then run, as a stream: so a refusal always comes before
// the first byte of an answer.
package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// The errors that a caller may test for with errors.Is.
var (
	ErrChain    = errors.New("bad process chain")
	ErrTooLarge = errors.New("input of a step over the processing limit")
)

// MaxSteps is how many steps a chain may have.
const MaxSteps = 8

// Chain is a parsed chain of 1 to MaxSteps steps. It is a value that does not
// change: one Chain may serve any number of goroutines.
type Chain struct{ steps []step }

// Unknown is the size of bytes that only making them tells.
const Unknown = -1

// step is one step with its arguments bound. in is the size of its input.
type step struct {
	name  string
	size  func(in int64) int64 // of its output, or Unknown
	run   func(ctx context.Context, src io.Reader, in int64) io.Reader
	held  func(in int64) int64 // bytes, to the end of the answer; nil: but a buffer
	media string               // of its output; "": any bytes

	weight weight
	reads  func(in int64) int64 // how many bytes of its input; nil: all
	extra  float64              // CPU nanoseconds that its arguments ask for

	// look reads what begins the input, where its weight depends on that.
	look func(src io.Reader) (step, io.Reader, error)
}

// Parse reads a chain from the raw value of a query: it decodes percents
// exactly once, before it splits, so %2C and %3A count as comma and colon and
// a plus stays a plus. Its errors are ErrChain with the reason in a sentence.
func Parse(raw string) (Chain, error) {
	text, err := url.PathUnescape(raw)
	if err != nil {
		return Chain{}, fmt.Errorf("%w: a %% is not followed by two hex digits", ErrChain)
	}
	if text == "" {
		return Chain{}, fmt.Errorf("%w: it is empty; want 1 to %d steps", ErrChain, MaxSteps)
	}
	words := strings.Split(text, ",")
	if len(words) > MaxSteps {
		return Chain{}, fmt.Errorf("%w: %d steps; want at most %d", ErrChain, len(words), MaxSteps)
	}
	var chain Chain
	for i, word := range words {
		s, err := parseStep(word, i, len(words))
		if err != nil {
			return Chain{}, fmt.Errorf("%w: step %d %s", ErrChain, i+1, err)
		}
		chain.steps = append(chain.steps, s)
	}
	return chain, nil
}

func parseStep(word string, at, steps int) (step, error) {
	if word == "" {
		return step{}, errors.New("is empty")
	}
	name, rest, hasArgs := strings.Cut(word, ":")
	var args []string
	if hasArgs {
		args = strings.Split(rest, ":")
	}
	for _, k := range kinds {
		if k.name != name {
			continue
		}
		if len(args) != len(k.args) {
			return step{}, fmt.Errorf("%s has %d arguments; want %s", name, len(args), k.usage())
		}
		for i, check := range k.args {
			if err := check.ok(args[i]); err != nil {
				return step{}, fmt.Errorf("%s: %s %w", name, check.name, err)
			}
		}
		if k.place == last && at < steps-1 {
			return step{}, fmt.Errorf("%s is followed by another; want it last", name)
		}
		if k.place == alone && steps > 1 {
			return step{}, fmt.Errorf("%s is one of %d; want it alone", name, steps)
		}
		s := k.bind(args)
		s.weight = k.weight
		return s, nil
	}
	return step{}, fmt.Errorf("%q is unknown; want one of %s", shorten(name), names())
}

// shorten keeps what a stranger sent from filling an error text.
func shorten(s string) string {
	if len(s) > 32 {
		return s[:32] + "…"
	}
	return s
}

// Plan returns how many bytes the chain makes of size bytes, or Unknown where
// it ends in a step whose output only its making tells. It returns ErrTooLarge
// where the input of any step, the first included, is over limit bytes: the
// size of every step's input follows from its predecessor's, so this is known
// before a byte is read.
func (c Chain) Plan(size, limit int64) (int64, error) {
	for i, s := range c.steps {
		if size > limit {
			return 0, fmt.Errorf("%w: step %d (%s) would read %d bytes; at most %d",
				ErrTooLarge, i+1, s.name, size, limit)
		}
		size = s.size(size)
	}
	return size, nil
}

// Look reads as much of in as the chain must know to weigh itself, and returns
// the chain that knows it with a reader of all the bytes of in. Most chains
// need nothing and read nothing; thumbnail reads the dimensions of its image,
// and fails with ErrImage where there is none. Without a Look such a chain
// holds and costs what the largest image would.
func (c Chain) Look(in io.Reader) (Chain, io.Reader, error) {
	if c.steps[0].look == nil {
		return c, in, nil
	}
	s, in, err := c.steps[0].look(in)
	if err != nil {
		return Chain{}, nil, err
	}
	return Chain{append([]step{s}, c.steps[1:]...)}, in, nil
}

// Holds returns how many bytes the chain keeps in memory at once at most,
// beyond a few fixed buffers of some ten kibibytes, when its input is size
// bytes.
func (c Chain) Holds(size int64) int64 {
	var held int64
	for _, s := range c.steps {
		if s.held != nil {
			held += s.held(size)
		}
		size = s.size(size)
	}
	return held
}

// Apply returns the bytes that the chain makes of in, which must yield exactly
// size bytes: a read fails with io.ErrUnexpectedEOF where in ends early, so a
// digest of half an object never looks like an answer. Steps read as they are
// read, in bounded memory, except that reverse holds its input, and thumbnail
// the image that it decodes. Once ctx has ended, reads of in fail with its
// error, and stretch, which computes without reading, does not begin to. The
// caller plans first and closes what stands behind in.
func (c Chain) Apply(ctx context.Context, in io.Reader, size int64) io.Reader {
	var out io.Reader = &exact{ctx: ctx, in: in, left: size}
	for _, s := range c.steps {
		out = s.run(ctx, out, size)
		size = s.size(size)
	}
	return out
}

// Names are the names of the steps, in order.
func (c Chain) Names() []string {
	names := make([]string, len(c.steps))
	for i, s := range c.steps {
		names[i] = s.name
	}
	return names
}

// MediaType is what the chain's output is served as.
func (c Chain) MediaType() string {
	return cmp.Or(c.steps[len(c.steps)-1].media, "application/octet-stream")
}

// exact passes on the bytes of in until ctx ends, and insists on their number.
type exact struct {
	ctx  context.Context
	in   io.Reader
	left int64
}

func (e *exact) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	if int64(len(p)) > e.left {
		p = p[:e.left]
	}
	n, err := e.in.Read(p)
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
