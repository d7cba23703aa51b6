package ceph

import "strings"

// KeyOf returns the key in text, which is a key by itself or a keyring as
// `ceph auth get-or-create` writes it.
func KeyOf(text string) string {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(line, "=")
		if ok && strings.TrimSpace(name) == "key" {
			return strings.TrimSpace(value)
		}
	}
	return strings.TrimSpace(text)
}
