package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
	"bogops/validator/journal"
)

func TestAnHonestPlatformIsRightEverySecond(t *testing.T) {
	x := (&trial{stages: steady(50, 5*time.Second), mix: everything, preload: true}).run(t)
	require.NoError(t, x.err)
	require.Equal(t, 251, x.summary.Offered)
	require.Equal(t, 251, x.summary.Good)
	require.Empty(t, x.summary.Errors)
	require.Len(t, x.seconds, 6)
	puts := 0
	for i, s := range x.seconds {
		require.Equal(t, i, s.Second)
		require.Equal(t, s.Offered, s.Good)
		require.Equal(t, s.Puts, s.Acked)
		require.False(t, s.Inconclusive)
		puts += s.Puts
	}
	require.Equal(t, 1, x.seconds[3].Instances)
	require.InDelta(t, 100, puts, 25)
	h, err := hdrhistogram.Decode([]byte(x.seconds[2].Latency["get"]))
	require.NoError(t, err)
	require.EqualValues(t, x.seconds[2].Right-x.seconds[2].Puts, h.TotalCount())
}

func TestThePreloadStoresTheSetBeforeT0EvenWhereTheJudgeIsLate(t *testing.T) {
	early := (&trial{stages: steady(50, time.Second), mix: everything, preload: true}).run(t)
	require.Equal(t, 100, early.loaded)
	require.Negative(t, early.preloaded)
	late := (&trial{stages: steady(50, time.Second), mix: everything, preload: true, config: func(c *Config) { c.T0 = time.Now().Add(-time.Second) }}).run(t)
	require.Equal(t, 100, late.loaded)
}

func TestAPlatformThatHangsDoesNotHoldUpTheStartForAll(t *testing.T) {
	x := (&trial{stages: steady(50, time.Second), mix: everything, preload: true, hangs: true}).run(t)
	require.Zero(t, x.loaded)
	require.LessOrEqual(t, x.preloaded, 100*time.Millisecond)
	require.Equal(t, 51, x.summary.Offered)
}

func TestAStallIsChargedForTheQueueThatItCaused(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	synctest.Test(t, func(t *testing.T) {
		r := selfTest{wire: newPipes()}.stall(t.Context(), 2*time.Second, 6*time.Second)
		require.True(t, r.OK, r.Got)
		require.Contains(t, r.Got, "p99 of 1.94 s, 2401 of 2401 right")
	})
}

func TestTheStallTestFailsAnEngineThatCountsFromTheSend(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		broken := selfTest{wire: newPipes(), origin: func(_, sent time.Time) time.Time { return sent }}
		r := broken.stall(t.Context(), 2*time.Second, 6*time.Second)
		require.False(t, r.OK)
		require.Contains(t, r.Got, "p99 of 0.00 s")
	})
}

func TestEachSingleFaultIsCountedExactly(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for wrong := range wrongKinds {
		synctest.Test(t, func(t *testing.T) {
			r := selfTest{wire: newPipes()}.wrong(t.Context(), wrong, 4*time.Second)
			require.True(t, r.OK, "%s: got %s, want %s", r.Name, r.Got, r.Want)
		})
	}
}

func TestMergedInjectorsEqualOne(t *testing.T) {
	r := shards()
	require.True(t, r.OK, r.Got)
}

