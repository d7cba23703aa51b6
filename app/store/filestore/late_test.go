package filestore

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

// A process that is stopped sees nothing of the time but the clock's leap: so
// does a writer that waits for the lock while the clock is moved.
func TestAWriteThatWasHeldUpTooLongChangesNothing(t *testing.T) {
	for name, write := range map[string]func(*Store) error{
		"create":  func(s *Store) error { return putError(s, "new", []byte("late")) },
		"replace": func(s *Store) error { return putError(s, "old", []byte("late")) },
		"delete":  func(s *Store) error { return s.Delete(context.Background(), "old", "") },
	} {
		for held, late := range map[time.Duration]bool{4 * time.Second: false, 5 * time.Second: false, 5*time.Second + 1: true, time.Hour: true} {
			t.Run(name+" "+held.String(), func(t *testing.T) {
				s := opened(t, t.TempDir())
				put(t, s, "old", []byte("old"))
				var now atomic.Int64
				asked := make(chan struct{}, 10)
				s.now = func() time.Time {
					defer func() { asked <- struct{}{} }()
					return time.Unix(0, now.Load())
				}
				shards := []*directory{madeShard(t, s, placeOf("old").shard), madeShard(t, s, placeOf("new").shard)}
				for _, shard := range shards {
					require.NoError(t, shard.lock(t.Context()))
				}
				result := make(chan error, 1)
				go func() { result <- write(s) }()
				<-asked
				if name != "delete" {
					<-asked // a put asks for the object's time first, then when it has read the body
				}
				now.Store(int64(held))
				for _, shard := range shards {
					shard.unlock()
				}
				err := <-result
				if !late {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, store.ErrUnavailable)
				require.NotErrorIs(t, err, store.ErrUnknown)
				got, err := read(s, t, "old", store.Whole)
				require.NoError(t, err)
				require.Equal(t, "old", string(got))
				_, err = s.Stat(t.Context(), "new")
				require.ErrorIs(t, err, store.ErrNotFound)
			})
		}
	}
}
