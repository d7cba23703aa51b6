package score_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/score"
)

// BenchmarkReplay is the whole of the archetypes' day: 2,400 seconds of load.
func BenchmarkReplay(b *testing.B) {
	entries := archetypal().written(b)
	for b.Loop() {
		_, err := score.Of(entries)
		require.NoError(b, err)
	}
}

// BenchmarkResult is what the wall pays each second.
func BenchmarkResult(b *testing.B) {
	f := score.NewFold()
	for _, e := range archetypal().written(b) {
		require.NoError(b, f.Add(e))
	}
	for b.Loop() {
		f.Result()
	}
}
