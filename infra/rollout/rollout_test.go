package rollout

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// play runs a scene in virtual time.
func play(t *testing.T, scene func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, scene)
}

func TestARollOutReplacesEveryInstance(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(3)
		began := time.Now()
		require.NoError(t, Roll(t.Context(), s, v2, s.options()))
		require.Equal(t, "v2 v2 v2", s.runs())
		require.Equal(t, &v2, s.release)
		require.Equal(t, &v1, s.previous)
		require.Empty(t, s.wrongs)
		require.Nil(t, s.holder, "the lease was given back")
		require.Less(t, time.Since(began), 30*time.Second)
		require.Equal(t, []string{
			"rolling out v2 to 3 instances; the release is v1",
			"i-4 launched (v2)", "i-4 is ready", "i-1 drains", "i-1 is gone",
			"i-5 launched (v2)", "i-5 is ready", "i-2 drains", "i-2 is gone",
			"i-6 launched (v2)", "i-6 is ready", "i-3 drains", "i-3 is gone",
			"v2 is the release; the one before was v1",
		}, s.told)
	})
}

func TestTheFirstDeploymentLaunchesAsManyAsAreWanted(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(2)
		s.all, s.release, s.previous = nil, nil, nil
		opened := false
		p := Package{Name: "new", Open: func() (io.ReadCloser, error) {
			opened = true
			return io.NopCloser(strings.NewReader("package")), nil
		}}
		require.NoError(t, Deploy(t.Context(), s, p, "v1", s.options()))
		require.True(t, opened)
		require.Equal(t, "v1 v1", s.runs())
		require.Equal(t, &Release{"new", "v1"}, s.release)
		require.Nil(t, s.previous)
	})
}

func TestAFirstDeploymentThatFailsLeavesNothing(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(2)
		s.all, s.release, s.previous = nil, nil, nil
		s.never = func(Release) bool { return s.counter == 4 }
		err := Roll(t.Context(), s, v1, s.options())
		require.ErrorContains(t, err, "instance i-4 (v1) was not ready within 2m0s")
		require.NotErrorIs(t, err, ErrNotBack)
		require.Empty(t, s.runs())
		require.Nil(t, s.release)
	})
}

func TestAnUploadThatIsRefusedChangesNothing(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(2)
		s.on = failing("upload new", errors.New("disk full"))
		err := Deploy(t.Context(), s, Package{Name: "new"}, "v2", s.options())
		require.ErrorContains(t, err, "upload package new: disk full")
		require.Equal(t, "v1 v1", s.runs())
	})
}

// failing makes every call of that name fail.
func failing(name string, err error) func(string) error {
	return func(call string) error {
		if call == name {
			return err
		}
		return nil
	}
}

// A failure is one thing that goes wrong in a roll-out from v1 to v2 of two.
type failure struct {
	name  string
	wrong func(s *stage, cancel context.CancelFunc)
	says  string // by the error
	runs  string // at the end
	lost  bool   // whether something died that the roll-out could not help
	not   bool   // it is not back
}

