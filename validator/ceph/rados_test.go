//go:build ceph

package ceph

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

// answered is an error as go-ceph returns it.
type answered syscall.Errno

func (a answered) Error() string  { return syscall.Errno(a).Error() }
func (a answered) ErrorCode() int { return -int(a) }

func TestNoNameOfATeamMakesAFaultOfTheJudge(t *testing.T) {
	for _, c := range []struct {
		what  string
		errno syscall.Errno
		want  verdict.Status
	}{
		{"read", syscall.ENAMETOOLONG, verdict.Unproven}, // a namespace of 300 bytes
		{"read", syscall.EINVAL, verdict.Unproven},
		{"read", syscall.EIO, verdict.Unproven},
		{"read", syscall.ENOENT, verdict.Unproven},
		{"read", syscall.ESHUTDOWN, verdict.Unproven}, // the judge is on the blocklist
		{"ask the monitors", syscall.EINVAL, verdict.Unproven},
		{"connect", syscall.EACCES, verdict.Unproven},
		{"connect", syscall.EINVAL, verdict.JudgeError}, // a key that is none, an address that is none
		{"read", syscall.EMFILE, verdict.JudgeError},
		{"read", syscall.ENOMEM, verdict.JudgeError},
	} {
		err := Settle(t.Context(), target.Target{}, classify(c.what, answered(c.errno)), "bytes")
		require.Equal(t, c.want, verdict.Of(err), "%s: %v", c.what, c.errno)
	}
}

// mute is an address where something listens and says nothing.
func mute(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	return "[v2:" + listener.Addr().String() + "]"
}

func TestCallsThatWaitForMuteMonitorsEndTogether(t *testing.T) {
	access := openRADOS(identity{[]string{mute(t)}, "judge", "AQDnMoVgAAAAABAAzBHH7d1Ke3yXnJGYx3rGGg=="})
	begin := time.Now()
	var all sync.WaitGroup
	for range inFlight {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := access.Ask(ctx, Query{Prefix: "status"}); !errors.Is(err, ErrUnreachable) {
				t.Errorf("got %v, want %v", err, ErrUnreachable)
			}
		})
	}
	all.Wait()
	require.NoError(t, access.Close())
	require.Less(t, time.Since(begin), 8*5*time.Second, "each of 16 waited for a time-out of its own")
}
