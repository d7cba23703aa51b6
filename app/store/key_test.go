package store_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

func TestCheckKeyTakesWhatTheContractAllows(t *testing.T) {
	for _, key := range []string{
		"a", "a/b", "a//b", "/", ".", "..", "a/../b", "A", " ", "+", "%2F", "é", "e\u0301", "日本", "\u00a0", "\ufffd", "~", "🦦",
		strings.Repeat("k", 1024), strings.Repeat("é", 512),
	} {
		require.NoError(t, store.CheckKey(key), "%q", key)
	}
}

func TestCheckKeySaysWhatIsWrongWithAKey(t *testing.T) {
	const want = "; want 1 to 1,024 bytes of UTF-8 without control characters"
	for key, says := range map[string]string{
		"":                             "the key is empty",
		strings.Repeat("k", 1025):      "the key has 1025 bytes",
		strings.Repeat("é", 512) + "k": "the key has 1025 bytes",
		"a\x00":                        "the key holds U+0000 at byte 1",
		"\x1f":                         "the key holds U+001F at byte 0",
		"ab\x7f":                       "the key holds U+007F at byte 2",
		"\u0080":                       "the key holds U+0080 at byte 0",
		"a\u009f":                      "the key holds U+009F at byte 1",
		"a\xff":                        "the key is not UTF-8 at byte 1",
		"\xed\xa0\x80":                 "the key is not UTF-8 at byte 0",
		"\xc0\xaf":                     "the key is not UTF-8 at byte 0",
	} {
		err := store.CheckKey(key)
		require.ErrorIs(t, err, store.ErrBadKey, "%q", key)
		require.EqualError(t, err, "bad key: "+says+want)
	}
}
