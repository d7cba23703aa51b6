package fallback

import (
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned/memplace"
)

func TestAVersionNeverGoesDown(t *testing.T) {
	p := newPlatform(t, 2, broken{noSecond: true}) // the guard of versions alone
	one, two := p.nodes[0], p.nodes[1]
	_, err := one.write(t.Context(), "k", "first", store.PutOptions{})
	require.NoError(t, err)
	during(p.world.Home, by(one, "head", "k"), func() {
		p.leaveWithout(one)
		p.comeBackBy(two)
		_, err := two.write(t.Context(), "k", "of epoch 3", store.PutOptions{})
		require.NoError(t, err)
	})
	_, err = one.write(t.Context(), "k", "of epoch 1", store.PutOptions{})
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.Equal(t, "of epoch 3", two.read(t.Context(), "k"))
}

func TestOfTwoThatReplaceOneVersionInAnAreaOneDoes(t *testing.T) {
	for _, rules := range []broken{{}, {unguardedS3: true}} {
		p := newPlatform(t, 2, rules)
		p.leave()
		one, two := p.nodes[0], p.nodes[1]
		first, err := one.write(t.Context(), "k", "first", store.PutOptions{})
		require.NoError(t, err)
		swap := store.PutOptions{IfMatch: first.ETag}
		during(p.world.Away, by(one, "stage", "k"), func() {
			_, err := two.write(t.Context(), "k", "two", swap)
			require.NoError(t, err)
		})
		_, err = one.write(t.Context(), "k", "one", swap)
		if rules.unguardedS3 {
			require.NoError(t, err, "both were told that they had replaced the first")
			continue
		}
		require.ErrorIs(t, err, store.ErrCondition)
		require.Equal(t, "two", two.read(t.Context(), "k"))
	}
}

func TestAnAttemptOfUnknownOutcomeIsNotMadeAgain(t *testing.T) {
	for name, leave := range map[string]bool{"in Ceph": false, "in an area": true} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform(t, 1, broken{})
			site := p.world.Home
			if leave {
				p.leave()
				site = p.world.Away
			}
			n, commits := p.nodes[0], 0
			site.SetDecide(func(call memplace.Call) memplace.Outcome {
				if call.Op == "commit" {
					commits++
					return memplace.Haunt
				}
				return memplace.Proceed
			})
			_, err := n.write(t.Context(), "k", "ghost", store.PutOptions{})
			require.ErrorIs(t, err, store.ErrUnknown)
			require.Equal(t, 1, commits)
			site.SetDecide(nil)
			_, err = n.write(t.Context(), "k", "later", store.PutOptions{})
			require.NoError(t, err)
			require.Zero(t, site.Land(memplace.All), "the ghost was guarded by what is no longer there")
			require.Equal(t, "later", n.read(t.Context(), "k"))
		})
	}
}

func TestAtATieWhatCephHoldsStays(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	p.leave()
	one, two := p.nodes[0], p.nodes[1]
	_, err := one.write(t.Context(), "k", "acknowledged", store.PutOptions{})
	require.NoError(t, err)
	p.comeBack()
	require.Equal(t, "acknowledged", two.read(t.Context(), "k"))
	here, err := one.home.Head(t.Context(), "k")
	require.NoError(t, err)
	tie := here
	for i := range tie.Version.Nonce {
		tie.Version.Nonce[i] = 0xff
	}
	require.False(t, tie.Version.Newer(here.Version))
	require.NoError(t, one.settle(t.Context(), one.away.Area(2), tie))
	now, err := one.home.Head(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, here.Version, now.Version)
}
