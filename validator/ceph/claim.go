package ceph

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"unicode"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// Claim is what a platform's evidence call tells of one object (CHALLENGE.md,
// section 3). Nothing of it is believed before the bytes were read.
type Claim struct {
	Store     string  `json:"store"`
	ETag      string  `json:"etag"`
	Size      int64   `json:"size"`
	FSID      string  `json:"fsid,omitempty"`
	Pool      string  `json:"pool,omitempty"`
	Namespace string  `json:"namespace,omitempty"`
	Pieces    []Piece `json:"pieces,omitempty"`
	Bucket    string  `json:"bucket,omitempty"`
	Object    string  `json:"object,omitempty"`
}

// Piece is a part of an object: Length bytes that begin at byte At of the RADOS
// object Name and at byte Offset of the object.
type Piece struct {
	Name   string `json:"name"`
	At     int64  `json:"at"`
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
}

// maxPieces bounds what one claim may have the judge read, and maxName, in
// bytes, the names in it.
const (
	maxPieces = 1 << 16
	maxName   = 2048
)

// ParseClaim reads the body of an evidence call, and refuses one that does not
// say where each byte of the object lies. Its errors are sentences for the
// team.
func ParseClaim(body []byte) (Claim, error) {
	var c Claim
	if err := json.Unmarshal(body, &c); err != nil {
		return c, fmt.Errorf("the evidence is no JSON as CHALLENGE.md has it: %v", err)
	}
	if c.Store != "ceph" {
		return c, nil
	}
	if c.Pool == "" {
		return c, fmt.Errorf("the evidence names no pool")
	}
	if !speakable(c.Pool) || !speakable(c.Namespace) {
		return c, fmt.Errorf("the evidence names pool %.80q and namespace %.80q, want at most %d bytes each, no control characters and no dash in front", c.Pool, c.Namespace, maxName)
	}
	if len(c.Pieces) > maxPieces {
		return c, fmt.Errorf("the evidence has %d pieces, want at most %d", len(c.Pieces), maxPieces)
	}
	end := int64(0)
	for i, p := range c.Pieces {
		switch {
		case p.Name == "" || len(p.Name) > maxName:
			return c, fmt.Errorf("piece %d has a name of %d bytes, want 1 to %d", i+1, len(p.Name), maxName)
		case !speakable(p.Name):
			return c, fmt.Errorf("piece %d is named %.80q, want no control characters and no dash in front", i+1, p.Name)
		case p.Offset != end:
			return c, fmt.Errorf("piece %d begins at byte %d of the object, want %d: pieces follow one another", i+1, p.Offset, end)
		case p.At < 0 || p.Length <= 0 || p.Length > c.Size-end || p.At > math.MaxInt64-p.Length:
			return c, fmt.Errorf("piece %d has %d bytes from byte %d on, want a part of an object of %d bytes", i+1, p.Length, p.At, c.Size)
		}
		end += p.Length
	}
	if end != c.Size {
		return c, fmt.Errorf("the pieces hold %d bytes of %d", end, c.Size)
	}
	return c, nil
}

// speakable says whether a name can be handed to librados and to a program. One
// that cannot would look like a fault of the judge, who chose none of them.
func speakable(name string) bool {
	return len(name) <= maxName && !strings.HasPrefix(name, "-") && !strings.ContainsFunc(name, unicode.IsControl)
}

// In is the RADOS object that holds a piece.
func (c Claim) In(p Piece) Object { return Object{c.Pool, c.Namespace, p.Name} }

// Objects are the RADOS objects of the claim, each once.
func (c Claim) Objects() []Object {
	seen := map[string]bool{}
	var all []Object
	for _, p := range c.Pieces {
		if !seen[p.Name] {
			seen[p.Name] = true
			all = append(all, c.In(p))
		}
	}
	return all
}

// Elsewhere says why a claim cannot be of this cluster, or nothing. The fsid is
// what the monitors themselves say, empty where they could not be asked.
func (c *Cluster) Elsewhere(claim Claim, fsid string) string {
	switch {
	case claim.Store != "ceph":
		return fmt.Sprintf("the bytes are said to be in %q", claim.Store)
	case c.Pool != "" && claim.Pool != c.Pool:
		return fmt.Sprintf("the evidence names pool %q, the judge was given %q", claim.Pool, c.Pool)
	case c.Namespace != "" && claim.Namespace != c.Namespace:
		return fmt.Sprintf("the evidence names namespace %q, the judge was given %q", claim.Namespace, c.Namespace)
	case fsid != "" && claim.FSID != fsid:
		return fmt.Sprintf("the evidence names cluster %q, the monitors say %s", claim.FSID, fsid)
	}
	return ""
}

// atOnce is how many bytes of a piece are read in one call.
const atOnce = 4 << 20

// Body rebuilds the claimed object from the cluster, a part at a time. A RADOS
// object that ends before its piece does ends the body there. Read's errors are
// those of the access.
func (c *Cluster) Body(ctx context.Context, claim Claim) io.Reader {
	return &body{ctx: ctx, cluster: c, claim: claim}
}

type body struct {
	ctx     context.Context
	cluster *Cluster
	claim   Claim
	piece   int
	done    int64 // bytes of the piece that were read
	part    []byte
	cut     bool
}

func (b *body) Read(p []byte) (int, error) {
	for len(b.part) == 0 {
		if b.cut || b.piece == len(b.claim.Pieces) {
			return 0, io.EOF
		}
		piece := b.claim.Pieces[b.piece]
		want := min(atOnce, piece.Length-b.done)
		part, err := b.cluster.Read(b.ctx, b.claim.In(piece), piece.At+b.done, want)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", b.claim.In(piece), err)
		}
		b.part, b.cut = part, int64(len(part)) < want
		b.done += int64(len(part))
		if b.done == piece.Length {
			b.piece, b.done = b.piece+1, 0
		}
	}
	n := copy(p, b.part)
	b.part = b.part[n:]
	return n, nil
}

// ClaimIn is the claim in the answer of an evidence call. An answer without one
// leaves the platform UNPROVEN: it stores, and Ceph is not shown.
func ClaimIn(reply *target.Reply) (Claim, error) {
	if reply.Status != http.StatusOK || reply.Over {
		return Claim{}, Unproven(fmt.Sprintf("the evidence call answers %d %s", reply.Status, reply.Excerpt(160)), "200, and where the bytes lie")
	}
	claim, err := ParseClaim(reply.Body)
	if err != nil {
		return claim, Unproven(err.Error(), "the members of CHALLENGE.md, section 3")
	}
	return claim, nil
}

// Unproven is the finding that Ceph is not shown.
func Unproven(got, want string) error {
	return verdict.New(verdict.Unproven, "Ceph is not shown", got, want)
}
