package day

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/load"
)

func TestAMeasureThatIsWrongEveryTimeStopsTheLoadAndABusyMomentDoesNot(t *testing.T) {
	for _, c := range []struct {
		name  string
		wrong int // tries
		stops bool
		asked int
	}{
		{"right at once", 0, false, 1},
		{"busy for a moment", 1, false, 2},
		{"wrong", 99, true, 3},
	} {
		asked, said := 0, 0
		check := func(context.Context) []load.Result {
			asked++
			return []load.Result{{Name: "a", OK: true}, {Name: "b", OK: asked > c.wrong, Got: "1.03 s", Want: "0.39 s"}}
		}
		err := measure(t.Context(), check, func(string) { said++ })
		if c.stops {
			require.ErrorIs(t, err, ErrMeasure, c.name)
			require.ErrorContains(t, err, "b: got 1.03 s, want 0.39 s")
		} else {
			require.NoError(t, err, c.name)
		}
		require.Equal(t, c.asked, asked, c.name)
		require.Equal(t, min(c.wrong, 3), said, "every failed try is told")
	}
	ctx, stop := context.WithCancel(t.Context())
	err := measure(ctx, func(context.Context) []load.Result { stop(); return []load.Result{{}} }, func(string) {})
	require.ErrorIs(t, err, context.Canceled)
}
