package load

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheQuickCheckPassesOnARealNetwork(t *testing.T) {
	for _, r := range QuickCheck(t.Context()) {
		require.True(t, r.OK, "%s: got %s, want %s", r.Name, r.Got, r.Want)
	}
}