func TestWhatCannotStartWithinFiveSecondsIsUnserved(t *testing.T) {
	x := (&trial{
		stages: steady(10, 20*time.Second), mix: contest.Mix{Put: 1}, max: 30 * time.Second,
		config: func(c *Config) { c.MaxInFlight = 4 },
		before: func(t0 time.Time) func(http.ResponseWriter, *http.Request) bool {
			return func(_ http.ResponseWriter, r *http.Request) bool {
				if now := time.Now(); r.Method == http.MethodPut && now.Before(t0.Add(10*time.Second)) {
					sleepUntil(r.Context(), t0.Add(10*time.Second))
				}
				return false
			}
		},
	}).run(t)
	require.NoError(t, x.err)
	require.Equal(t, 201, x.summary.Offered, "nothing is dropped in silence")
	// Four places are taken until second 10; what was due before second 5 waits
	// for more than 5 s.
	require.InDelta(t, 50-4, x.summary.Errors["unserved"], 1)
	require.Equal(t, x.summary.Offered-x.summary.Errors["unserved"], x.summary.Right)
	require.Zero(t, x.summary.Unsent)
	for _, s := range x.seconds {
		require.False(t, s.Inconclusive, "second %d: the queue is the platform's, not our lag", s.Second)
	}
	require.Equal(t, 10, x.seconds[2].Errors["unserved"])
	require.Equal(t, 10, x.seconds[2].Worst["put"])
}

func TestWithoutConsentNothingIsSentAndEverythingIsUnserved(t *testing.T) {
	var loaded atomic.Int64
	x := (&trial{
		stages: steady(20, 3*time.Second), mix: everything,
		config: func(c *Config) { c.Target.Contest = "another contest" },
		before: func(time.Time) func(http.ResponseWriter, *http.Request) bool {
			return func(_ http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/v1/") {
					loaded.Add(1)
				}
				return false
			}
		},
	}).run(t)
	require.NoError(t, x.err)
	require.Zero(t, loaded.Load())
	require.Equal(t, x.summary.Offered, x.summary.Errors["unserved"])
	require.Equal(t, 61, x.summary.Offered)
}

func TestConsentIsWithdrawnByWordsAndNotBySilence(t *testing.T) {
	answer := func(after time.Duration, say func(http.ResponseWriter)) func(time.Time) func(http.ResponseWriter, *http.Request) bool {
		return func(t0 time.Time) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/.well-known/bogops.json" || time.Now().Before(t0.Add(after)) {
					return false
				}
				say(w)
				return true
			}
		}
	}
	silent := (&trial{stages: steady(20, 40*time.Second), mix: contest.Mix{Put: 1}, before: answer(15*time.Second, func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})}).run(t)
	require.Equal(t, silent.summary.Offered, silent.summary.Good)
	withdrawn := (&trial{stages: steady(20, 40*time.Second), mix: contest.Mix{Put: 1}, before: answer(15*time.Second, func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, `{"contest":""}`)
	})}).run(t)
	require.InDelta(t, 20*20, withdrawn.summary.Errors["unserved"], 25)
}

func TestEveryFailureHasItsKind(t *testing.T) {
	for _, c := range []struct {
		kind  string
		maybe bool // a PUT that ends so may have taken effect
		do    func(w http.ResponseWriter, r *http.Request)
	}{
		{"5xx", true, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }},
		{"shed", true, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }},
		{"shed", false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }},
		{"wrong", false, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }},
		{"wrong", true, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) }},
		{"timeout", true, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"reset", true, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		{"reset", true, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			_, _ = w.Write(make([]byte, 100))
			panic(http.ErrAbortHandler)
		}},
	} {
		for _, mix := range []contest.Mix{{Put: 1}, {Get: 1}, {GetProcess: 1}} {
			t.Run(fmt.Sprintf("%s/%v", c.kind, mix), func(t *testing.T) {
				var seen atomic.Int64
				x := (&trial{stages: steady(10, 2*time.Second), mix: mix, preload: true, before: func(t0 time.Time) func(http.ResponseWriter, *http.Request) bool {
					return func(w http.ResponseWriter, r *http.Request) bool {
						if strings.HasPrefix(r.URL.Path, "/.well-known") {
							return false
						}
						seen.Add(1)
						_, _ = io.Copy(io.Discard, r.Body)
						c.do(w, r)
						return true
					}
				}}).run(t)
				require.NoError(t, x.err)
				require.Equal(t, map[string]int{c.kind: 21}, x.summary.Errors)
				require.Zero(t, x.summary.Right)
				require.Equal(t, 21, x.summary.Offered)
				require.EqualValues(t, 21+x.summary.Replays, seen.Load(), "no retry of ours")
				maybe := 0
				if c.maybe && mix.Put > 0 {
					maybe = 21
				}
				require.Equal(t, maybe, x.maybe)
				require.Equal(t, 10*time.Second, x.summary.P99[scored(mix)].Round(100*time.Millisecond))
			})
		}
	}
}

