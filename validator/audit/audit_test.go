package audit

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/ledger"
	"bogops/validator/load"
	"bogops/validator/load/content"
	"bogops/validator/target"
)

// kept is a platform that answers GETs from a map, by way of a single fault.
type kept struct {
	mu      sync.Mutex
	objects map[string][]byte
	asked   map[string]int
	order   []string
	fault   func(w http.ResponseWriter, key string, body []byte, asked int) (done bool)
}

func (k *kept) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.URL.Path, "/v1/objects/")
	k.mu.Lock()
	k.asked[key]++
	asked, body, ok := k.asked[key], k.objects[key], false
	if _, ok = k.objects[key]; asked == 1 {
		k.order = append(k.order, key)
	}
	k.mu.Unlock()
	switch {
	case k.fault != nil && k.fault(w, key, body, asked):
	case r.Header.Get("Authorization") != "Bearer token":
		w.WriteHeader(http.StatusUnauthorized)
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	default:
		_, _ = w.Write(body)
	}
}

const objects = 40

// setup stores objects that are acknowledged in a ledger. The first has two
// versions, the second one that may or may not be there.
func setup(t *testing.T) (*kept, Config) {
	plan, err := load.NewPlan([]byte("seed"), contest.Campaign{
		ID: "audit", Ramp: []contest.Stage{{To: 10, For: time.Second}}, Mix: contest.Mix{Put: 1},
		Sizes: []contest.Size{{Bytes: 4096, Share: 1}},
	})
	require.NoError(t, err)
	book, err := ledger.Open(filepath.Join(t.TempDir(), "ledger"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, book.Close()) })
	k := &kept{objects: map[string][]byte{}, asked: map[string]int{}}
	write := func(o content.Object, outcome ledger.Outcome) {
		id, err := book.Begin(o.Key, o.Version, o.Size)
		require.NoError(t, err)
		require.NoError(t, book.End(id, outcome))
	}
	var writes sync.WaitGroup
	for i := range objects {
		writes.Go(func() { write(plan.LoadedObject(i), ledger.Acknowledged) })
		k.objects[plan.LoadedObject(i).Key] = plan.Content().Bytes(plan.LoadedObject(i))
	}
	writes.Wait()
	second := plan.LoadedObject(0)
	second.Version, second.Size = 2, second.Size+10
	write(second, ledger.Acknowledged)
	k.objects[second.Key] = plan.Content().Bytes(second)
	maybe := plan.LoadedObject(1)
	maybe.Version = 3
	write(maybe, ledger.Maybe)
	k.objects[maybe.Key] = plan.Content().Bytes(maybe)
	write(content.Object{Key: "never acknowledged", Version: 1, Size: 10}, ledger.Maybe)

	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	return k, Config{
		Campaign: "audit", Team: "t", Target: target.Target{URL: u, Token: "token"}, Ledger: book, Plan: plan,
		Rate: 5000, Tries: 3, Window: 20 * time.Millisecond,
	}
}

func TestAnHonestPlatformHasEveryObject(t *testing.T) {
	k, c := setup(t)
	got, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, journal.Audit{Campaign: "audit", Team: "t", Done: true, Acknowledged: objects, Checked: objects, OK: objects}, got)
	for key, n := range k.asked {
		require.Equal(t, 1, n, key)
	}
	require.NotContains(t, k.asked, "never acknowledged")
}

func TestOneWrongObjectIsFoundForWhatItIs(t *testing.T) {
	for _, c := range []struct {
		name, class, got string
		tries            int
		fault            func(w http.ResponseWriter, body []byte, asked int) bool
	}{
		{"gone", "lost", "status 404", 3, func(w http.ResponseWriter, _ []byte, _ int) bool {
			w.WriteHeader(http.StatusNotFound)
			return true
		}},
		{"gone for good after an error", "lost", "status 404", 3, func(w http.ResponseWriter, _ []byte, asked int) bool {
			w.WriteHeader(map[bool]int{true: 500, false: 404}[asked == 1])
			return true
		}},
		{"an error each time while the witness answers", "lost", "status 500", 3, func(w http.ResponseWriter, _ []byte, _ int) bool {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}},
		{"a flipped bit", "corrupt", "bytes that were never put, wrong from byte 100 on", 1, func(w http.ResponseWriter, body []byte, _ int) bool {
			body = append([]byte(nil), body...)
			body[100] ^= 1
			_, _ = w.Write(body)
			return true
		}},
		{"cut", "corrupt", "version 1 cut after 200 of ", 1, func(w http.ResponseWriter, body []byte, _ int) bool {
			_, _ = w.Write(body[:200])
			return true
		}},
		{"wrong once, right later", "corrupt", "bytes that were never put", 1, func(w http.ResponseWriter, body []byte, asked int) bool {
			if asked == 1 {
				_, _ = w.Write(make([]byte, len(body)))
			}
			return asked == 1
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, config := setup(t)
			victim := config.Plan.LoadedObject(7)
			k.fault = func(w http.ResponseWriter, key string, body []byte, asked int) bool {
				return key == victim.Key && c.fault(w, body, asked)
			}
			got, err := Run(t.Context(), config)
			require.NoError(t, err)
			require.Equal(t, objects, got.Checked)
			require.Equal(t, objects-1, got.OK)
			require.Equal(t, map[string]int{"lost": got.Lost, "corrupt": got.Corrupt}[c.class], 1)
			require.Len(t, got.Findings, 1)
			finding := got.Findings[0]
			require.Equal(t, []any{victim.Key, c.class, c.tries}, []any{finding.Key, finding.Class, finding.Tries})
			require.Contains(t, finding.Got, c.got)
			require.Regexp(t, `^version 1, \d+ bytes$`, finding.Want)
		})
	}
}

