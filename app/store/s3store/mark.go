package s3store

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"

	"bogops/app/store"
)

// The two names of metadata that the store keeps beside the bytes. All of an
// object's own metadata are one value: names and values of their own would be
// folded, trimmed or dropped where they are empty.
const (
	markName = "bogops"
	metaName = "bogops-meta"
)

// mark names one write. It is how a write finds itself again after its answer
// was lost, and holds what S3 does not keep exactly.
type mark struct {
	id       [16]byte // drawn anew for every write
	over     [16]byte // the id of the write that it replaces; zero: not known
	modified time.Time
	typed    bool   // the content type was given, and is not the server's idea
	sha256   []byte // nil: not known when the write began
}

func newMark(now time.Time, opts store.PutOptions) mark {
	m := mark{modified: now.UTC().Round(0), typed: opts.ContentType != "", sha256: opts.SHA256}
	rand.Read(m.id[:]) // never fails: crypto/rand ends the program first
	return m
}

// String is the mark as base64: version 1, flags, id, the id of what it
// replaces, nanoseconds since 1970, and the digest where it is known.
func (m mark) String() string {
	data := []byte{1, 0}
	if m.typed {
		data[1] = 1
	}
	data = append(append(data, m.id[:]...), m.over[:]...)
	data = binary.BigEndian.AppendUint64(data, uint64(m.modified.UnixNano()))
	return base64.RawURLEncoding.EncodeToString(append(data, m.sha256...))
}

func parseMark(s string) (mark, bool) {
	data, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(data) != 42 && len(data) != 74 || data[0] != 1 {
		return mark{}, false
	}
	m := mark{typed: data[1]&1 != 0, modified: time.Unix(0, int64(binary.BigEndian.Uint64(data[34:42]))).UTC()}
	copy(m.id[:], data[2:18])
	copy(m.over[:], data[18:34])
	if len(data) == 74 {
		m.sha256 = data[42:]
	}
	return m, true
}

// headers are the metadata of an object as S3 keeps them.
func (m mark) headers(meta map[string]string) map[string]string {
	headers := map[string]string{markName: m.String()}
	if len(meta) > 0 {
		values := url.Values{}
		for name, value := range meta {
			values.Set(name, value)
		}
		headers[metaName] = values.Encode()
	}
	return headers
}

// found is an object as the server describes it.
type found struct {
	info store.Info
	id   [16]byte // zero where somebody else wrote it
	over [16]byte
}

// exists reports whether the key held an object.
func (f found) exists() bool { return f.info.ETag != "" }

// describe reads what S3 says of an object. One that somebody else wrote into
// the bucket is shown as S3 shows it.
func describe(key string, size int64, etag, contentType string, modified time.Time, headers map[string]string) (found, error) {
	f := found{info: store.Info{Key: key, Size: size, ETag: etag, ContentType: contentType, Modified: modified.UTC()}}
	lower := map[string]string{}
	for name, value := range headers {
		lower[strings.ToLower(name)] = value
	}
	m, ok := parseMark(lower[markName])
	if !ok {
		if len(lower) > 0 {
			f.info.Meta = maps.Clone(lower)
		}
		return f, nil
	}
	f.id, f.over = m.id, m.over
	f.info.Modified, f.info.SHA256 = m.modified, m.sha256
	if !m.typed {
		f.info.ContentType = ""
	}
	values, err := url.ParseQuery(lower[metaName])
	if err != nil {
		return f, fmt.Errorf("%w: the metadata cannot be read", store.ErrDamaged)
	}
	for name := range values {
		if f.info.Meta == nil {
			f.info.Meta = map[string]string{}
		}
		f.info.Meta[name] = values.Get(name)
	}
	return f, nil
}
