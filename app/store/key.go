package store

import (
	"fmt"
	"unicode/utf8"
)

// MaxKey is the length of the longest key, in bytes.
const MaxKey = 1024

// CheckKey returns an error that wraps ErrBadKey unless key is 1 to 1,024
// bytes of UTF-8 without U+0000-001F and U+007F-009F. Nothing else about a key
// matters to a store: "a", "a/b", "a//b", ".." and "A" are different objects.
// That "." and ".." are not taken as segments is the API's to see to.
func CheckKey(key string) error {
	const want = "want 1 to 1,024 bytes of UTF-8 without control characters"
	if key == "" {
		return fmt.Errorf("%w: the key is empty; %s", ErrBadKey, want)
	}
	if len(key) > MaxKey {
		return fmt.Errorf("%w: the key has %d bytes; %s", ErrBadKey, len(key), want)
	}
	for at, r := range key {
		if r == utf8.RuneError {
			if _, width := utf8.DecodeRuneInString(key[at:]); width == 1 {
				return fmt.Errorf("%w: the key is not UTF-8 at byte %d; %s", ErrBadKey, at, want)
			}
		}
		if r < 0x20 || 0x7f <= r && r <= 0x9f {
			return fmt.Errorf("%w: the key holds %U at byte %d; %s", ErrBadKey, r, at, want)
		}
	}
	return nil
}
