package filestore

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"bogops/app/store"
)

const (
	shards  = 256 // directories that objects are spread over
	maxName = 255 // bytes of a file name, on every common file system

	// Names of keys that are too long end with this mark, which no other name
	// holds, and the hash of the key.
	cut = '~'
)

// place is where the object of a key lies: objects/<shard as two hex
// digits>/<name>.
type place struct {
	shard int
	name  string
}

func (p place) String() string {
	return fmt.Sprintf("%s/%s/%s", objectsDir, shardName(p.shard), p.name)
}

// blind names the place in error texts, which must not hold a key, as a file's
// name does: by its shard and the name's fingerprint.
func (p place) blind() string {
	return fmt.Sprintf("%s/%s/%s", objectsDir, shardName(p.shard), store.Fingerprint(p.name))
}

// placeOf returns the place of key: the shard is the first byte of its
// SHA-256, the name the key itself, with every byte but a-z 0-9 - _ . written
// as % and two lower-case hex digits; so is a dot in front. Names differ where
// keys do, also on file systems that fold case or compose accents. A name that
// would be longer than 255 bytes is cut after 190 and ends with "~" and the
// whole hash; such a key is read from the file's header.
func placeOf(key string) place {
	sum := sha256.Sum256([]byte(key))
	name := escape(key)
	if len(name) > maxName {
		digits := hex.EncodeToString(sum[:])
		name = name[:maxName-1-len(digits)] + string(cut) + digits
	}
	return place{int(sum[0]), name}
}

// keyOf returns the key of a file in a shard. It is whole where the name says
// all of it; otherwise key is a part in front, perhaps none of it. Names that
// placeOf never gives are not ok.
func keyOf(shard int, name string) (key string, whole, ok bool) {
	front, digits, isCut := strings.Cut(name, string(cut))
	if isCut {
		first, err := hex.DecodeString(digits)
		ok = err == nil && len(first) == sha256.Size && int(first[0]) == shard && len(name) == maxName
		key, _ = unescape(front)
		return key, false, ok
	}
	key, _ = unescape(name)
	return key, true, placeOf(key) == place{shard, name}
}

func escape(key string) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(key)+16)
	for i := range len(key) {
		if c := key[i]; isPlain(c) && (c != '.' || i > 0) {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(out)
}

func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.'
}

// unescape undoes escape as far as name goes; it is not whole where an escape
// is cut off or is none.
func unescape(name string) (key string, whole bool) {
	out := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			out = append(out, name[i])
			continue
		}
		if i+3 > len(name) {
			return string(out), false
		}
		c, err := hex.DecodeString(name[i+1 : i+3])
		if err != nil {
			return string(out), false
		}
		out = append(out, c...)
		i += 2
	}
	return string(out), true
}
