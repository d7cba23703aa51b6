package store

import (
	"crypto/sha256"
	"encoding/hex"
)

// Fingerprint stands for key where a key must not be: in error texts, which end
// in logs. Keys belong to users, and a log is read by many. Whoever knows a key
// finds it again: these are the first 8 bytes of its SHA-256, in hex. It is no
// secret-keeping for keys that can be guessed.
func Fingerprint(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "key#" + hex.EncodeToString(sum[:8])
}
