package board

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

const demoEvidence = `{"request":{"method":"PUT","path":"/v1/objects/probe/1"},"answer":{"status":503},"note":"<script>alert(1)</script>"}`

var demoEvidenceHash = func() string {
	sum := sha256.Sum256([]byte(demoEvidence))
	return hex.EncodeToString(sum[:])
}()

var errNoEvidence = errors.New("no such evidence")

func demoEvidenceOf(hash string) ([]byte, error) {
	if hash != demoEvidenceHash {
		return nil, errNoEvidence
	}
	return []byte(demoEvidence), nil
}
