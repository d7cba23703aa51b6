package chaos

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
)

// steps runs an action and returns the states that were journalled.
func steps(t *testing.T, ctx context.Context, change func(*Action)) []string {
	t.Helper()
	return stepsWithin(t, ctx, 300*time.Millisecond, change)
}

func stepsWithin(t *testing.T, ctx context.Context, window time.Duration, change func(*Action)) []string {
	t.Helper()
	action := Action{
		Kind: "kill-instance", Title: "Instance killed",
		Resolve: func(context.Context) (string, error) { return "one", nil },
		Do:      func(context.Context) error { return nil },
		Verify:  func(context.Context) error { return nil },
		Healed:  func(context.Context) error { return nil },
		Undo:    func(context.Context) (bool, error) { return false, nil },
	}
	change(&action)
	j := journal.Memory(journal.Opened{})
	now := func() time.Time { return time.Unix(0, 0) }
	err := Inject(ctx, j, action, Plan{ID: "f1", Team: "loutres", Window: window, Weight: 2}, now)
	require.NoError(t, err)
	var states []string
	for _, e := range j.Entries()[1:] {
		if e.Kind == journal.KindNote {
			note, err := journal.Decode[journal.Note](e)
			require.NoError(t, err)
			require.Equal(t, "loutres", note.Team)
			require.Equal(t, "f1", note.Fault)
			states = append(states, "note: "+note.Text)
			continue
		}
		f, err := journal.Decode[journal.Fault](e)
		require.NoError(t, err)
		require.Equal(t, "f1", f.ID)
		states = append(states, f.State)
	}
	return states
}

func TestAFaultThatHealsAloneIsNotRolledBack(t *testing.T) {
	require.Equal(t, []string{"injected", "verified", "healed"}, steps(t, t.Context(), func(*Action) {}))
}

func TestAFaultThatNobodyHealsIsRolledBackByUs(t *testing.T) {
	require.Equal(t, []string{"injected", "verified", "rolled-back"}, steps(t, t.Context(), func(a *Action) {
		a.Healed = func(context.Context) error { return errors.New("one of two") }
		a.Undo = func(context.Context) (bool, error) { return true, nil }
	}))
}

func TestAFaultWithoutAVictimIsRefusedAndTouchesNothing(t *testing.T) {
	require.Equal(t, []string{"refused"}, steps(t, t.Context(), func(a *Action) {
		a.Resolve = func(context.Context) (string, error) { return "", fmt.Errorf("%w: no instance", ErrRefused) }
		a.Do = func(context.Context) error { t.Error("done all the same"); return nil }
		a.Undo = func(context.Context) (bool, error) { t.Error("undone all the same"); return false, nil }
	}))
}

func TestAJudgeThatIsStoppedIsNoTeamsRefusal(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	j := journal.Memory(journal.Opened{})
	action := Action{Resolve: func(ctx context.Context) (string, error) { return "", ctx.Err() }}
	require.ErrorIs(t, Inject(ctx, j, action, Plan{ID: "f1"}, time.Now), context.Canceled)
	require.Len(t, j.Entries(), 1, "nothing is told of the team")
}

func TestAJudgeThatCannotFindItsVictimBlamesNobody(t *testing.T) {
	require.Equal(t, []string{"unverified"}, steps(t, t.Context(), func(a *Action) {
		a.Resolve = func(context.Context) (string, error) { return "", errors.New("the credentials expired") }
		a.Do = func(context.Context) error { t.Error("done all the same"); return nil }
	}))
}

func TestAFaultThatDoesNotShowIsUnverified(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Equal(t, []string{"injected", "unverified"}, steps(t, ctx, func(a *Action) {
		a.Verify = func(context.Context) error { return errors.New("still runs") }
	}))
}

func TestAnInterruptedFaultIsStillRolledBack(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	undone := false
	steps(t, ctx, func(a *Action) {
		a.Do = func(context.Context) error { cancel(); return nil }
		a.Healed = func(ctx context.Context) error { return errors.New("not yet") }
		a.Undo = func(ctx context.Context) (bool, error) {
			undone = ctx.Err() == nil
			return true, nil
		}
	})
	require.True(t, undone, "Undo ran with a living context")
}

func TestAFaultThatCannotBePutBackIsToldAndEndsNobodysDay(t *testing.T) {
	require.Equal(t, []string{"injected", "verified", "healed", "note: Instance killed: the judge could not put it back: it does not start"},
		steps(t, t.Context(), func(a *Action) {
			a.Undo = func(context.Context) (bool, error) { return true, errors.New("it does not start") }
		}))
}

func TestAFaultThatShowsLateIsNotBrokenForLongerThanItsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, broken := time.Now(), time.Duration(0)
		states := steps(t, t.Context(), func(a *Action) {
			a.Verify = func(context.Context) error {
				if time.Since(begun) < 200*time.Millisecond {
					return errors.New("still counted")
				}
				return nil
			}
			a.Healed = func(context.Context) error { return errors.New("one of two") }
			a.Undo = func(context.Context) (bool, error) { broken = time.Since(begun); return true, nil }
		})
		require.Equal(t, []string{"injected", "verified", "rolled-back"}, states)
		require.Equal(t, 300*time.Millisecond, broken)
	})
}