func TestTheReplacedVersionIsStale(t *testing.T) {
	k, c := setup(t)
	old := c.Plan.LoadedObject(0)
	k.objects[old.Key] = c.Plan.Content().Bytes(old)
	got, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, []int{1, objects - 1}, []int{got.Stale, got.OK})
	require.Contains(t, got.Findings[0].Got, "version 1")
	require.Contains(t, got.Findings[0].Want, "version 2")
}

func TestAWriteOfUnknownOutcomeMayHaveHappenedOrNot(t *testing.T) {
	k, c := setup(t)
	before := c.Plan.LoadedObject(1)
	k.objects[before.Key] = c.Plan.Content().Bytes(before)
	got, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, objects, got.OK)
}

func TestAnObjectThatComesBackInTimeIsNotLost(t *testing.T) {
	k, c := setup(t)
	k.fault = func(w http.ResponseWriter, _ string, _ []byte, asked int) bool {
		if asked < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return asked < 3
	}
	start := time.Now()
	got, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, objects, got.OK)
	require.GreaterOrEqual(t, time.Since(start), c.Window)
}

func TestWhileTheWitnessIsSilentTooNobodyIsBlamed(t *testing.T) {
	for answers, want := range map[bool][]int{true: {objects, 0}, false: {0, objects}} {
		k, c := setup(t)
		k.fault = func(w http.ResponseWriter, _ string, _ []byte, _ int) bool {
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		c.Witness = func() bool { return answers }
		got, err := Run(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, want, []int{got.Lost, got.Unreachable})
	}
}

func TestAClosedPortLosesAndTheJudgesOwnFaultIsInconclusive(t *testing.T) {
	_, c := setup(t)
	closed := c
	closed.Target.URL = &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	got, err := Run(t.Context(), closed)
	require.NoError(t, err)
	require.Equal(t, []int{objects, 0}, []int{got.Lost, got.Inconclusive})
	require.Contains(t, got.Findings[0].Got, "no answer: refused")

	ours := c
	ours.Target.URL = &url.URL{Scheme: "http", Host: "audit.invalid:80"}
	ours.Target.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, syscall.EMFILE
	}}
	got, err = Run(t.Context(), ours)
	require.NoError(t, err)
	require.Equal(t, []int{0, objects}, []int{got.Lost, got.Inconclusive})
	require.Empty(t, got.Findings)
}

func TestTheOrderIsRandomAndTheRateIsKept(t *testing.T) {
	k, c := setup(t)
	c.Rate = 200
	progress := 0
	c.Progress = func(journal.Audit) error { progress++; return nil }
	start := time.Now()
	_, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(start), (objects-1)*5*time.Millisecond)
	require.NotEqual(t, c.Ledger.Acknowledged(), k.order)
	require.Zero(t, progress, "less than a second needs no progress")
}

func TestFindingsAreBoundedAndCountsAreNot(t *testing.T) {
	_, c := setup(t)
	a := &audit{Config: c}
	for range 2 * maxFindings {
		a.settle(&object{key: "key", tries: []try{{outcome: missing}}}, true)
	}
	got := a.sofar()
	require.Equal(t, 2*maxFindings, got.Lost)
	require.Len(t, got.Findings, maxFindings)
}

func TestAStoppedAuditIsNotDone(t *testing.T) {
	_, c := setup(t)
	c.Rate = 1
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	got, err := Run(ctx, c)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.False(t, got.Done)
	require.Zero(t, got.Inconclusive)
}
