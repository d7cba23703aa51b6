package chaos

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// cluster is three OSDs that somebody may break; what is wrong with it is one
// thing each time.
type cluster struct {
	up              map[string]bool
	breaks, mends   bool // the hand does what it says
	serves          bool
	broken, mending []string
}

func newCluster() *cluster {
	return &cluster{up: map[string]bool{"osd.0": true, "osd.1": true, "osd.2": true}, breaks: true, mends: true, serves: true}
}

func (c *cluster) storage() Storage {
	return Storage{
		Pick: func(context.Context, string) (string, error) {
			if !c.up["osd.1"] {
				return "", ErrRefused
			}
			return "osd.1", nil
		},
		Break: func(_ context.Context, daemon, way string) error {
			c.broken = append(c.broken, way+" "+daemon)
			c.up[daemon] = !c.breaks
			return nil
		},
		Mend: func(ctx context.Context, daemon, _ string) error {
			if ctx.Err() != nil {
				return ctx.Err() // no time is left
			}
			c.mending = append(c.mending, daemon)
			if !c.mends {
				return errors.New("it does not start")
			}
			c.up[daemon] = true
			return nil
		},
		Running: func(context.Context, string) (int, error) {
			n := 0
			for _, up := range c.up {
				if up {
					n++
				}
			}
			return n, nil
		},
		Serves: func(context.Context) error {
			if !c.serves {
				return errors.New("4 of 32 placement groups are inactive")
			}
			return nil
		},
	}
}

// storageSteps are the states of one storage fault on c.
func storageSteps(t *testing.T, c *cluster) []string {
	return steps(t, t.Context(), func(a *Action) { *a = StorageFault("kill-osd", "OSD killed", "kill", "osd", c.storage()) })
}

func TestAStorageFaultStaysForItsWindowAndIsThenUndone(t *testing.T) {
	c := newCluster()
	require.Equal(t, []string{"injected", "verified", "healed", "rolled-back"}, storageSteps(t, c))
	require.Equal(t, []string{"kill osd.1"}, c.broken)
	require.Equal(t, []string{"osd.1"}, c.mending)
	require.True(t, c.up["osd.1"])
}

func TestAStorageThatDoesNotServeWithoutADaemonIsNotHealed(t *testing.T) {
	c := newCluster()
	c.serves = false
	require.Equal(t, []string{"injected", "verified", "rolled-back"}, storageSteps(t, c))
	require.True(t, c.up["osd.1"])
}

func TestAHandThatBreaksNothingIsUnverified(t *testing.T) {
	c := newCluster()
	c.breaks = false
	ctx, cancel := context.WithCancel(t.Context())
	s := c.storage()
	counted := s.Running
	s.Running = func(ctx context.Context, kind string) (int, error) {
		if len(c.broken) > 0 {
			cancel() // enough was seen
		}
		return counted(ctx, kind)
	}
	require.Equal(t, []string{"injected", "unverified"}, steps(t, ctx, func(a *Action) {
		*a = StorageFault("stop-osd", "OSD stopped", "stop", "osd", s)
	}))
	require.Equal(t, []string{"osd.1"}, c.mending, "it is to run in any case")
}

func TestAStorageThatCannotBeMendedIsTold(t *testing.T) {
	c := newCluster()
	c.mends = false
	require.Equal(t, []string{"injected", "verified", "healed", "note: OSD killed: the judge could not put it back: it does not start"}, storageSteps(t, c))
}

func TestAStorageThatDoesNotAnswerIsMendedAllTheSame(t *testing.T) {
	c := newCluster()
	s := c.storage()
	s.Running = func(ctx context.Context, _ string) (int, error) {
		if len(c.broken) == 0 {
			return 3, nil
		}
		<-ctx.Done() // as a client of the one that is frozen
		return 0, ctx.Err()
	}
	action := StorageFault("freeze-monitor", "Monitor frozen", "freeze", "mon", s)
	_, err := action.Resolve(t.Context())
	require.NoError(t, err)
	require.NoError(t, action.Do(t.Context()))
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), action.Undoes)
		defer cancel()
		acted, err := action.Undo(ctx)
		require.NoError(t, err)
		require.True(t, acted)
	})
	require.Equal(t, []string{"osd.1"}, c.mending)
}

func TestAStorageWithoutAVictimRefusesTheFault(t *testing.T) {
	c := newCluster()
	c.up["osd.1"] = false
	require.Equal(t, []string{"refused"}, storageSteps(t, c))
	require.Empty(t, c.broken)
}
