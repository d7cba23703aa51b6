package process

import (
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
	name string
	args []argument
	bind func(args []string) step
}

// argument is one argument of a step: what it is called and what it may be.
type argument struct {
	name string
	ok   func(string) error
}

// kinds are the steps of the bronze level; any other is refused.
var kinds = [...]kind{
	{"sha256", nil, func([]string) step { return digest("sha256", sha256.New) }},
	{"sha512", nil, func([]string) step { return digest("sha512", sha512.New) }},
	{"hmac", []argument{{"NONCE", isNonce}}, bindHMAC},
	{"slice", []argument{{"OFFSET", isNumber}, {"LENGTH", isNumber}}, bindSlice},
	{"reverse", nil, func([]string) step { return step{name: "reverse", size: same, run: reverse, holds: true} }},
	{"upper", nil, func([]string) step { return step{name: "upper", size: same, run: upper} }},
	{"base64", nil, func([]string) step { return step{name: "base64", size: base64Size, run: encode} }},
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
		run: func(in io.Reader, _ int64) io.Reader {
			return io.LimitReader(&skip{in: in, left: offset}, length)
		},
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
