package oracle

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
)

// kinds is the table of the contract, section 2.
var kinds = []struct {
	name  string
	args  int
	build func(args []string) (step, error)
}{
	{"sha256", 0, plain(func(b []byte) []byte { sum := sha256.Sum256(b); return hexOf(sum[:]) })},
	{"sha512", 0, plain(func(b []byte) []byte { sum := sha512.Sum512(b); return hexOf(sum[:]) })},
	{"hmac", 1, buildHMAC},
	{"slice", 2, buildSlice},
	{"reverse", 0, plain(func(b []byte) []byte { b = bytes.Clone(b); slices.Reverse(b); return b })},
	{"upper", 0, plain(upper)},
	{"base64", 0, plain(func(b []byte) []byte { return base64.StdEncoding.AppendEncode(nil, b) })},
	{"xor", 1, buildXOR},
	{"stretch", 2, buildStretch},
}

func plain(f func([]byte) []byte) func([]string) (step, error) {
	return func([]string) (step, error) { return step{apply: f}, nil }
}

func hexOf(sum []byte) []byte { return hex.AppendEncode(nil, sum) }

// upper is not bytes.ToUpper, which reads UTF-8 and changes more than ASCII.
func upper(b []byte) []byte {
	b = bytes.Clone(b)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return b
}

func buildHMAC(args []string) (step, error) {
	nonce, err := parseNonce(args[0])
	return step{apply: func(b []byte) []byte {
		mac := hmac.New(sha256.New, nonce)
		mac.Write(b)
		return hexOf(mac.Sum(nil))
	}}, err
}

func buildSlice(args []string) (step, error) {
	offset, err := parseNumber(args[0])
	if err != nil {
		return step{}, err
	}
	length, err := parseNumber(args[1])
	apply := func(b []byte) []byte {
		b = b[min(offset, int64(len(b))):]
		return b[:min(length, int64(len(b)))]
	}
	return step{apply, &cut{offset, length}}, err
}

func buildXOR(args []string) (step, error) {
	nonce, err := parseNonce(args[0])
	return step{apply: func(b []byte) []byte {
		b = bytes.Clone(b)
		for i := range b {
			b[i] ^= nonce[i%len(nonce)]
		}
		return b
	}}, err
}

// maxIterations is the contract's bound on stretch.
const maxIterations = 100_000

// buildStretch is PBKDF2 (RFC 8018, section 5.2) over the raw SHA-256.
func buildStretch(args []string) (step, error) {
	nonce, err := parseNonce(args[0])
	if err != nil {
		return step{}, err
	}
	n, err := parseNumber(args[1])
	if err == nil && (n < 1 || n > maxIterations) {
		err = fmt.Errorf("%d iterations, want 1 to %d", n, maxIterations)
	}
	return step{apply: func(b []byte) []byte {
		sum := sha256.Sum256(b)
		key, err := pbkdf2.Key(sha256.New, string(sum[:]), nonce, int(n), 32)
		if err != nil {
			panic("oracle: PBKDF2 refuses parameters that were checked: " + err.Error())
		}
		return hexOf(key)
	}}, err
}

func parseNonce(text string) ([]byte, error) {
	if len(text) < 1 || len(text) > 64 {
		return nil, fmt.Errorf("a nonce of %d characters, want 1 to 64", len(text))
	}
	for _, c := range []byte(text) {
		if !bytes.Contains(nonceAlphabet, []byte{c}) {
			return nil, fmt.Errorf("%q in a nonce, want A-Z, a-z, 0-9, _ or -", c)
		}
	}
	return []byte(text), nil
}

// parseNumber reads a decimal without sign or leading zero, at most 2^63-1.
func parseNumber(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || text[0] == '+' || (len(text) > 1 && text[0] == '0') {
		return 0, fmt.Errorf("%q is no number, want decimal digits without sign or leading zero, at most 2^63-1", text)
	}
	return int64(n), nil
}
