package rogue

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/url"

	"bogops/validator/ceph"
	"bogops/validator/ceph/cephfake"
)

// backing keeps the bytes of a platform in a cluster: a head with the first part
// behind a header, and a tail. The platform's own lock guards it.
type backing struct {
	cluster  *cephfake.Fake
	claims   map[string]ceph.Claim
	caches   bool                              // serves what it has in memory
	sheds    bool                              // refuses as under load what the cluster lost
	damage   func([]byte) []byte               // what becomes of the bytes in the cluster; nil: nothing
	pretends func(ceph.Claim) ceph.Claim       // what the evidence call tells; nil: the truth
	silent   func(w http.ResponseWriter) error // the evidence call's refusal; nil: it answers
}

const headerBytes = 64

func (b *backing) write(key string, o object) {
	id := rand.Text()
	half := int64(len(o.body) / 2)
	claim := ceph.Claim{Store: "ceph", ETag: o.etag, Size: int64(len(o.body)), FSID: cephfake.ID, Pool: cephfake.Pool, Namespace: "rogue"}
	body := o.body
	if b.damage != nil {
		body = b.damage(body)
	}
	for _, piece := range []ceph.Piece{{Name: id + ".head", At: headerBytes, Length: half}, {Name: id + ".tail", Offset: half, Length: claim.Size - half}} {
		if piece.Length == 0 {
			continue
		}
		claim.Pieces = append(claim.Pieces, piece)
		content := append(make([]byte, piece.At), body[piece.Offset:piece.Offset+piece.Length]...)
		b.cluster.Write(claim.In(piece), content)
	}
	b.claims[key] = claim
}

// read returns the bytes that the cluster holds now, and false where it no
// longer holds all of them.
func (b *backing) read(key string, o object) ([]byte, bool) {
	if b.caches || b.damage != nil {
		return o.body, true
	}
	var body []byte
	claim := b.claims[key]
	for _, piece := range claim.Pieces {
		part, err := b.cluster.Read(context.Background(), claim.In(piece), piece.At, piece.Length)
		if err != nil {
			return nil, false
		}
		body = append(body, part...)
	}
	return body, true
}

// evidence tells where an object lies.
func (p *platform) evidence(w http.ResponseWriter, r *http.Request, escaped string) error {
	if r.Header.Get("Authorization") != "Bearer "+p.token {
		return refusal{403, "the reader may not ask"}
	}
	if p.backing.silent != nil {
		return p.backing.silent(w)
	}
	key, err := url.PathUnescape(escaped)
	if err != nil || !isKey(key) {
		return refusal{400, "bad key"}
	}
	p.mu.RLock()
	claim, ok := p.backing.claims[key]
	p.mu.RUnlock()
	if !ok {
		return refusal{404, "no such object"}
	}
	if p.backing.pretends != nil {
		claim = p.backing.pretends(claim)
	}
	return writeJSON(w, http.StatusOK, claim)
}

func flipped(body []byte) []byte {
	other := bytes.Clone(body)
	if len(other) > 0 {
		other[len(other)-1] ^= 1
	}
	return other
}

func refusesEvidence(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusForbidden)
	_, err := io.WriteString(w, "none of your business")
	return err
}

// stores changes how the platform stores.
func stores(change func(*backing)) func(*site) error {
	return func(s *site) error {
		change(s.platform.backing)
		return nil
	}
}

// tells changes what the evidence call says.
func tells(change func(*ceph.Claim)) func(*site) error {
	return stores(func(b *backing) {
		b.pretends = func(c ceph.Claim) ceph.Claim {
			change(&c)
			return c
		}
	})
}

// cluster changes the cluster, or the judge's way into it.
func cluster(change func(*site)) func(*site) error {
	return func(s *site) error {
		change(s)
		return nil
	}
}

// broken is a way into a cluster that always fails.
type broken struct{ err error }

func (b broken) Read(context.Context, ceph.Object, int64, int64) ([]byte, error) { return nil, b.err }
func (b broken) Ask(context.Context, ceph.Query) ([]byte, error)                 { return nil, b.err }
func (b broken) Close() error                                                    { return nil }

// gateway gives the judge a gateway that shows the objects by their ETags, after
// some change of their bytes, and has the evidence name them.
func gateway(change func([]byte) []byte) func(*site) error {
	return func(s *site) error {
		s.way.Gateway = shown{s.platform, change}
		return tells(func(c *ceph.Claim) { c.Bucket, c.Object = "bucket", c.ETag })(s)
	}
}

// shown is an S3 gateway as the judge sees it.
type shown struct {
	platform *platform
	change   func([]byte) []byte // nil: none
}

func (shown) Bucket() string { return "bucket" }

func (g shown) Object(_ context.Context, _, etag string, limit int64) ([]byte, error) {
	g.platform.mu.RLock()
	defer g.platform.mu.RUnlock()
	for _, o := range g.platform.objects {
		if o.etag != etag {
			continue
		}
		body := bytes.Clone(o.body)
		if g.change != nil {
			body = g.change(body)
		}
		return body[:min(int64(len(body)), limit)], nil
	}
	return nil, ceph.ErrNotFound
}
