package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A mishap is one thing that goes wrong at some moment.
type mishap struct {
	At   time.Duration
	What string // dies, ails, recovers, cancel, lost
	Who  int    // instance, by its number
}

// A schedule is what goes wrong in one roll-out.
type schedule struct {
	Size    int
	Boots   time.Duration
	Never   int // instances from this number on that are v2 are never ready; 0: none
	Mishaps []mishap
	Refused map[int]bool // calls, by their number, that fail
	Hangs   string
}

// drawn makes a schedule of few or many mishaps.
func drawn(t *rapid.T) schedule {
	s := schedule{
		Size:    rapid.IntRange(1, 4).Draw(t, "size"),
		Boots:   time.Duration(rapid.IntRange(0, 20).Draw(t, "boots")) * time.Second,
		Never:   rapid.IntRange(0, 8).Draw(t, "never"),
		Refused: map[int]bool{},
		Hangs:   rapid.SampledFrom([]string{"", "", "drained i-1", "drained i-2", "launch v2", "commit v2"}).Draw(t, "hangs"),
	}
	for range rapid.IntRange(0, 5).Draw(t, "mishaps") {
		s.Mishaps = append(s.Mishaps, mishap{
			At:   time.Duration(rapid.IntRange(0, 120_000).Draw(t, "at")) * time.Millisecond,
			What: rapid.SampledFrom([]string{"dies", "ails", "recovers", "cancel", "lost"}).Draw(t, "what"),
			Who:  rapid.IntRange(1, 8).Draw(t, "who"),
		})
	}
	for _, n := range rapid.SliceOfN(rapid.IntRange(1, 200), 0, 4).Draw(t, "refused") {
		s.Refused[n] = true
	}
	return s
}

// play runs a roll-out under the schedule, and returns what was wrong about it.
func (s schedule) play(t *testing.T) (wrong string) {
	synctest.Test(t, func(t *testing.T) {
		stage := playing(s.Size)
		stage.boots, stage.hangs = s.Boots, s.Hangs
		stage.never = func(r Release) bool { return isV2(r) && s.Never > 0 && stage.counter >= s.Never }
		calls := 0
		stage.on = func(string) error {
			if calls++; s.Refused[calls] {
				return errors.New("connection reset")
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		harmed := false
		for n, m := range s.Mishaps {
			// Never at the moment of a look: what happens between a look and the step
			// that it leads to, no roll-out can know of.
			stage.at(m.At+time.Duration(n+1)*time.Microsecond, func() { harmed = stage.strike(m, cancel) || harmed })
		}
		o := stage.options()
		o.Lease = 30*time.Second + 3*time.Millisecond // no renewal at the moment of a look
		err := Roll(ctx, stage, v2, o)
		time.Sleep(time.Second) // what was killed while it drained is gone by then
		stage.mu.Lock()
		defer stage.mu.Unlock()
		wrong = stage.judge(err, harmed)
		stage.mu.Unlock()
		time.Sleep(time.Hour) // the rest of the mishaps
		stage.mu.Lock()
	})
	return wrong
}

// strike lets a mishap happen and says whether an instance was harmed.
func (s *stage) strike(m mishap, cancel context.CancelFunc) bool {
	a := s.find(fmt.Sprintf("i-%d", m.Who))
	switch {
	case m.What == "cancel":
		cancel()
	case m.What == "lost" && s.holder != nil:
		s.holder.until = time.Now()
	case a == nil || a.gone:
	case m.What == "dies":
		a.gone = true
		return true
	case m.What == "ails":
		a.unwell = true
		return true
	case m.What == "recovers":
		a.unwell = false
	}
	return false
}

// judge says what is not as Roll promises.
func (s *stage) judge(err error, harmed bool) string {
	wrong := slices.Clone(s.wrongs)
	want, release := v2, &v2
	if err != nil {
		want, release = v1, &v1
	}
	lives, ready := 0, 0
	for _, a := range s.all {
		switch {
		case a.gone || a.draining:
			continue
		case a.release != want && !errors.Is(err, ErrNotBack):
			wrong = append(wrong, fmt.Sprintf("%s of %s is left", a.id, a.release.Version))
		}
		lives++
		if a.ready() {
			ready++
		}
	}
	if errors.Is(err, ErrNotBack) {
		release = s.release
	}
	if !same(s.release, release) {
		wrong = append(wrong, "the release is "+s.release.Version)
	}
	if !errors.Is(err, ErrNotBack) && !harmed && (lives != s.size || ready != s.size) {
		wrong = append(wrong, fmt.Sprintf("%d live, %d are ready, %d are wanted", lives, ready, s.size))
	}
	if len(wrong) == 0 {
		return ""
	}
	return fmt.Sprintf("%s\nerror: %v\n%s", strings.Join(wrong, "\n"), err, strings.Join(s.told, "\n"))
}

func TestHoweverThingsGoWrongNobodyIsSentAwayWhoIsNeeded(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := drawn(r)
		if wrong := s.play(t); wrong != "" {
			r.Fatalf("%s", wrong)
		}
	})
}

func TestTheSchedulesReachEveryEnd(t *testing.T) {
	ends := map[string]int{}
	rapid.Check(t, func(r *rapid.T) {
		s := drawn(r)
		synctest.Test(t, func(t *testing.T) {
			stage := playing(s.Size)
			stage.boots, stage.hangs = s.Boots, s.Hangs
			stage.never = func(r Release) bool { return isV2(r) && s.Never > 0 && stage.counter >= s.Never }
			switch err := Roll(t.Context(), stage, v2, stage.options()); {
			case err == nil:
				ends["done"]++
			case errors.Is(err, ErrNotBack):
				ends["not back"]++
			default:
				ends["back"]++
			}
		})
	})
	require.NotZero(t, ends["done"])
	require.NotZero(t, ends["back"])
	t.Log(ends)
}
