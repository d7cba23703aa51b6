package probe

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"mime"
	"slices"
	"strings"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// wantStatus is nil where reply has one of these statuses.
func wantStatus(reply *target.Reply, what string, want ...int) error {
	if slices.Contains(want, reply.Status) {
		return nil
	}
	texts := make([]string, len(want))
	for i, status := range want {
		texts[i] = fmt.Sprint(status)
	}
	got := fmt.Sprint(reply.Status)
	if reply.Status >= 400 {
		if excerpt := reply.Excerpt(160); excerpt != "" {
			got += " " + excerpt
		}
	}
	return verdict.Wrong(what, got, strings.Join(texts, " or "))
}

// wantObject is nil where reply is a 200 with exactly these bytes, which were
// acknowledged: an object that is missing or changed is CORRUPT.
func wantObject(reply *target.Reply, what string, want []byte) error {
	if err := wantAcknowledged(reply, what); err != nil {
		return err
	}
	return wantBytes(reply, what, want, verdict.Corrupt)
}

// wantAcknowledged is nil where reply is a 200.
func wantAcknowledged(reply *target.Reply, what string) error {
	if reply.Status == 404 {
		return verdict.New(verdict.Corrupt, what, "404", "the acknowledged object")
	}
	return wantStatus(reply, what, 200)
}

// wantBytes is nil where the body is exactly this.
func wantBytes(reply *target.Reply, what string, want []byte, otherwise verdict.Status) error {
	if bytes.Equal(reply.Body, want) && !reply.Over {
		return nil
	}
	got := size(len(reply.Body))
	switch at := firstDifference(reply.Body, want); {
	case reply.Over:
		got = "more than " + got
	case len(reply.Body) == len(want):
		got = fmt.Sprintf("%s that differ from byte %d on", got, at)
	}
	return verdict.New(otherwise, what, got, fmt.Sprintf("%s with SHA-256 %.12x", size(len(want)), sha256.Sum256(want)))
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// wantType is nil where the media type is this, whatever its parameters.
func wantType(reply *target.Reply, what, want string) error {
	got := reply.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(got); err != nil || media != want {
		return verdict.Wrong("Content-Type of "+what, quoted(got), want)
	}
	return nil
}

func quoted(text string) string {
	if text == "" {
		return "nothing"
	}
	return fmt.Sprintf("%q", short(text))
}

func short(text string) string {
	if len(text) > 120 {
		return text[:117] + "..."
	}
	return text
}

// size spells a number of bytes as people do, where it is round.
func size[N int | int64](n N) string {
	switch {
	case n > 0 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n > 0 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
