package fallback

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned/memplace"
)

// A write whose answer was lost waits for a key without anything. A delete that
// left nothing would let it land after it.
func TestADeleteKeepsAnEarlierGhostFromLanding(t *testing.T) {
	for _, leave := range []bool{false, true} {
		for _, rules := range []broken{{}, {deleteRemoves: true}} {
			p := newPlatform(t, 1, rules)
			n, site := p.nodes[0], p.world.Home
			if leave {
				p.leave()
				site = p.world.Away
			}
			haunt(t, n, site, "k")
			require.NoError(t, n.Delete(t.Context(), "k", ""))
			landed := site.Land(memplace.All)
			if rules.deleteRemoves {
				require.Equal(t, 1, landed, "the broken rule goes unnoticed")
				require.Equal(t, "ghost", n.read(t.Context(), "k"))
				continue
			}
			require.Zero(t, landed)
			require.Equal(t, "nothing", n.read(t.Context(), "k"))
		}
	}
}

// haunt leaves a write of key under way that nobody waits for.
func haunt(t *testing.T, n *node, site *memplace.Site, key string) {
	t.Helper()
	site.SetDecide(func(call memplace.Call) memplace.Outcome {
		if call.Op == "commit" && call.Key == key {
			return memplace.Haunt
		}
		return memplace.Proceed
	})
	_, err := n.write(t.Context(), key, "ghost", store.PutOptions{})
	require.ErrorIs(t, err, store.ErrUnknown)
	site.SetDecide(nil)
}

// tidy lets the collector go as many steps as a removal takes, and more.
func (p *platform) tidy() {
	for range 4 {
		p.pass(testLease, p.nodes...)
		require.NoError(p.t, p.nodes[0].workOnce(p.t.Context()))
	}
}

func (p *platform) tombstones() int {
	heads, _, err := p.nodes[0].home.Tombstones(p.t.Context(), "", 100)
	require.NoError(p.t, err)
	return len(heads)
}

func TestATombstoneGoesWhenNothingOlderIsUnderWay(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	require.NoError(t, p.nodes[1].Delete(t.Context(), "k", ""))
	require.Equal(t, 1, p.tombstones())
	p.tidy()
	require.Zero(t, p.tombstones())
}

func TestATombstoneStaysWhileAnOlderOperationIsUnderWay(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	slow, err := p.nodes[1].begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.nodes[0].Delete(t.Context(), "k", ""))
	p.tidy()
	require.Equal(t, 1, p.tombstones())
	later, err := p.nodes[1].begin(t.Context())
	require.NoError(t, err)
	defer later.end()
	slow.end()
	p.tidy()
	require.Zero(t, p.tombstones(), "what began after the round keeps no tombstone")
}

func TestATombstoneStaysWhereAWriteMayStillLand(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	haunt(t, p.nodes[1], p.world.Home, "k")
	require.NoError(t, p.nodes[0].Delete(t.Context(), "k", ""))
	require.NoError(t, p.nodes[0].Delete(t.Context(), "other", ""))
	p.tidy()
	require.Equal(t, 1, p.tombstones(), "the other one is gone")
	require.Zero(t, p.world.Home.Land(memplace.All))
	require.Equal(t, "nothing", p.nodes[0].read(t.Context(), "k"))
}

func TestNoTombstoneGoesWhileAnythingIsAwayFromHome(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n := p.nodes[0]
	require.NoError(t, n.Delete(t.Context(), "k", ""))
	p.leave()
	_, err := n.write(t.Context(), "other", "x", store.PutOptions{})
	require.NoError(t, err)
	p.comeBack()
	p.world.Away.SetDecide(func(call memplace.Call) memplace.Outcome {
		if call.Op == "remove" {
			return memplace.Refuse
		}
		return memplace.Proceed
	})
	for range 4 {
		p.pass(testLease, n)
		require.Error(t, n.workOnce(t.Context()))
	}
	require.Equal(t, Reconciling, p.mode())
	require.Equal(t, 1, p.tombstones())
}

func TestAnInstanceThatFellSilentIsShutOutBeforeItsTombstonesGo(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	gone := p.nodes[1]
	haunt(t, gone, p.world.Home, "k")
	gone.step(t.Context())
	gone.instance.Kill()
	p.nodes = p.nodes[:1]
	require.NoError(t, p.nodes[0].Delete(t.Context(), "k", ""))
	p.tidy()
	require.Equal(t, 1, p.tombstones())
	p.pass(forgetAfter+time.Second, p.nodes...)
	p.tidy()
	require.Zero(t, p.tombstones())
	require.Zero(t, p.world.Home.Land(memplace.All), "its address is on the blocklist")
	require.Equal(t, "nothing", p.nodes[0].read(t.Context(), "k"))
}

// A write that landed in an area after it was emptied, and that its client was not
// told of, is older than the delete. A lost record would have the area listed.
func TestATombstoneStaysWhileAnEndedAreaHoldsAnything(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	p.leave()
	one, two := p.nodes[0], p.nodes[1]
	during(p.world.Away, by(one, "commit", "k"), func() {
		p.nodes = []*node{two}
		p.comeBack()
		require.NoError(t, two.workOnce(t.Context()))
		require.Equal(t, Primary, p.mode())
	})
	_, err := one.write(context.WithoutCancel(t.Context()), "k", "late", store.PutOptions{})
	require.ErrorIs(t, err, store.ErrUnknown)
	p.nodes = []*node{two, one}
	p.serveAll()
	require.NoError(t, two.Delete(t.Context(), "k", ""))
	p.world.Away.SetDecide(func(call memplace.Call) memplace.Outcome {
		if call.Op == "remove" {
			return memplace.Refuse
		}
		return memplace.Proceed
	})
	for range 4 {
		p.pass(testLease, p.nodes...)
		require.Error(t, two.workOnce(t.Context()), "the area cannot be swept")
	}
	loseRecords(p, recordName)
	p.serveAll()
	require.Equal(t, Reconciling, p.mode())
	require.Equal(t, "nothing", one.read(t.Context(), "k"))
}

func TestMoreDoubtsThanARecordHoldsKeepEveryTombstone(t *testing.T) {
	f := flights{begun: map[uint64]int{}}
	f.see(3)
	require.EqualValues(t, 3, f.cleared())
	for i := range mostUnknown + 1 {
		f.doubt(string(rune('a' + i)))
	}
	require.Len(t, f.unknown, mostUnknown)
	require.Zero(t, f.cleared())
}
