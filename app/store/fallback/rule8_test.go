package fallback

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
	"bogops/app/store/versioned/memplace"
)

// cutOff has Ceph refuse every call of these instances.
func (p *platform) cutOff(nodes ...*node) {
	p.world.Home.SetDecide(func(call memplace.Call) memplace.Outcome {
		for _, n := range nodes {
			if call.Instance == n.cfg.Instance {
				return memplace.Refuse
			}
		}
		return memplace.Proceed
	})
}

func TestCephIsLeftOnlyWhereHalfOfTheInstancesHaveLostIt(t *testing.T) {
	for _, c := range []struct {
		instances, cut int
		want           Mode
	}{{1, 1, Fallback}, {2, 1, Fallback}, {3, 1, Primary}, {3, 2, Fallback}, {4, 1, Primary}, {4, 2, Fallback}} {
		p := newPlatform(t, c.instances, broken{})
		p.cutOff(p.nodes[:c.cut]...)
		p.pass(3*testLease, p.nodes...)
		require.Equal(t, c.want, p.mode(), "%d of %d", c.cut, c.instances)
	}
}

func TestAnInstanceThatLostCephAloneIsNotReady(t *testing.T) {
	p := newPlatform(t, 3, broken{})
	p.cutOff(p.nodes[0])
	p.pass(2*testLease, p.nodes...)
	require.Equal(t, store.Down, p.nodes[0].Health(t.Context()).State)
	require.Equal(t, store.Healthy, p.nodes[1].Health(t.Context()).State)
	p.cutOff()
	p.pass(2*time.Second, p.nodes...)
	require.Equal(t, store.Healthy, p.nodes[0].Health(t.Context()).State)
}

func TestInstancesThatAreGoneHaveNoVote(t *testing.T) {
	p := newPlatform(t, 4, broken{})
	for _, n := range p.nodes[1:] {
		n.instance.Kill()
	}
	p.nodes = p.nodes[:1]
	p.world.Home.SetDown(true)
	p.leave()
}

func TestCephIsNotLeftForAShortTime(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	for range 5 {
		p.world.Home.SetDown(true)
		p.pass(9*time.Second, p.nodes...)
		p.world.Home.SetDown(false)
		p.pass(2*time.Second, p.nodes...)
	}
	require.Equal(t, Primary, p.mode())
}

func TestCephIsReturnedToOnlyWhereMostHaveItBackForAWhile(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	p.leave()
	p.cutOff(p.nodes[0])
	p.world.Home.SetDown(false)
	p.pass(3*testLease, p.nodes...)
	require.Equal(t, Fallback, p.mode(), "one of two")
	p.cutOff()
	for range 8 {
		p.pass(time.Second, p.nodes...)
		require.Equal(t, Fallback, p.mode(), "not for a while yet")
	}
	p.pass(5*time.Second, p.nodes...)
	require.Equal(t, Reconciling, p.mode())
}

func TestCephMayBeLeftAgainWhileItIsReturnedTo(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	one, two := p.nodes[0], p.nodes[1]
	p.leave()
	_, err := one.write(t.Context(), "a", "first way out", store.PutOptions{})
	require.NoError(t, err)
	p.comeBack()
	p.leave()
	require.Equal(t, []uint64{2, 4}, one.State().Areas)
	_, err = two.write(t.Context(), "b", "second way out", store.PutOptions{})
	require.NoError(t, err)
	require.Equal(t, "503", one.read(t.Context(), "a"), "the area of this epoch does not hold it")
	p.comeBack()
	require.Equal(t, "first way out", two.read(t.Context(), "a"))
	p.bringHome()
	require.Equal(t, "first way out", one.read(t.Context(), "a"))
	require.Equal(t, "second way out", one.read(t.Context(), "b"))
	require.Empty(t, one.State().Areas)
}

func TestOneInstanceBringsHomeUntilItFallsSilent(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	one, two := p.nodes[0], p.nodes[1]
	require.True(t, one.sit(t.Context()))
	require.True(t, one.sit(t.Context()))
	require.False(t, two.sit(t.Context()))
	p.clock.advance(2 * testLease)
	require.False(t, two.sit(t.Context()))
	require.True(t, one.sit(t.Context()))
	p.clock.advance(2*testLease + time.Second)
	require.False(t, two.sit(t.Context()), "the holder was there since")
	p.clock.advance(2*testLease + time.Second)
	require.True(t, two.sit(t.Context()))
	require.False(t, one.sit(t.Context()))
}