func TestWhateverGoesWrongTheFleetRunsWhatItRan(t *testing.T) {
	for _, f := range []failure{
		{
			name:  "the new one never gets ready",
			wrong: func(s *stage, _ context.CancelFunc) { s.never = isV2 },
			says:  "instance i-3 (v2) was not ready within 2m0s: its /readyz answers 503: no store\n  its log:\n    opening the store\n    no store was found",
		},
		{
			name: "the second new one never gets ready",
			wrong: func(s *stage, _ context.CancelFunc) {
				s.never = func(r Release) bool { return isV2(r) && s.counter == 4 }
			},
			says: "instance i-4 (v2) was not ready within 2m0s",
		},
		{
			name:  "a new one is ready now and then",
			wrong: func(s *stage, _ context.CancelFunc) { s.on = flapping(s, "i-3") },
			says:  "instance i-3 (v2) was not ready within 2m0s",
		},
		{
			name:  "the new one dies before it is ready",
			wrong: func(s *stage, _ context.CancelFunc) { s.at(time.Second, func() { s.find("i-3").gone = true }) },
			says:  "instance i-3 (v2) died meanwhile: ended: exit status 3",
		},
		{
			name: "the new one dies once it is ready",
			wrong: func(s *stage, _ context.CancelFunc) {
				s.on = before("retire i-1", func() { s.find("i-3").gone = true })
			},
			says: "instance i-3 (v2) died meanwhile", lost: true,
		},
		{
			name: "the first new one dies while the second starts",
			wrong: func(s *stage, _ context.CancelFunc) {
				s.on = before("launch v2", func() {
					if a := s.find("i-3"); a != nil {
						a.gone = true
					}
				})
			},
			says: "instance i-3 (v2) died meanwhile", lost: true,
		},
		{
			name:  "an old one dies meanwhile",
			wrong: func(s *stage, _ context.CancelFunc) { s.at(time.Second, func() { s.find("i-2").gone = true }) },
			says:  "instance i-2 (v1) died meanwhile", lost: true,
		},
		{
			name:  "an old one is not ready any more",
			wrong: func(s *stage, _ context.CancelFunc) { s.at(time.Second, func() { s.find("i-2").unwell = true }) },
			says:  "instance i-2 (v1) has not been ready for 30s", lost: true, runs: "v1 v1",
		},
		{
			name:  "a launch is refused",
			wrong: func(s *stage, _ context.CancelFunc) { s.on = failing("launch v2", errors.New("no room")) },
			says:  "launch an instance of v2: no room",
		},
		{
			name: "the second launch is refused",
			wrong: func(s *stage, _ context.CancelFunc) {
				s.on = func(call string) error {
					if call == "launch v2" && s.counter >= 3 {
						return errors.New("no room")
					}
					return nil
				}
			},
			says: "launch an instance of v2: no room",
		},
		{
			name:  "the commit is refused",
			wrong: func(s *stage, _ context.CancelFunc) { s.on = failing("commit v2", errors.New("disk full")) },
			says:  "commit the release: disk full",
		},
		{
			name:  "an old one cannot be sent away",
			wrong: func(s *stage, _ context.CancelFunc) { s.on = failing("retire i-1", errors.New("it hangs")) },
			says:  "retire i-1: it hangs",
		},
		{
			name:  "the roll-out is interrupted at once",
			wrong: func(_ *stage, cancel context.CancelFunc) { cancel() },
			says:  "context canceled",
		},
		{
			name:  "the roll-out is interrupted while a new one starts",
			wrong: func(s *stage, cancel context.CancelFunc) { s.at(time.Second, cancel) },
			says:  "context canceled",
		},
		{
			name: "the roll-out is interrupted while an old one drains",
			wrong: func(s *stage, cancel context.CancelFunc) {
				s.on = before("retire i-1", func() { s.at(500*time.Millisecond, cancel) })
			},
			says: "context canceled",
		},
		{
			name: "the lease is lost",
			wrong: func(s *stage, _ context.CancelFunc) {
				s.on = before("retire i-1", func() { s.at(500*time.Millisecond, func() { s.holder.until = time.Now() }) })
			},
			says: "the lease was lost",
		},
		{
			name: "the lease cannot be renewed",
			wrong: func(s *stage, _ context.CancelFunc) {
				s.never = isV2
				first := true
				s.on = func(call string) error {
					if call == "lease" && s.holder != nil {
						first = false
					}
					if call == "renew" && first {
						return errors.New("no route")
					}
					return nil
				}
			},
			says: "the lease was lost: it could not be renewed: no route",
		},
		{
			name: "the fleet cannot be seen",
			wrong: func(s *stage, _ context.CancelFunc) {
				seen := 0
				s.on = func(call string) error {
					if call == "describe" {
						seen++
					}
					if call == "describe" && seen >= 3 && seen < 9 {
						return errors.New("no route")
					}
					return nil
				}
			},
			says: "look at the fleet: no route",
		},
		{
			name: "another one takes the lease and releases v3",
			wrong: func(s *stage, _ context.CancelFunc) {
				s.on = before("retire i-1", func() {
					s.holder, s.release = nil, &Release{"three", "v3"}
				})
			},
			says: "the release is v3 by now: another roll-out was here", not: true, runs: "v1 v1 v2",
		},
		{
			name: "another one takes the lease and keeps it",
			wrong: func(s *stage, _ context.CancelFunc) {
				s.on = before("retire i-1", func() { s.holder = &grip{name: "another", until: time.Now().Add(time.Hour)} })
			},
			says: "another roll-out is under way: by another", not: true, runs: "v1 v1 v2",
		},
		{
			name: "nothing can be launched any more, once one is gone",
			wrong: func(s *stage, _ context.CancelFunc) {
				s.on = func(call string) error {
					if strings.HasPrefix(call, "launch") && s.find("i-1").gone {
						return errors.New("no room")
					}
					return nil
				}
			},
			says: "launch an instance of v1: no room", not: true, runs: "v1 v2",
		},
	} {
		t.Run(f.name, func(t *testing.T) { play(t, f.check) })
	}
}

func isV2(r Release) bool { return r == v2 }

// at does something later.
func (s *stage) at(later time.Duration, what func()) {
	time.AfterFunc(later, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		what()
	})
}

// before does something as a call comes in.
func before(name string, what func()) func(string) error {
	return func(call string) error {
		if call == name {
			what()
		}
		return nil
	}
}

// flapping has an instance be ready at every other look.
func flapping(s *stage, id string) func(string) error {
	return func(call string) error {
		if a := s.find(id); a != nil && call == "describe" {
			a.unwell = !a.unwell
		}
		return nil
	}
}

