package fallback

import (
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned/memplace"
)

// A reconciler sleeps before it removes what it has brought home, over the next
// way out. What is written meanwhile lies in another area.
func TestAReconcilerThatSleepsTakesNothingOfTheNextArea(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	p.leave()
	one, two := p.nodes[0], p.nodes[1]
	_, err := one.write(t.Context(), "k", "first way out", store.PutOptions{})
	require.NoError(t, err)
	p.comeBack()
	during(p.world.Away, by(one, "remove", "k"), func() {
		p.leaveWithout(one)
		require.Equal(t, []uint64{2, 4}, two.State().Areas)
		_, err := two.write(t.Context(), "k", "second way out", store.PutOptions{})
		require.NoError(t, err)
	})
	_ = one.workOnce(t.Context()) // its term is over; what it had begun it may end
	p.comeBackBy(two)
	require.Equal(t, "second way out", two.read(t.Context(), "k"))
	p.serveAll()
	p.bringHome()
	require.Equal(t, "second way out", one.read(t.Context(), "k"))
}

func TestWhatAnEndedAreaHoldsIsSweptOnceItIsOffTheList(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	p.leave()
	n := p.nodes[0]
	p.world.Away.SetDecide(func(call memplace.Call) memplace.Outcome {
		if call.Op == "commit" {
			return memplace.Haunt
		}
		return memplace.Proceed
	})
	_, err := n.write(t.Context(), "k", "ghost", store.PutOptions{})
	require.ErrorIs(t, err, store.ErrUnknown)
	p.world.Away.SetDecide(nil)
	p.comeBack()
	p.bringHome()
	require.Equal(t, 1, p.world.Away.Land(memplace.All))
	require.Equal(t, "nothing", n.read(t.Context(), "k"), "nobody reads an area off the list")
	areas, err := n.away.Areas(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint64{2}, areas)
	p.pass(testLease, n)
	require.NoError(t, n.workOnce(t.Context()))
	areas, err = n.away.Areas(t.Context())
	require.NoError(t, err)
	require.Empty(t, areas)
}

func TestAListedAreaIsNotSwept(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	p.leave()
	n := p.nodes[0]
	_, err := n.write(t.Context(), "k", "x", store.PutOptions{})
	require.NoError(t, err)
	op, err := n.begin(t.Context())
	require.NoError(t, err)
	defer op.end()
	require.ErrorContains(t, op.sweep(), "there is an area of epoch 2")
}
