package conformance

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"bogops/app/store"
)

// escapeKey makes a key of any UTF-8: control characters, which no key may
// hold, and the dot that begins a segment, which could make it "." or "..",
// are escaped by percent, and so is the percent. What is done with a character
// depends on those before it only, so the escaped prefix of a key is a prefix
// of the escaped key, and listings still find it. What is no UTF-8 stays so,
// for the platform to refuse.
func escapeKey(key string, dots bool) string {
	var out strings.Builder
	for at, r := range key {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(key[at:], "\ufffd"):
			out.WriteByte(key[at])
		case r == '%', unicode.IsControl(r), dots && r == '.' && (at == 0 || key[at-1] == '/'):
			for _, b := range []byte(string(r)) {
				fmt.Fprintf(&out, "%%%02X", b)
			}
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func unescapeKey(key string) (string, error) { return url.PathUnescape(key) }

// escapeMeta makes visible ASCII of a name or a value of metadata. What it adds
// to a name has no upper case, as names that are compared without case need.
func escapeMeta(text string) string {
	var out strings.Builder
	for _, b := range []byte(text) {
		if 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '-' || b == '_' || b == '.' {
			out.WriteByte(b)
		} else {
			fmt.Fprintf(&out, "%%%02x", b)
		}
	}
	return out.String()
}

func unescapeMeta(text string) (string, error) { return url.PathUnescape(text) }

func TestAnyTextEscapesToAKeyAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([./%\x00-\x1f\x7f-\x{9f}a☺]|\.\.|//){1,40}`).Draw(t, "text")
		dots := rapid.Bool().Draw(t, "dots")
		key := escapeKey(text, dots)
		require.NoError(t, store.CheckKey(key))
		if dots {
			for segment := range strings.SplitSeq(key, "/") {
				require.False(t, segment == "." || segment == "..", "%q", key)
			}
		}
		back, err := unescapeKey(key)
		require.NoError(t, err)
		require.Equal(t, text, back)
		runes := []rune(text)
		cut := string(runes[:rapid.IntRange(0, len(runes)).Draw(t, "cut")])
		require.True(t, strings.HasPrefix(key, escapeKey(cut, dots)), "the prefix %q of %q", cut, text)

		back, err = unescapeMeta(escapeMeta(text))
		require.NoError(t, err)
		require.Equal(t, text, back)
	})
	require.ErrorIs(t, store.CheckKey(escapeKey("a\xbd\xb2", true)), store.ErrBadKey)
}
