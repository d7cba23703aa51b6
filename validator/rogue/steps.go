package rogue

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// step maps bytes to bytes and leaves its input as it is.
type step func([]byte) []byte

var (
	nonceForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	numberForm = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)
)

// parse reads the values of process: exactly one, of 1 to 8 steps.
func (p *platform) parse(chains []string) ([]step, bool) {
	if len(chains) != 1 {
		return nil, false
	}
	words := strings.Split(chains[0], ",")
	if len(words) > 8 {
		return nil, false
	}
	var steps []step
	for i, word := range words {
		name, arguments, given := strings.Cut(word, ":")
		s := named(name, given, arguments)
		if s == nil && p.silver {
			s = silverStep(name, arguments, given)
		}
		if s == nil || name == "gzip" && i < len(words)-1 {
			return nil, false
		}
		steps = append(steps, s)
	}
	return steps, true
}

func named(name string, given bool, arguments string) step {
	switch {
	case name == "hmac" && nonceForm.MatchString(arguments):
		return func(b []byte) []byte {
			mac := hmac.New(sha256.New, []byte(arguments))
			mac.Write(b)
			return []byte(hex.EncodeToString(mac.Sum(nil)))
		}
	case name == "slice":
		return slice(strings.Split(arguments, ":"))
	case given:
		return nil
	}
	return map[string]step{
		"sha256":  func(b []byte) []byte { sum := sha256.Sum256(b); return []byte(hex.EncodeToString(sum[:])) },
		"sha512":  func(b []byte) []byte { sum := sha512.Sum512(b); return []byte(hex.EncodeToString(sum[:])) },
		"reverse": func(b []byte) []byte { c := bytes.Clone(b); slices.Reverse(c); return c },
		"upper":   upper,
		"base64":  func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) },
	}[name]
}

func slice(arguments []string) step {
	var bounds [2]int64
	if len(arguments) != len(bounds) {
		return nil
	}
	for i, text := range arguments {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !numberForm.MatchString(text) {
			return nil
		}
		bounds[i] = n
	}
	return func(b []byte) []byte {
		from := min(bounds[0], int64(len(b)))
		length := min(bounds[1], int64(len(b))-from)
		return b[from : from+length]
	}
}

func upper(b []byte) []byte {
	c := bytes.Clone(b)
	for i, letter := range c {
		if letter >= 'a' && letter <= 'z' {
			c[i] = letter - 'a' + 'A'
		}
	}
	return c
}
