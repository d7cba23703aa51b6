package redeploy

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/verdict"
)

// clock is a time that tests move.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(0, c.nanos.Load()) }
func (c *clock) pass(d time.Duration) { c.nanos.Add(int64(d)) }

// desked is a desk whose proofs end when the test says how.
func desked(t *testing.T) (*Desk, *clock, chan Proof) {
	t.Helper()
	c, ends := &clock{}, make(chan Proof)
	c.pass(time.Hour)
	d := NewDesk(func(ctx context.Context, nonce string, _ func(Step)) Proof {
		select {
		case p := <-ends:
			p.Nonce = nonce
			return p
		case <-ctx.Done():
			return Proof{Err: ctx.Err()}
		}
	}, DeskOptions{Every: 10 * time.Minute, Again: 2 * time.Minute, Within: time.Hour, Now: c.now})
	t.Cleanup(d.Close)
	return d, c, ends
}

// ended waits until a proof is there whose nonce is not before.
func ended(t *testing.T, d *Desk, before string) Proof {
	t.Helper()
	var p Proof
	require.Eventually(t, func() bool {
		var ok bool
		p, ok = d.Latest()
		return ok && p.Nonce != before
	}, time.Minute, time.Millisecond)
	return p
}

func TestADeskProvesOneAtATimeAndAtMostEveryInterval(t *testing.T) {
	t.Parallel()
	d, c, ends := desked(t)
	_, any := d.Latest()
	require.False(t, any)
	require.True(t, d.Begin())
	c.pass(time.Hour)
	require.False(t, d.Begin(), "one is on")
	_, any = d.Latest()
	require.False(t, any, "and has not ended")
	ends <- Proof{Live: 50, Of: 50}
	first := ended(t, d, "")
	require.NoError(t, first.Err)
	require.NotEmpty(t, first.Nonce)
	require.Eventually(t, d.Begin, time.Minute, time.Millisecond, "the interval was over long ago")
	latest, _ := d.Latest()
	require.Equal(t, first, latest, "the last that ended stands")
	ends <- Proof{Live: 50, Of: 50}
	ended(t, d, first.Nonce)
	c.pass(10*time.Minute - 1)
	require.False(t, d.Begin())
	c.pass(1)
	require.True(t, d.Begin())
}

func TestADeskTriesAgainSoonerAfterAFailure(t *testing.T) {
	t.Parallel()
	d, c, ends := desked(t)
	require.True(t, d.Begin())
	ends <- Proof{Err: verdict.Wrong("The build failed", "failed", "succeeded")}
	ended(t, d, "")
	c.pass(2*time.Minute - 1)
	require.False(t, d.Begin())
	c.pass(1)
	require.True(t, d.Begin())
}

func TestADeskThatIsHeldOrClosedBeginsNothing(t *testing.T) {
	t.Parallel()
	d, _, _ := desked(t)
	d.Hold(true)
	require.False(t, d.Begin())
	d.Hold(false)
	require.True(t, d.Begin())
	d.Close()
	_, any := d.Latest()
	require.False(t, any, "what the judge broke off says nothing")
	require.False(t, d.Begin())
}
