package rehearse

import (
	"crypto/rand"
	"encoding/hex"
)

// randomHex returns n random bytes in hex, for keys, tokens and the seed.
func randomHex(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails, by its own promise
	return hex.EncodeToString(raw)
}
