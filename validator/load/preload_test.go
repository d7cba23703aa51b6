package load

import (
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
)

func TestOneLostRequestForConsentDoesNotCostTheLoadedSet(t *testing.T) {
	x := (&trial{stages: steady(10, 2*time.Second), mix: contest.Mix{Get: 1}, preload: true, config: func(c *Config) {
		whole := c.dial
		var dials atomic.Int64
		c.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials.Add(1) == 1 {
				return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
			}
			return whole(ctx, network, address)
		}
	}}).run(t)
	require.Equal(t, x.summary.Offered, x.summary.Right, "every GET found what was loaded: %v", x.summary.Errors)
	require.Positive(t, x.summary.Offered)
}