// scored is the operation that a mix of one is scored by.
func scored(m contest.Mix) string {
	if m.Put > 0 {
		return "put"
	}
	return "get"
}

func TestARefusedConnectionIsTheTargetsAndALackOfDescriptorsIsOurs(t *testing.T) {
	failing := func(err error) *trial {
		return &trial{stages: steady(10, 2*time.Second), mix: contest.Mix{Put: 1}, config: func(c *Config) {
			whole := c.dial
			var dials atomic.Int64
			c.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				if dials.Add(1) > 1 { // the first is for the consent
					return nil, &net.OpError{Op: "dial", Err: err}
				}
				return whole(ctx, network, address)
			}
		}}
	}
	never := failing(syscall.ECONNREFUSED).run(t)
	require.Zero(t, never.maybe, "what had no connection never took effect")
	refused := never.summary
	require.Equal(t, refused.Offered, refused.Right+refused.Errors["refused"])
	require.Greater(t, refused.Errors["refused"], 10)
	ours := failing(syscall.EMFILE).run(t).summary
	require.Empty(t, ours.Errors)
	require.Equal(t, ours.Offered, ours.Right)
	require.Equal(t, 21, ours.Offered+ours.Unsent)
	require.Greater(t, ours.Unsent, 10)
}

func TestARightAnswerAfterTheLimitIsLate(t *testing.T) {
	x := (&trial{stages: steady(10, 2*time.Second), mix: contest.Mix{Put: 1}, max: time.Second, before: func(time.Time) func(http.ResponseWriter, *http.Request) bool {
		return func(_ http.ResponseWriter, r *http.Request) bool {
			sleepUntil(r.Context(), time.Now().Add(1500*time.Millisecond))
			return false
		}
	}}).run(t)
	require.Equal(t, 21, x.summary.Right)
	require.Zero(t, x.summary.Good)
	require.Equal(t, 21, x.summary.Errors["late"])
	require.InDelta(t, 1.5, x.summary.P99["put"].Seconds(), 0.01)
}

func TestAKeyThatWasNeverAcknowledgedIsNotAskedFor(t *testing.T) {
	x := (&trial{stages: steady(50, 4*time.Second), mix: contest.Mix{Put: 1, Get: 1}, preload: true, before: func(time.Time) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut {
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(http.StatusInternalServerError)
			}
			return r.Method == http.MethodPut
		}
	}}).run(t)
	require.Equal(t, map[string]int{"5xx": puts(x.seconds)}, x.summary.Errors)
	require.Greater(t, x.summary.Substituted, 10)
	nothing := (&trial{stages: steady(50, 2*time.Second), mix: contest.Mix{Get: 1}}).run(t)
	require.Equal(t, nothing.summary.Offered-nothing.summary.Right, nothing.summary.Errors["unserved"], "nothing was ever acknowledged")
	require.Less(t, nothing.summary.Right, 10, "absent keys are 404")
}

func puts(seconds []journal.Load) (n int) {
	for _, s := range seconds {
		n += s.Puts
	}
	return n
}

// aTenth is a day in which the melt rule's 10 s are one second.
func aTenth(c *Config) { c.TimeScale = 0.1 }

