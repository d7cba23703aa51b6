package process

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// bindStretch makes the step that is a dial for CPU load: PBKDF2 (RFC 8018,
// section 5.2) with HMAC-SHA-256 over the raw SHA-256 of the bytes.
func bindStretch(args []string) step {
	salt, rounds := []byte(args[0]), int(number(args[1]))
	return step{
		name:  "stretch",
		size:  func(int64) int64 { return int64(hex.EncodedLen(sha256.Size)) },
		extra: stretchRound * float64(rounds),
		run: func(ctx context.Context, in io.Reader, _ int64) io.Reader {
			return &whole{make: func() ([]byte, error) { return stretch(ctx, in, salt, rounds) }}
		},
	}
}

// stretch looks at ctx once, before the iterations: they take 16 ms at most
// where the processor knows SHA, and the library that knows them best cannot
// be interrupted.
func stretch(ctx context.Context, in io.Reader, salt []byte, rounds int) ([]byte, error) {
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	key, err := pbkdf2.Key(sha256.New, string(h.Sum(nil)), salt, rounds, sha256.Size)
	if err != nil {
		return nil, err
	}
	return hex.AppendEncode(nil, key), nil
}
