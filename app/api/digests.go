package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"bogops/app/store"
)

// digests are what a PUT says of its body (RFC 9530); nil: nothing.
type digests struct{ sha256, sha512 []byte }

// parseDigests reads Content-Digest and Repr-Digest, which mean the same here:
// no encoding is interpreted, so content and representation are the same
// bytes. Algorithms that the API does not know are passed over, as the RFC
// demands; what cannot be read is refused, since whoever sends a digest counts
// on its being checked.
func parseDigests(header http.Header) (d digests, err error) {
	for _, name := range []string{"Content-Digest", "Repr-Digest"} {
		text := strings.Join(header.Values(name), ",")
		members, ok := parseDictionary(text)
		if !ok {
			return d, refuse(errBadRequest, "%s is %s; want a dictionary such as sha-256=:BASE64:.", name, shown(text))
		}
		for _, m := range members {
			switch m.key {
			case "sha-256":
				err = d.set(&d.sha256, name, m, sha256.Size)
			case "sha-512":
				err = d.set(&d.sha512, name, m, sha512.Size)
			}
			if err != nil {
				return d, err
			}
		}
	}
	return d, nil
}

// set takes a member over. Structured fields would let the last of two win;
// but of two that differ one is wrong, and so is the body or whoever sent it.
func (digests) set(into *[]byte, name string, m member, size int) error {
	sum, ok := byteSequence(m.item)
	if !ok || len(sum) != size {
		return refuse(errBadRequest, "%s gives %s as %s; want the base64 of %d bytes between colons.", name, m.key, shown(m.item), size)
	}
	if *into != nil && !bytes.Equal(*into, sum) {
		return refuse(errBadRequest, "Two digests of the body by %s are given, and they differ.", m.key)
	}
	*into = sum
	return nil
}

// hashed is a body that fails at its end unless its SHA-512 is want; a nil
// want takes any. The store checks SHA-256 itself, for it keeps that one.
type hashed struct {
	io.Reader
	sum     hash.Hash
	want    []byte
	failure error
}

func newHashed(body io.Reader, want []byte) *hashed {
	h := &hashed{Reader: body, want: want}
	if want != nil {
		h.sum = sha512.New()
	}
	return h
}

// Read implements io.Reader.
func (h *hashed) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if h.want == nil {
		return n, err
	}
	h.sum.Write(p[:n])
	if err == io.EOF && !bytes.Equal(h.sum.Sum(nil), h.want) {
		h.failure = fmt.Errorf("%w: its sha-512 is another", store.ErrDigest)
		err = h.failure
	}
	return n, err
}

// wantsDigest says whether Want-Repr-Digest asks for SHA-256, the digest that
// this API gives: a weight of 1 to 10 asks, 0 declines. The header is a wish,
// so one that cannot be read is ignored.
func wantsDigest(header http.Header) bool {
	values := header.Values("Want-Repr-Digest")
	if len(values) == 0 {
		return false
	}
	members, _ := parseDictionary(strings.Join(values, ","))
	wanted := false
	for _, m := range members {
		if m.key == "sha-256" {
			weight, err := strconv.Atoi(m.item)
			wanted = err == nil && 1 <= weight && weight <= 10
		}
	}
	return wanted
}

func setDigest(header http.Header, sum []byte) {
	header.Set("Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum)+":")
}

// know fills in the digest of an object whose store does not know it, by
// reading it once. It is false where the object is another by now.
func (o *objects) know(ctx context.Context, key string, info *store.Info) (bool, error) {
	if info.SHA256 != nil {
		return true, nil
	}
	body, read, err := o.store.Get(ctx, key, store.Whole)
	if err != nil {
		return false, err
	}
	defer body.Close()
	if read.ETag != info.ETag {
		return false, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, attended{ctx, body}); err != nil {
		return false, err
	}
	info.SHA256 = sum.Sum(nil)
	return true, nil
}

// attended is a reader that ends with its context: nobody waits for the rest.
type attended struct {
	ctx context.Context
	io.Reader
}

func (a attended) Read(p []byte) (int, error) {
	if err := a.ctx.Err(); err != nil {
		return 0, err
	}
	return a.Reader.Read(p)
}
