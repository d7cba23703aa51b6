package fallback

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

// Another instance may act by the old record for the time of a lease after the
// mode moved. Who does not wait for that acknowledges what the other denies.
func TestNobodyServesANewEpochBeforeEveryOldLeaseIsOut(t *testing.T) {
	for _, rules := range []broken{{}, {noWait: true}} {
		p := newPlatform(t, 2, rules)
		one, two := p.nodes[0], p.nodes[1]
		_, err := one.write(t.Context(), "k", "old", store.PutOptions{})
		require.NoError(t, err)
		p.world.Home.SetDown(true)
		one.move(t.Context(), Fallback)
		one.step(t.Context())
		_, err = one.write(t.Context(), "k", "new", store.PutOptions{})
		if rules.noWait {
			require.NoError(t, err)
			p.world.Home.SetDown(false)
			require.Equal(t, "old", two.read(t.Context(), "k"), "the broken rule goes unnoticed")
			continue
		}
		require.ErrorIs(t, err, store.ErrUnavailable)
		for range 9 {
			p.pass(time.Second, one)
			require.False(t, one.State().Serving)
		}
		p.pass(time.Second, one)
		require.True(t, one.State().Serving)
		p.world.Home.SetDown(false)
		require.Equal(t, "503", two.read(t.Context(), "k"), "its lease is out")
		_, err = one.write(t.Context(), "k", "new", store.PutOptions{})
		require.NoError(t, err)
	}
}

func TestALeaseIsCountedFromBeforeTheReading(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n := p.nodes[0]
	during(p.world.Away, by(n, "read-record", recordName), func() { p.clock.advance(6 * time.Second) })
	n.beat(t.Context())
	p.clock.advance(3 * time.Second)
	require.True(t, n.State().Serving)
	p.clock.advance(time.Second)
	require.False(t, n.State().Serving, "ten seconds after the reading began, four after it ended")
}

func TestWhoComesBackWaits(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n := p.nodes[0]
	p.clock.advance(testLease)
	require.Equal(t, "503", n.read(t.Context(), "k"))
	n.step(t.Context())
	require.False(t, n.State().Serving)
	p.pass(testLease, n)
	require.True(t, n.State().Serving)
}

func TestAnInstanceWithAnotherLeaseServesNothing(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	other := p.add(broken{})
	other.cfg.Lease /= 2
	p.pass(3*testLease, p.nodes...)
	require.False(t, other.State().Serving)
	require.Contains(t, other.State().Reason, "lease is 10000 ms")
}

// Who made the record waits for its own lease only.
func TestARecordWithAnotherLeaseEndsTheOneThatIsHeld(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n := p.nodes[0]
	r, tag, err := n.readRecord(t.Context())
	require.NoError(t, err)
	r = r.move(Reconciling, "other", time.Time{})
	r.Lease /= 2
	_, err = n.writeRecord(t.Context(), r, tag)
	require.NoError(t, err)
	n.step(t.Context())
	require.False(t, n.State().Serving)
	require.Contains(t, n.State().Reason, "lease is 5000 ms")
	require.Equal(t, "503", n.read(t.Context(), "k"))
}

func TestALostRecordIsNotMadeByAnInstanceWithAnotherLease(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n, other := p.nodes[0], p.add(broken{})
	other.cfg.Lease /= 2
	loseRecords(p, recordName)
	other.beat(t.Context())
	_, _, err := n.readRecord(t.Context())
	require.ErrorIs(t, err, store.ErrNotFound)
	require.Contains(t, other.State().Reason, "has a lease of 10000 ms")
	n.beat(t.Context())
	_, _, err = n.readRecord(t.Context())
	require.NoError(t, err)
}

func TestNobodyServesAnEpochThatItsHealthRecordDoesNotName(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n := p.nodes[0]
	p.world.Home.SetDown(true)
	n.move(t.Context(), Fallback)
	for range 10 {
		p.clock.advance(time.Second)
		n.beat(t.Context())
	}
	require.False(t, n.State().Serving, "were the record lost, its epoch would be forgotten")
	n.step(t.Context())
	require.True(t, n.State().Serving)
}

func TestARequestIsHeldOverTheEndOfAWait(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n := p.nodes[0]
	p.world.Home.SetDown(true)
	n.move(t.Context(), Fallback)
	p.pass(8*time.Second, n)
	wrote := make(chan error, 1)
	go func() {
		_, err := n.write(context.WithoutCancel(t.Context()), "k", "x", store.PutOptions{})
		wrote <- err
	}()
	require.Eventually(t, func() bool { return n.State().Held == 1 }, 10*time.Second, time.Millisecond)
	p.pass(2*time.Second, n)
	require.NoError(t, <-wrote)
}

func TestRequestsAreHeldInSmallNumberAndForAShortTime(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n := p.nodes[0]
	n.cfg.MaxHeld = 1
	p.world.Home.SetDown(true)
	n.move(t.Context(), Fallback)
	p.pass(5*time.Second, n)
	require.Equal(t, "503", n.read(t.Context(), "k"), "the wait is longer than a request may wait")
	p.pass(3*time.Second, n)
	held := make(chan string, 1)
	go func() { held <- n.read(context.WithoutCancel(t.Context()), "k") }()
	require.Eventually(t, func() bool { return n.State().Held == 1 }, 10*time.Second, time.Millisecond)
	require.Equal(t, "503", n.read(t.Context(), "k"), "one waits already")
	p.clock.advance(4 * time.Second)
	require.Equal(t, "503", <-held, "nobody ended the wait in time")
	require.Zero(t, n.State().Held)
}

func TestTheClockOfLeasesGoesOn(t *testing.T) {
	before := SystemClock{}.Now()
	require.Positive(t, before)
	require.GreaterOrEqual(t, SystemClock{}.Now(), before)
}
