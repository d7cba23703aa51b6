package fallback

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned/memplace"
)

func TestOfTwoWhoMoveTheModeAtOnceOneDoes(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	for _, n := range p.nodes {
		n.move(t.Context(), Fallback)
	}
	r, _, err := p.nodes[0].readRecord(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, r.Epoch)
	require.Equal(t, []uint64{2}, r.Areas)
}

func TestWhoHasLearnedOfAMoveDoesNotMakeItAgain(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	p.nodes[0].move(t.Context(), Fallback)
	p.nodes[1].beat(t.Context())
	p.nodes[1].move(t.Context(), Fallback)
	r, _, err := p.nodes[0].readRecord(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, r.Epoch)
}

func TestALostRecordBeginsAfterEveryEpochThatLeftATrace(t *testing.T) {
	for _, trace := range []struct {
		name string
		lose func(p *platform)
		mode Mode
	}{
		{"as an area", func(p *platform) {
			loseRecords(p, instances)
			require.NoError(p.t, p.nodes[0].home.Records().Remove(p.t.Context(), markName))
		}, Reconciling},
		{"as a health record", func(p *platform) {
			require.NoError(p.t, p.nodes[0].home.Records().Remove(p.t.Context(), markName))
			dropArea(p)
		}, Primary},
		{"in Ceph", func(p *platform) {
			_, err := p.nodes[0].raiseMark(p.t.Context(), 2)
			require.NoError(p.t, err)
			loseRecords(p, instances)
			dropArea(p)
		}, Primary},
	} {
		t.Run(trace.name, func(t *testing.T) {
			p := newPlatform(t, 1, broken{})
			p.leave()
			_, err := p.nodes[0].write(t.Context(), "k", "meanwhile", store.PutOptions{})
			require.NoError(t, err)
			p.world.Home.SetDown(false)
			trace.lose(p)
			loseRecords(p, recordName)
			fresh := p.add(broken{})
			p.nodes = []*node{fresh}
			p.serveAll()
			state := fresh.State()
			require.EqualValues(t, 3, state.Epoch, "epoch 2 was the last")
			require.Equal(t, trace.mode, state.Mode)
			if trace.mode == Reconciling {
				require.Equal(t, []uint64{2}, state.Areas)
				require.Equal(t, "meanwhile", fresh.read(t.Context(), "k"))
			}
		})
	}
}

func loseRecords(p *platform, prefix string) {
	away := p.world.Instance("vandal").Away()
	names, err := away.Names(p.t.Context(), prefix)
	require.NoError(p.t, err)
	require.NotEmpty(p.t, names)
	for _, name := range names {
		require.NoError(p.t, away.Remove(p.t.Context(), name))
	}
}

func dropArea(p *platform) {
	away := p.world.Instance("vandal").Away()
	heads, _, err := away.Heads(p.t.Context(), 2, "", 100)
	require.NoError(p.t, err)
	for _, head := range heads {
		require.NoError(p.t, away.Area(2).Remove(p.t.Context(), head.Info.Key, head))
	}
}

// Who is not the one to make the record has claimed an epoch in the pool all the
// same. The platform goes past it, and is not kept from ever moving again.
func TestAPlatformMovesOnWhereOthersClaimedLaterEpochsForALostRecord(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	p.leave()
	one, two := p.nodes[0], p.nodes[1]
	_, err := one.write(t.Context(), "k", "meanwhile", store.PutOptions{})
	require.NoError(t, err)
	p.world.Home.SetDown(false)
	loseRecords(p, recordName)
	during(p.world.Away, by(one, "write-record", recordName), func() {
		p.world.Away.SetDecide(func(call memplace.Call) memplace.Outcome {
			if by(two, "write-record", recordName)(call) {
				return memplace.Refuse
			}
			return memplace.Proceed
		})
		two.beat(t.Context())
		two.beat(t.Context())
	})
	one.beat(t.Context())
	p.world.Away.SetDecide(nil)
	mark, _, err := readMark(t.Context(), one.home.Records())
	require.NoError(t, err)
	r, _, err := one.readRecord(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 3, r.Epoch)
	require.EqualValues(t, 5, mark.reached())
	p.serveAll()
	p.bringHome()
	require.EqualValues(t, 5, one.State().Epoch)
	require.Equal(t, "meanwhile", two.read(t.Context(), "k"))
}

func TestARecordThatWentBackIsRaisedPastWhatWasKnown(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n := p.nodes[0]
	old, _, err := n.readRecord(t.Context())
	require.NoError(t, err)
	p.leave()
	_, tag, err := n.readRecord(t.Context())
	require.NoError(t, err)
	_, err = n.writeRecord(t.Context(), old, tag)
	require.NoError(t, err)
	p.world.Home.SetDown(false)
	p.serveAll()
	require.EqualValues(t, 3, n.State().Epoch)
}

func TestAPlatformWithoutCephBeginsOnlyWhereSomebodyVouchesForThePool(t *testing.T) {
	p := newPlatform(t, 0, broken{})
	p.world.Home.SetDown(true)
	n := p.add(broken{})
	p.pass(3*testLease, n)
	require.False(t, n.State().Serving)
	require.Contains(t, n.State().Reason, "cannot be asked")
	n.cfg.NewPool = true
	p.serveAll()
	require.Equal(t, Fallback, n.State().Mode)
	_, err := n.write(t.Context(), "k", "first", store.PutOptions{})
	require.NoError(t, err)
	p.comeBack()
	p.bringHome()
	require.Equal(t, "first", n.read(t.Context(), "k"))
}

func TestAPoolOfAnotherPlatformIsNotReturnedTo(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	p.leave()
	p.world.Home.SetDown(false)
	value, err := json.Marshal(poolMark{Epoch: 9, Nonce: nonce()})
	require.NoError(t, err)
	records := p.nodes[0].home.Records()
	_, tag, err := records.Read(t.Context(), markName)
	require.NoError(t, err)
	_, err = records.Write(t.Context(), markName, value, tag)
	require.NoError(t, err)
	p.pass(3*testLease, p.nodes...)
	require.Equal(t, Fallback, p.mode())
}

func TestAPoolWithFallBackIsRefusedByWhoeverHasNone(t *testing.T) {
	p := newPlatform(t, 0, broken{})
	records := p.world.Instance("alone").Home().Records()
	require.NoError(t, RefuseMarked(t.Context(), records))
	p.add(broken{})
	p.serveAll()
	require.ErrorContains(t, RefuseMarked(t.Context(), records), "used with fall-back")
}

func TestARecordThatNobodyCanHaveWrittenIsNotActedUpon(t *testing.T) {
	right := record{Epoch: 4, Mode: Reconciling, Areas: []uint64{2}, Lineage: "x", Lease: 10_000}
	require.NoError(t, right.check())
	for wrong, spoil := range map[string]func(*record){
		"no epoch":                  func(r *record) { r.Epoch = 0 },
		"no lease":                  func(r *record) { r.Lease = 0 },
		"a mode of its own":         func(r *record) { r.Mode = "away" },
		"an area to come":           func(r *record) { r.Areas = []uint64{5} },
		"areas out of order":        func(r *record) { r.Areas = []uint64{3, 2} },
		"fall-back without an area": func(r *record) { r.Mode = Fallback },
		"its own area at home":      func(r *record) { r.Areas = []uint64{4} },
		"areas in primary":          func(r *record) { r.Mode = Primary },
	} {
		r := right
		spoil(&r)
		require.ErrorIs(t, r.check(), store.ErrDamaged, wrong)
	}
}
