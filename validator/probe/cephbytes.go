package probe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"

	"bogops/validator/ceph"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// roundtripBytes is the size of the object that is looked for in Ceph.
const roundtripBytes = 256 << 10

// proof is what the evidence keeps of a round trip.
type proof struct {
	Mode      string        `json:"mode"`
	FSID      string        `json:"fsid"`
	Pool      string        `json:"pool"`
	Namespace string        `json:"namespace"`
	PutSHA256 string        `json:"put_sha256"`
	GotSHA256 string        `json:"got_sha256"`
	Pieces    []provenPiece `json:"pieces"`
}

type provenPiece struct {
	ceph.Piece
	ceph.Placement
}

func cephRoundtrip(ctx context.Context, s *Session) (string, error) {
	key, body := s.Key(s.Word(12)), s.Bytes(roundtripBytes)
	tag, err := s.storeTag(ctx, key, body)
	if err != nil {
		return "", err
	}
	_, note, err := s.provenInCeph(ctx, key, tag, body)
	return note, err
}

// provenInCeph returns the claim of key that was found true, and the proof in one
// sentence. It looks twice: a platform may move an object between telling where
// it is and the judge's look.
func (s *Session) provenInCeph(ctx context.Context, key, tag string, body []byte) (ceph.Claim, string, error) {
	claim, note, err := s.seenInCeph(ctx, key, tag, body)
	if status := verdict.Of(err); status == verdict.Unproven || status == verdict.Corrupt {
		claim, note, err = s.seenInCeph(ctx, key, tag, body)
	}
	return claim, note, err
}

// seenInCeph rebuilds key from the cluster, wants exactly body, and notes the
// proof.
func (s *Session) seenInCeph(ctx context.Context, key, tag string, body []byte) (ceph.Claim, string, error) {
	claim, fsid, err := s.claim(ctx, key, tag, len(body))
	if err != nil {
		return claim, "", err
	}
	cluster := s.ceph()
	got, err := io.ReadAll(io.LimitReader(cluster.Body(ctx, claim), int64(len(body))+1))
	if err != nil {
		return claim, "", ceph.Settle(ctx, s.Target, err, "the bytes of the object, in Ceph")
	}
	p := proof{Mode: cluster.Mode, FSID: fsid, Pool: claim.Pool, Namespace: claim.Namespace, PutSHA256: hashOf(body), GotSHA256: hashOf(got)}
	for _, piece := range claim.Pieces {
		place, err := cluster.Placement(ctx, claim.In(piece))
		if err != nil {
			return claim, "", ceph.Settle(ctx, s.Target, err, "the placement group of "+piece.Name)
		}
		p.Pieces = append(p.Pieces, provenPiece{piece, place})
	}
	s.note("proof", p)
	if err := sameBytes("The bytes in Ceph are others than were put", got, body); err != nil {
		return claim, "", err
	}
	if err := s.seenByGateway(ctx, claim, body); err != nil {
		return claim, "", err
	}
	first := p.Pieces[0]
	return claim, fmt.Sprintf("%s read back in Ceph: pool %s, %d piece(s), the first %s in PG %s on OSDs %v, SHA-256 %.12s",
		size(len(body)), claim.Pool, len(p.Pieces), short(first.Name), first.PG, first.OSDs, p.GotSHA256), nil
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func sameBytes(what string, got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	return verdict.New(verdict.Corrupt, what, fmt.Sprintf("%d bytes with SHA-256 %.12s", len(got), hashOf(got)),
		fmt.Sprintf("%d bytes with SHA-256 %.12s", len(want), hashOf(want)))
}

// seenByGateway wants the same bytes from RGW too, where it is the way in: the
// object must also be what the gateway's readers get.
func (s *Session) seenByGateway(ctx context.Context, claim ceph.Claim, body []byte) error {
	gateway := s.ceph().Gateway
	if gateway == nil {
		return nil
	}
	if claim.Bucket != gateway.Bucket() || claim.Object == "" {
		return ceph.Unproven(fmt.Sprintf("bucket %s, object %s", quoted(claim.Bucket), quoted(claim.Object)), "an object of the bucket "+quoted(gateway.Bucket()))
	}
	got, err := gateway.Object(ctx, claim.Bucket, claim.Object, int64(len(body))+1)
	if err != nil {
		return ceph.Settle(ctx, s.Target, err, "the object, by the gateway")
	}
	return sameBytes("The gateway's bytes are others than were put", got, body)
}

// claim asks the platform where key lies, and the monitors whether that can be;
// it returns the id of the cluster that the monitors gave. A claim that says
// nothing, or of another store or cluster, leaves the platform UNPROVEN: it
// stores, and Ceph is not shown.
func (s *Session) claim(ctx context.Context, key, tag string, length int) (ceph.Claim, string, error) {
	claim, err := s.askEvidence(ctx, key)
	if err != nil {
		return claim, "", err
	}
	cluster := s.ceph()
	health, err := cluster.Health(ctx)
	if err != nil && claim.Store == "ceph" {
		return claim, "", ceph.Settle(ctx, s.Target, err, "monitors that say which cluster this is")
	}
	if why := cluster.Elsewhere(claim, health.FSID); why != "" {
		return claim, "", ceph.Unproven(why, "pieces in the Ceph that the judge was given")
	}
	if claim.Size != int64(length) || claim.ETag != tag {
		return claim, "", ceph.Unproven(fmt.Sprintf("the evidence is of %d bytes with ETag %s", claim.Size, quoted(claim.ETag)),
			fmt.Sprintf("that of the write of %d bytes with ETag %s", length, quoted(tag)))
	}
	return claim, health.FSID, nil
}

// askEvidence is the evidence call, as far as it goes by itself.
func (s *Session) askEvidence(ctx context.Context, key string) (ceph.Claim, error) {
	reply, err := s.Do(ctx, target.Request{Method: http.MethodGet, Path: "/v1/evidence/" + escape(key)})
	if err != nil {
		return ceph.Claim{}, err
	}
	claim, err := ceph.ClaimIn(reply)
	if err != nil {
		return claim, err
	}
	s.note("claim", claim)
	return claim, nil
}

// provenPool is the pool that the objects really lie in, where none was agreed:
// a platform could name a better one than it stores in.
func (s *Session) provenPool(ctx context.Context) (string, error) {
	if agreed := s.ceph().Pool; agreed != "" {
		return agreed, nil
	}
	key, body := s.Key(s.Word(12)), s.Bytes(roundtripBytes)
	tag, err := s.storeTag(ctx, key, body)
	if err != nil {
		return "", err
	}
	claim, _, err := s.provenInCeph(ctx, key, tag, body)
	return claim.Pool, err
}