func (f failure) check(t *testing.T) {
	s := playing(2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.wrong(s, cancel)
	began := time.Now()
	err := Roll(ctx, s, v2, s.options())
	require.ErrorContains(t, err, f.says)
	require.Equal(t, f.not, errors.Is(err, ErrNotBack), "%v", err)
	if !f.lost {
		require.Empty(t, s.wrongs)
	}
	for _, wrong := range s.wrongs {
		require.NotContains(t, wrong, "let drain")
	}
	runs := f.runs
	if runs == "" {
		runs = "v1 v1"
	}
	require.Equal(t, runs, s.runs(), "%s\n%s", err, strings.Join(s.told, "\n"))
	if !f.not {
		require.Equal(t, &v1, s.release)
		require.Nil(t, s.holder)
	}
	require.Less(t, time.Since(began), 10*time.Minute)
}

func TestAnInstanceThatDrainsForTooLongIsEndedAndTheRollOutGoesOn(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(2)
		s.hangs = "drained i-1"
		require.NoError(t, Roll(t.Context(), s, v2, s.options()))
		require.Equal(t, "v2 v2", s.runs())
		require.Empty(t, s.wrongs)
		require.Contains(t, strings.Join(s.told, "\n"), "i-1 still drains after 1m0s and is ended")
	})
}

func TestALateAnswerToAHealthCheckIsNoReasonToGoBack(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(2)
		s.at(time.Second, func() { s.find("i-2").unwell = true })
		s.at(20*time.Second, func() { s.find("i-2").unwell = false })
		require.NoError(t, Roll(t.Context(), s, v2, s.options()))
		require.Equal(t, "v2 v2", s.runs())
		require.Empty(t, s.wrongs)
	})
}

func TestACommitWhoseAnswerIsLostIsStillACommit(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(2)
		s.on = failing("committed v2", errors.New("connection reset"))
		require.NoError(t, Roll(t.Context(), s, v2, s.options()))
		require.Equal(t, "v2 v2", s.runs())
		require.Equal(t, &v2, s.release)
	})
}

func TestARollOutGoesOnWhereOneThatWasKilledStopped(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(2)
		s.all[0].gone = true
		s.add(v2).begins = time.Now() // took its place
		s.add(v2)                     // and another one starts
		s.holder = &grip{stage: s, name: "a dead one", until: time.Now().Add(20 * time.Second)}
		require.ErrorIs(t, Roll(t.Context(), s, v2, s.options()), ErrHeld)
		o := s.options()
		o.Wait = 45 * time.Second
		require.NoError(t, Roll(t.Context(), s, v2, o))
		require.Equal(t, "v2 v2", s.runs())
		require.Equal(t, 4, s.counter, "nothing was launched that was there")
		require.Empty(t, s.wrongs)
		require.Contains(t, s.told, "waiting: another roll-out is under way: by a dead one")
		require.NoError(t, Roll(t.Context(), s, v2, s.options()), "again")
		require.Equal(t, 4, s.counter)
	})
}

func TestWhereNobodyIsReadyARollOutMayMendIt(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(2)
		s.all[0].unwell, s.all[1].unwell = true, true
		require.NoError(t, Roll(t.Context(), s, v2, s.options()))
		require.Equal(t, "v2 v2", s.runs())
	})
}

func TestWhereOneIsNotReadyARollOutDoesNotBegin(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(2)
		s.all[1].unwell = true
		err := Roll(t.Context(), s, v2, s.options())
		require.ErrorContains(t, err, "instance i-2 (v1) has not been ready for 30s: its /readyz answers 503: no store")
		require.Equal(t, "v1 v1?", s.runs())
		require.Equal(t, 2, s.counter)
	})
}

func TestBackReturnsToTheReleaseBefore(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(2)
		require.NoError(t, Roll(t.Context(), s, v2, s.options()))
		began := time.Now()
		require.NoError(t, Back(t.Context(), s, s.options()))
		require.Equal(t, "v1 v1", s.runs())
		require.Equal(t, &v1, s.release)
		require.Equal(t, &v2, s.previous)
		require.Less(t, time.Since(began), time.Minute)
		require.Empty(t, s.wrongs)

		s.previous = nil
		require.ErrorContains(t, Back(t.Context(), s, s.options()), "no previous release")
	})
}

func TestBackGoesBackFromWhatItWaitedFor(t *testing.T) {
	play(t, func(t *testing.T) {
		s := playing(2) // of v1, which came after v0
		another, err := s.Lease(t.Context(), "another", time.Hour)
		require.NoError(t, err)
		s.at(20*time.Second, func() {
			s.previous, s.release, s.holder = s.release, &v2, nil
			for _, a := range s.all {
				a.release = v2
			}
		})
		o := s.options()
		o.Wait = 45 * time.Second
		require.NoError(t, Back(t.Context(), s, o))
		require.Equal(t, "v1 v1", s.runs())
		require.Equal(t, &v1, s.release)
		require.Equal(t, &v2, s.previous)
		require.ErrorIs(t, another.Renew(t.Context(), time.Hour), ErrLost)
	})
}
