package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The digits are those of `printf %s KEY | sha256sum | cut -c1-16`.
func TestAFingerprintIsWhatAnOperatorComputesByHand(t *testing.T) {
	require.Equal(t, "key#ba7816bf8f01cfea", Fingerprint("abc"))
	require.Equal(t, "key#e3b0c44298fc1c14", Fingerprint(""))
}