func TestAReconcilerThatDiedHalfWayIsFollowedByAnother(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	one, two := p.nodes[0], p.nodes[1]
	p.leave()
	_, err := one.write(t.Context(), "k", "x", store.PutOptions{})
	require.NoError(t, err)
	p.comeBack()
	during(p.world.Away, by(one, "remove", "k"), one.instance.Kill)
	require.Error(t, one.workOnce(t.Context()))
	p.nodes = []*node{two}
	require.NoError(t, two.workOnce(t.Context()), "the seat is taken")
	require.Equal(t, Reconciling, p.mode())
	p.pass(3*testLease, two)
	p.bringHome()
	require.Equal(t, "x", two.read(t.Context(), "k"))
}

// spoiling is a home that loses a byte of what comes home.
type spoiling struct{ *memplace.Home }

func (s spoiling) Open(ctx context.Context, key string, rng store.Range) (io.ReadCloser, versioned.Head, error) {
	body, head, err := s.Home.Open(ctx, key, rng)
	if body != nil {
		body = io.NopCloser(strings.NewReader("spoilt"))
	}
	return body, head, err
}

func TestWhatDoesNotReadBackAtHomeStaysAway(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	p.leave()
	n := p.nodes[0]
	for _, key := range []string{"a", "b"} {
		_, err := n.write(t.Context(), key, "whole", store.PutOptions{})
		require.NoError(t, err)
	}
	p.comeBack()
	right := n.home
	n.home = spoiling{right.(*memplace.Home)}
	require.ErrorIs(t, n.workOnce(t.Context()), store.ErrDamaged)
	require.Equal(t, Reconciling, p.mode())
	heads, _, err := n.away.Heads(t.Context(), 2, "", 10)
	require.NoError(t, err)
	require.Len(t, heads, 2)
	n.home = right
	p.bringHome()
}

func TestOneObjectThatCannotComeHomeKeepsNoOtherAway(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	p.leave()
	n := p.nodes[0]
	for _, key := range []string{"a", "b", "c"} {
		_, err := n.write(t.Context(), key, "x", store.PutOptions{})
		require.NoError(t, err)
	}
	p.comeBack()
	p.world.Home.SetDecide(func(call memplace.Call) memplace.Outcome {
		if call.Key == "b" && call.Write {
			return memplace.Refuse
		}
		return memplace.Proceed
	})
	require.Error(t, n.workOnce(t.Context()))
	heads, _, err := n.away.Heads(t.Context(), 2, "", 10)
	require.NoError(t, err)
	require.Len(t, heads, 1)
	require.Equal(t, "b", heads[0].Info.Key)
}

func TestAnAreaThatCannotBeEmptiedKeepsNoOtherAway(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n := p.nodes[0]
	for _, key := range []string{"a", "b"} {
		p.leave()
		_, err := n.write(t.Context(), key, "x", store.PutOptions{})
		require.NoError(t, err)
		p.comeBack()
	}
	require.Equal(t, []uint64{2, 4}, n.State().Areas)
	p.world.Home.SetDecide(func(call memplace.Call) memplace.Outcome {
		if call.Key == "a" && call.Write {
			return memplace.Refuse
		}
		return memplace.Proceed
	})
	require.Error(t, n.workOnce(t.Context()))
	require.Equal(t, []uint64{2}, n.State().Areas)
	p.world.Home.SetDecide(nil)
	p.bringHome()
}

func TestAWriteMadeWhileReconcilingIsNotOverwrittenByWhatComesHome(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	one, two := p.nodes[0], p.nodes[1]
	p.leave()
	_, err := one.write(t.Context(), "k", "of meanwhile", store.PutOptions{})
	require.NoError(t, err)
	p.comeBack()
	during(p.world.Home, by(one, "commit", "k"), func() {
		_, err := two.write(t.Context(), "k", "of now", store.PutOptions{})
		require.NoError(t, err)
	})
	p.bringHome()
	require.Equal(t, "of now", one.read(t.Context(), "k"))
}
