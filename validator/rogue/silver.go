package rogue

import (
	"bytes"
	"compress/gzip"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What a platform of level silver does besides.

var (
	tagForm    = regexp.MustCompile(`(?:W/)?"[^"]*"`)
	digestForm = regexp.MustCompile(`^sha-256=:[A-Za-z0-9+/]{43}=:$`)
	rangeForm  = regexp.MustCompile(`^bytes=([0-9]{0,18})-([0-9]*)$`)
)

// hasTag tells whether tags, a list or *, name etag; weak tags only where they
// may.
func hasTag(tags, etag string, weak bool) bool {
	if strings.TrimSpace(tags) == "*" {
		return true
	}
	for _, tag := range tagForm.FindAllString(tags, -1) {
		if tag == etag || weak && tag == "W/"+etag {
			return true
		}
	}
	return false
}

func both(r *http.Request) error {
	if r.Header.Get("If-Match") != "" && r.Header.Get("If-None-Match") != "" {
		return refusal{400, "want If-Match or If-None-Match, not both"}
	}
	return nil
}

// precondition is looked at with the platform locked.
func (p *platform) precondition(r *http.Request, key string) error {
	held, found := p.objects[key]
	if tags := r.Header.Get("If-Match"); tags != "" && (!found || !hasTag(tags, held.etag, false)) {
		return refusal{412, "the object is not the one that If-Match names"}
	}
	if r.Method == http.MethodPut && r.Header.Get("If-None-Match") == "*" && found {
		return refusal{412, "the key holds an object"}
	}
	return nil
}

func checkDigest(header string, body []byte) error {
	if header != "" && !digestForm.MatchString(header) {
		return refusal{400, "want sha-256=:BASE64: of 32 bytes"}
	}
	if header != "" && header != digest(body) {
		return refusal{400, "the body does not match its digest"}
	}
	return nil
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

func metaOf(header http.Header) (http.Header, error) {
	meta, n := http.Header{}, 0
	for name, values := range header {
		if short, ok := strings.CutPrefix(name, "Bogops-Meta-"); ok {
			meta.Set(name, values[0])
			n += len(short) + len(values[0])
		}
	}
	if n > 2<<10 {
		return nil, refusal{400, "want at most 2 KiB of metadata"}
	}
	return meta, nil
}

// whole answers a GET without process: with the object, a part of it, or 304.
func whole(w http.ResponseWriter, r *http.Request, o object) error {
	maps.Copy(w.Header(), o.meta)
	if unchanged(r, o) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if strings.Contains(r.Header.Get("Want-Repr-Digest"), "sha-256") {
		w.Header().Set("Repr-Digest", digest(o.body))
	}
	status, size := http.StatusOK, len(o.body)
	if condition := r.Header.Get("If-Range"); r.Method == http.MethodGet && (condition == "" || condition == o.etag) {
		first, last, ok := part(r.Header.Get("Range"), size)
		if ok && first >= size {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", size))
			return refusal{416, "nothing of the object is in that range"}
		}
		if ok {
			status = http.StatusPartialContent
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, size))
			o.body = o.body[first : last+1]
		}
	}
	return send(w, r, status, o)
}

func unchanged(r *http.Request, o object) bool {
	if tags := r.Header.Get("If-None-Match"); tags != "" {
		return hasTag(tags, o.etag, true)
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !o.modified.Truncate(time.Second).After(since)
}

// part reads a Range. It is not ok where that asks for nothing that can be read.
func part(header string, size int) (first, last int, ok bool) {
	asked := rangeForm.FindStringSubmatch(header)
	if asked == nil || asked[1] == "" && asked[2] == "" {
		return 0, 0, false
	}
	last = size - 1
	end, err := strconv.Atoi(asked[2])
	if err != nil || end > size {
		end = size
	}
	if asked[1] == "" {
		return size - end, last, true
	}
	first, _ = strconv.Atoi(asked[1]) // 18 digits at most
	if asked[2] != "" {
		last = min(last, end)
		if end < first && first < size {
			return 0, 0, false
		}
	}
	return first, last, true
}

func silverStep(name, arguments string, given bool) step {
	first, second, two := strings.Cut(arguments, ":")
	n, err := strconv.Atoi(second)
	switch {
	case name == "gzip" && !given:
		return zip
	case !nonceForm.MatchString(first):
	case name == "xor" && !two:
		return func(b []byte) []byte {
			c := bytes.Clone(b)
			for i := range c {
				c[i] ^= first[i%len(first)]
			}
			return c
		}
	case name == "stretch" && numberForm.MatchString(second) && err == nil && n >= 1 && n <= 100_000:
		return func(b []byte) []byte {
			sum := sha256.Sum256(b)
			key, err := pbkdf2.Key(sha256.New, string(sum[:]), []byte(first), n, 32)
			if err != nil {
				panic(err) // of parameters that were checked
			}
			return []byte(hex.EncodeToString(key))
		}
	}
	return nil
}

func zip(b []byte) []byte {
	var stream bytes.Buffer
	w := gzip.NewWriter(&stream)
	_, _ = w.Write(b) // a buffer takes everything
	_ = w.Close()
	return stream.Bytes()
}
