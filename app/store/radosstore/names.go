package radosstore

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// The names of our RADOS objects. A letter says what an object is, so that
// nothing a user can choose collides with what is ours. Behind it a head has
// its key as it is: at most 1,026 bytes of the 2,048 that RADOS takes, without
// the zero byte that would end it, and whoever knows a key finds its object
// with no tool but rados. A name proves nothing: the key is in the head too,
// under its checksum.
const (
	headPrefix   = "h:"
	tailPrefix   = "t:"
	recordPrefix = "r:"
	recordsName  = "d:records" // its entries are the names of the records
	probePrefix  = "p:"
)

func headName(key string) string { return headPrefix + key }

// tailName begins with the key's hash, so that the tails of one key can be told
// in a listing of the pool, and are not longer than they need to be.
func tailName(key string, draft draftID, n int) string { return tailNameOf(tailHash(key), draft, n) }

func tailNameOf(hash string, draft draftID, n int) string {
	return fmt.Sprintf("%s%s.%s.%08x", tailPrefix, hash, draft, n)
}

func tailHash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:8])
}

func recordName(name string) string { return recordPrefix + name }
