package fallback

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
	"bogops/app/store/versioned/memplace"
)

func TestTheStateSaysWhatIsAwayFromHome(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n := p.nodes[0]
	require.Equal(t, Primary, n.State().Mode)
	p.leave()
	first, err := n.write(t.Context(), "a", "x", store.PutOptions{})
	require.NoError(t, err)
	require.NoError(t, n.Delete(t.Context(), "b", ""))
	p.pass(testLease, n)
	require.NoError(t, n.workOnce(t.Context()))
	state := n.State()
	require.Equal(t, 2, state.Backlog)
	require.Equal(t, first.Modified, state.OldestAway)
	require.Equal(t, store.Degraded, n.Health(t.Context()).State)
	p.clock.advance(3 * time.Second)
	require.Equal(t, 3*time.Second, n.State().LeaseAge)
	n.step(t.Context())
	p.comeBack()
	require.Equal(t, store.Degraded, n.Health(t.Context()).State)
	p.bringHome()
	require.NoError(t, n.workOnce(t.Context()))
	require.Zero(t, n.State().Backlog)
	require.True(t, n.State().OldestAway.IsZero())
	require.Equal(t, store.Healthy, n.Health(t.Context()).State)
}

// A count of much takes long, and asks S3 for every object of it.
func TestWhatIsAwayIsCountedLessOftenWhereThatTakesLong(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	p.leave()
	n := p.nodes[0]
	_, err := n.write(t.Context(), "a", "x", store.PutOptions{})
	require.NoError(t, err)
	counts := 0
	p.world.Away.SetDecide(func(call memplace.Call) memplace.Outcome {
		if call.Op == "heads" {
			counts++
			p.clock.advance(2 * time.Second)
		}
		return memplace.Proceed
	})
	p.pass(testLease, n)
	require.NoError(t, n.workOnce(t.Context()))
	require.Equal(t, 1, n.State().Backlog)
	for range 3 {
		p.pass(testLease, n)
		require.NoError(t, n.workOnce(t.Context()))
	}
	require.Equal(t, 1, counts)
	p.pass(testLease, n)
	require.NoError(t, n.workOnce(t.Context()))
	require.Equal(t, 2, counts)
}

func TestMetadataAndDigestsComeHome(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	p.leave()
	n := p.nodes[0]
	away, err := n.write(t.Context(), "k", "x", store.PutOptions{ContentType: "text/plain", Meta: map[string]string{"who": "me"}})
	require.NoError(t, err)
	p.comeBack()
	p.bringHome()
	home, err := n.Stat(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, away, home)
	at, err := n.Locate(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, away.ETag, at.ETag)
}

func TestAReaderThatHasBegunKeepsItsBytesOverAMove(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n := p.nodes[0]
	_, err := n.write(t.Context(), "k", "whole", store.PutOptions{})
	require.NoError(t, err)
	n.home = streaming{n.home.(*memplace.Home)}
	body, _, err := n.Get(t.Context(), "k", store.Whole)
	require.NoError(t, err)
	p.leave()
	data, err := io.ReadAll(body)
	require.NoError(t, err)
	require.Equal(t, "whole", string(data))
	require.NoError(t, body.Close())
	_, err = body.Read(make([]byte, 1))
	require.ErrorIs(t, err, context.Canceled, "who closes it gives it up")
}

// streaming is a home whose readers break off where their context ends, as those
// across a network do.
type streaming struct{ *memplace.Home }

func (s streaming) Open(ctx context.Context, key string, rng store.Range) (io.ReadCloser, versioned.Head, error) {
	body, head, err := s.Home.Open(ctx, key, rng)
	if body != nil {
		body = stream{body, ctx}
	}
	return body, head, err
}

type stream struct {
	io.ReadCloser
	ctx context.Context
}

func (s stream) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.ReadCloser.Read(p)
}

// The store as a program opens it, its goroutines and the machine's clock.
func TestAnOpenedPlatformServesGoesAwayAndComesBackByItself(t *testing.T) {
	world := memplace.NewWorld()
	var stores []*Store
	for _, name := range []string{"one", "two"} {
		instance := world.Instance(name)
		s, err := Open(t.Context(), Config{
			Home: instance.Home(), Away: instance.Away(), Instance: name, Lease: 300 * time.Millisecond,
			TripAfter: 200 * time.Millisecond, BackAfter: 200 * time.Millisecond, HoldFor: 20 * time.Second,
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		stores = append(stores, s)
	}
	one, two := &node{Store: stores[0]}, &node{Store: stores[1]}
	reach := func(m Mode) {
		t.Helper()
		require.Eventually(t, func() bool {
			a, b := one.State(), two.State()
			return a.Mode == m && a.Serving && b.Mode == m && b.Serving
		}, 30*time.Second, 5*time.Millisecond, "%+v", one.State())
	}
	ctx := context.WithoutCancel(t.Context())
	_, err := one.write(ctx, "old", "x", store.PutOptions{})
	require.NoError(t, err, "it was held until the first wait was over")
	world.Home.SetDown(true)
	reach(Fallback)
	require.Eventually(t, func() bool {
		_, err = one.write(ctx, "new", "y", store.PutOptions{})
		return err == nil
	}, 30*time.Second, 5*time.Millisecond)
	world.Home.SetDown(false)
	reach(Primary)
	require.Eventually(t, func() bool { return two.read(ctx, "new") == "y" && one.read(ctx, "old") == "x" }, 30*time.Second, 5*time.Millisecond)
}

func TestACloseTakesTheHealthRecordAlong(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	require.NoError(t, p.nodes[1].Close())
	names, err := p.nodes[0].away.Names(t.Context(), instances)
	require.NoError(t, err)
	require.Len(t, names, 1)
}
