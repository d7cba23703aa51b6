package fallback

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

// A write that sleeps in the midst of its way to Ceph must not be acknowledged
// once the others have moved on: it is older than what they have acknowledged.
func TestAWriteThatSleptOverAMoveIsNotAcknowledged(t *testing.T) {
	for _, rules := range []broken{{}, {noSecond: true}} {
		p := newPlatform(t, 2, rules)
		one, two := p.nodes[0], p.nodes[1]
		during(p.world.Home, by(one, "commit", "k"), func() {
			p.leaveWithout(one)
			_, err := two.write(t.Context(), "k", "newer", store.PutOptions{})
			require.NoError(t, err)
		})
		_, err := one.write(t.Context(), "k", "slept", store.PutOptions{})
		p.comeBackBy(two)
		require.Equal(t, "newer", two.read(t.Context(), "k"))
		if rules.noSecond {
			require.NoError(t, err, "the broken rule goes unnoticed: what was acknowledged last is not what is read")
			continue
		}
		require.ErrorIs(t, err, store.ErrUnknown)
	}
}

// comeBackBy goes home through one instance.
func (p *platform) comeBackBy(n *node) {
	p.t.Helper()
	p.world.Home.SetDown(false)
	p.pass(4*testLease, n)
	require.Equal(p.t, Reconciling, n.State().Mode)
	require.True(p.t, n.State().Serving)
}

func TestAReadThatSleptOverAMoveTellsNothing(t *testing.T) {
	for _, rules := range []broken{{}, {noSecond: true}} {
		p := newPlatform(t, 2, rules)
		one, two := p.nodes[0], p.nodes[1]
		_, err := one.write(t.Context(), "k", "old", store.PutOptions{})
		require.NoError(t, err)
		during(p.world.Home, by(one, "open", "k"), func() { p.leaveWithout(one) })
		got := one.read(t.Context(), "k")
		if rules.noSecond {
			require.Equal(t, "old", got)
			continue
		}
		require.Equal(t, "503", got)
		require.True(t, two.State().Serving)
	}
}

func TestNotEvenAFailedConditionIsToldAfterAMove(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	one := p.nodes[0]
	_, err := one.write(t.Context(), "k", "old", store.PutOptions{})
	require.NoError(t, err)
	during(p.world.Home, by(one, "head", "k"), func() { p.leaveWithout(one) })
	_, err = one.write(t.Context(), "k", "x", store.PutOptions{IfAbsent: true})
	require.ErrorIs(t, err, store.ErrUnavailable)
	require.NotErrorIs(t, err, store.ErrCondition)
}

// The lease of the writer is good to the end here: only the record itself says
// that the area is over, and that the reconciler may have listed it already.
func TestAWriteInAnAreaIsConfirmedByTheRecordItself(t *testing.T) {
	for _, rules := range []broken{{}, {noSecond: true}} {
		p := newPlatform(t, 2, rules)
		p.leave()
		one, two := p.nodes[0], p.nodes[1]
		p.world.Home.SetDown(false)
		during(p.world.Away, by(one, "commit", "k"), func() { two.move(t.Context(), Reconciling) })
		_, err := one.write(t.Context(), "k", "late", store.PutOptions{})
		if rules.noSecond {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, store.ErrUnknown)
	}
}

// A reading that has seen the record already, and whose answer is on its way, is
// of no use to who asks now: the record has moved since.
func TestTheRecordIsReadOnlyAfterTheWrite(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n, other := p.nodes[0], p.add(broken{})
	other.beat(t.Context())
	first, err := n.fresh(t.Context())
	require.NoError(t, err)
	asked := make(chan record, 1)
	steps := 0
	p.world.Away.SetDelay(func() time.Duration {
		if steps++; steps < 2 {
			return 0 // on its way in
		}
		p.world.Away.SetDelay(nil)
		other.move(t.Context(), Fallback)
		asking := make(chan struct{})
		go func() {
			close(asking)
			r, err := n.fresh(context.WithoutCancel(t.Context()))
			assert.NoError(t, err)
			asked <- r
		}()
		<-asking
		// Whether it joins this reading or waits for the next: it does by now.
		require.Eventually(t, func() bool {
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.next != nil
		}, 10*time.Second, time.Millisecond)
		return 0
	})
	underWay, err := n.fresh(t.Context())
	require.NoError(t, err)
	require.Equal(t, first.Epoch, underWay.Epoch)
	require.Equal(t, first.Epoch+1, (<-asked).Epoch, "a reading that began before it was asked for")
}

func TestTheReconcilerListsOnlyAfterTheWait(t *testing.T) {
	for _, rules := range []broken{{}, {listAtOnce: true}} {
		p := newPlatform(t, 1, rules)
		p.leave()
		n := p.nodes[0]
		_, err := n.write(t.Context(), "k", "x", store.PutOptions{})
		require.NoError(t, err)
		p.world.Home.SetDown(false)
		n.move(t.Context(), Reconciling)
		require.NoError(t, n.workOnce(t.Context()))
		if rules.listAtOnce {
			require.Equal(t, Primary, p.mode())
			continue
		}
		require.Equal(t, Reconciling, p.mode())
		p.serveAll()
		require.NoError(t, n.workOnce(t.Context()))
		require.Equal(t, Primary, p.mode())
	}
}
