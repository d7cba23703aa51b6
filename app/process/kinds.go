package process

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
)

// kind is a step before its arguments are known. A new step is one line of
// the table and one function.
type kind struct {
	name   string
	args   []argument
	place  place
	weight weight
	bind   func(args []string) step
}

// place is where in a chain a step may stand.
type place int

const (
	anywhere place = iota
	last           // what it makes has no size that is known in advance
	alone
)

// argument is one argument of a step: what it is called and what it may be.
type argument struct {
	name string
	ok   func(string) error
}

// kinds are all steps; any other is refused.
var kinds = [...]kind{
	{"sha256", nil, anywhere, weight{5000, 0.6}, func([]string) step { return digest("sha256", sha256.New) }},
	{"sha512", nil, anywhere, weight{5000, 1.2}, func([]string) step { return digest("sha512", sha512.New) }},
	{"hmac", []argument{{"NONCE", isNonce}}, anywhere, weight{8000, 0.6}, bindHMAC},
	{"slice", []argument{{"OFFSET", isNumber}, {"LENGTH", isNumber}}, anywhere, weight{400, 0.02}, bindSlice},
	{"reverse", nil, anywhere, weight{400, 2}, func([]string) step { return step{name: "reverse", size: same, run: reverse, held: same} }},
	{"upper", nil, anywhere, weight{400, 0.55}, func([]string) step { return step{name: "upper", size: same, run: upper} }},
	{"base64", nil, anywhere, weight{4000, 0.65}, func([]string) step { return step{name: "base64", size: base64Size, run: encode} }},
	{"xor", []argument{{"NONCE", isNonce}}, anywhere, weight{1500, 0.05}, bindXOR},
	{"stretch", []argument{{"NONCE", isNonce}, {"N", isIterations}}, anywhere, weight{5500, 0.6}, bindStretch},
	{"gzip", nil, last, weight{210_000, 12}, bindGzip},
	{"thumbnail", []argument{{"WIDTH", isSide}, {"HEIGHT", isSide}}, alone, weight{500_000, 1}, bindThumbnail},
}

func (k kind) usage() string {
	usage := k.name
	for _, a := range k.args {
		usage += ":" + a.name
	}
	return usage
}

func names() string {
	var all []string
	for _, k := range kinds {
		all = append(all, k.name)
	}
	return strings.Join(all, ", ")
}

func bindHMAC(args []string) step {
	key := []byte(args[0])
	return digest("hmac", func() hash.Hash { return hmac.New(sha256.New, key) })
}

func bindSlice(args []string) step {
	offset, length := number(args[0]), number(args[1])
	return step{
		name: "slice",
		size: func(in int64) int64 { return min(length, max(0, in-offset)) },
		run: func(_ context.Context, in io.Reader, _ int64) io.Reader {
			return io.LimitReader(&skip{in: in, left: offset}, length)
		},
		reads: func(in int64) int64 { // no further than the end of its part
			if end := offset + length; end >= 0 {
				return min(in, end)
			}
			return in
		},
	}
}

func bindXOR(args []string) step {
	return step{
		name: "xor",
		size: same,
		run:  func(_ context.Context, in io.Reader, _ int64) io.Reader { return newXORReader(in, args[0]) },
	}
}

func same(in int64) int64 { return in }

// base64Size divides before it multiplies: no object is so large that this
// overflows.
func base64Size(in int64) int64 {
	groups := in / 3
	if in%3 != 0 {
		groups++
	}
	return groups * int64(base64.StdEncoding.EncodedLen(3))
}

func isNonce(s string) error {
	if len(s) < 1 || len(s) > 64 {
		return fmt.Errorf("is %d characters long; want 1 to 64", len(s))
	}
	for _, c := range []byte(s) {
		if !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '-') {
			return errors.New("holds a character outside A-Za-z0-9_-")
		}
	}
	return nil
}

// isNumber accepts decimal digits without sign or leading zero, up to 2⁶³−1.
func isNumber(s string) error {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return fmt.Errorf("%q is no decimal number", shorten(s))
		}
	}
	switch _, err := strconv.ParseInt(s, 10, 64); {
	case s == "":
		return errors.New("is empty; want a decimal number")
	case len(s) > 1 && s[0] == '0':
		return fmt.Errorf("%q has a leading zero", shorten(s))
	case err != nil:
		return fmt.Errorf("%q is over 9223372036854775807", shorten(s))
	}
	return nil
}

// number is the value of a text that isNumber has accepted.
func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// maxIterations bounds what one stretch may cost: some 16 ms of a core with
// SHA instructions, some 100 ms without.
const maxIterations = 100_000

func isIterations(s string) error {
	if err := isNumber(s); err != nil {
		return err
	}
	if n := number(s); n < 1 || n > maxIterations {
		return fmt.Errorf("is %d; want 1 to %d", n, maxIterations)
	}
	return nil
}
