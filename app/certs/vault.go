package certs

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// errSealed says that a value is there but does not open: what cannot be opened
// is never overwritten.
var errSealed = errors.New("does not open with this fleet key: it was sealed under another one, or is damaged")

// vault seals what goes into a Shared cache and limits how long it may take.
// Each value is bound to its key, so that nobody who can write to the cache can
// pass one name's entry off as another's.
type vault struct {
	shared Shared
	seal   cipher.AEAD
	space  string // the directory's entries, apart from those of other directories
	limit  time.Duration
}

// newVault keeps the entries of one ACME directory apart: a certificate from
// the staging directory must not outlive the switch to production.
func newVault(shared Shared, fleetKey []byte, directory string, limit time.Duration) (*vault, error) {
	block, err := aes.NewCipher(fleetKey)
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(directory))
	return &vault{shared: shared, seal: seal, space: hex.EncodeToString(sum[:6]) + "+", limit: limit}, nil
}

// sealedFormat opens every value, so that the format can change one day.
const sealedFormat = "bogops-sealed-1:"

func (v *vault) get(ctx context.Context, key string) ([]byte, string, error) {
	ctx, cancel := context.WithTimeout(ctx, v.limit)
	defer cancel()
	sealed, version, err := v.shared.Get(ctx, v.space+key)
	if err != nil {
		return nil, "", err
	}
	prefix := len(sealedFormat) + v.seal.NonceSize()
	if len(sealed) < prefix || string(sealed[:len(sealedFormat)]) != sealedFormat {
		return nil, "", fmt.Errorf("entry %s %w", v.space+key, errSealed)
	}
	value, err := v.seal.Open(nil, sealed[len(sealedFormat):prefix], sealed[prefix:], []byte(v.space+key))
	if err != nil {
		return nil, "", fmt.Errorf("entry %s %w", v.space+key, errSealed)
	}
	return value, version, nil
}

func (v *vault) put(ctx context.Context, key string, value []byte) error {
	ctx, cancel := context.WithTimeout(ctx, v.limit)
	defer cancel()
	return v.shared.Put(ctx, v.space+key, v.sealed(key, value))
}

func (v *vault) swap(ctx context.Context, key, version string, value []byte) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, v.limit)
	defer cancel()
	return v.shared.Swap(ctx, v.space+key, version, v.sealed(key, value))
}

func (v *vault) delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, v.limit)
	defer cancel()
	return v.shared.Delete(ctx, v.space+key)
}

// sealed draws a nonce for every value; 96 random bits last for 2^32 values
// under one key (NIST SP 800-38D), a fleet writes a few thousand a year.
func (v *vault) sealed(key string, value []byte) []byte {
	nonce := make([]byte, v.seal.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	sealed := append([]byte(sealedFormat), nonce...)
	return v.seal.Seal(sealed, nonce, value, []byte(v.space+key))
}