func TestAPlatformThatMeltsIsSteppedDownAndSeenToRecover(t *testing.T) {
	x := (&trial{
		stages: steady(60, 18*time.Second), mix: contest.Mix{Put: 1}, config: aTenth,
		before: func(t0 time.Time) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				after := time.Since(t0)
				melted := r.Method == http.MethodPut && after > 4*time.Second && after < 8*time.Second
				if melted {
					_, _ = io.Copy(io.Discard, r.Body)
					w.WriteHeader(http.StatusServiceUnavailable)
				}
				return melted
			}
		},
	}).run(t)
	require.NoError(t, x.err)
	require.Equal(t, 1, x.summary.Melted)
	// Three windows are bad from 4 on; what follows is at the last good rate,
	// which is that of a steady 60: nothing need be cut.
	require.Greater(t, x.seconds[16].Good, 55)
	require.Equal(t, x.summary.Offered, x.summary.Right+x.summary.Errors["shed"]+x.summary.Errors["unserved"], x.summary.Errors)
}

func TestARampThatMeltsThePlatformIsCutToTheLastGoodRate(t *testing.T) {
	const capacity = 40 // requests a second; after one of half as many again it serves nobody
	var mu sync.Mutex
	count := map[int]int{}
	x := (&trial{
		stages: []contest.Stage{{To: 100, For: 10 * time.Second}, {To: 100, For: 6 * time.Second}},
		mix:    contest.Mix{Put: 1}, config: aTenth,
		before: func(t0 time.Time) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPut {
					return false
				}
				mu.Lock()
				second := int(time.Since(t0) / time.Second)
				count[second]++
				over := count[second] > capacity || count[second-1] > capacity*3/2
				mu.Unlock()
				if over {
					_, _ = io.Copy(io.Discard, r.Body)
					w.WriteHeader(http.StatusServiceUnavailable)
				}
				return over
			}
		},
	}).run(t)
	require.NoError(t, x.err)
	require.Positive(t, x.summary.Melted)
	rested := 0
	for _, s := range x.seconds {
		if s.Errors["unserved"] > 0 && s.Good > capacity-10 {
			rested++
		}
	}
	require.Greater(t, rested, 3, "it is seen to recover at the last good rate")
	require.Less(t, x.seconds[15].Good, capacity, "and to melt again at the planned one")
	require.Equal(t, plannedLen(x.seconds), x.summary.Offered, "what was cut counts as unserved")
}

func plannedLen(seconds []journal.Load) int {
	n := 0
	for _, s := range seconds {
		n += s.Right + s.Unsent
		for kind, e := range s.Errors {
			if kind != "late" {
				n += e
			}
		}
	}
	return n
}

func TestAnAbortEndsTheRunAtOnceAndBlamesNobody(t *testing.T) {
	stop := errors.New("the organiser says stop")
	told := 0
	x := (&trial{stages: steady(20, 60*time.Second), mix: everything, preload: true, config: func(c *Config) {
		c.Second = func(l journal.Load) error {
			told++
			if l.Offered != l.Good {
				return errors.New("blamed")
			}
			if l.Second == 5 {
				return stop
			}
			return nil
		}
	}}).run(t)
	require.ErrorIs(t, x.err, stop)
	require.LessOrEqual(t, told, 7)
}

func TestARunTakenUpAfterACrashTellsOnlyTheSecondsThatAreLeft(t *testing.T) {
	x := (&trial{stages: steady(20, 10*time.Second), mix: contest.Mix{Put: 1}, config: func(c *Config) {
		c.T0 = time.Now().Add(-4500 * time.Millisecond)
		c.First = 5
	}}).run(t)
	require.NoError(t, x.err)
	require.Equal(t, 5, x.seconds[0].Second)
	require.Len(t, x.seconds, 6)
	require.Equal(t, x.summary.Offered, x.summary.Good)
}

func TestALineOfLoadHoldsNoTokenAndFitsTheJournal(t *testing.T) {
	x := (&trial{stages: steady(20, 2*time.Second), mix: everything, preload: true, config: func(c *Config) { c.Target.Token = "top-secret" }}).run(t)
	line, err := json.Marshal(x.seconds[1])
	require.NoError(t, err)
	require.NotContains(t, string(line), "top-secret")
	require.Less(t, len(line), 4096)
}
