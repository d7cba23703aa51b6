package probe_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/ceph"
	"bogops/validator/ceph/cephfake"
	"bogops/validator/evidence"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// storing is a platform that takes everything.
func storing(t *testing.T) target.Target {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	return target.Target{ID: "loutres", URL: at, Token: "judge"}
}

func runOn(t *testing.T, id string, cluster *ceph.Cluster, env probe.Env) journal.Verdict {
	t.Helper()
	env.Ceph = map[string]*ceph.Cluster{"loutres": cluster}
	return probe.Run(t.Context(), some(t, id)[0], storing(t), env)
}

func TestAClusterThatBecomesAnotherOneIsWrong(t *testing.T) {
	fake := cephfake.New()
	cluster := fake.Cluster()
	require.Equal(t, verdict.OK, runOn(t, "ceph/health", cluster, probe.Env{}).Status)
	fake.FSID = "11111111-fa1e-fa1e-fa1e-000000000000"
	v := runOn(t, "ceph/health", cluster, probe.Env{})
	require.Equal(t, verdict.Mumble, v.Status)
	require.Equal(t, cephfake.ID, v.Want)
}

func TestOneMachineCarriesTheMarkInARehearsalAndIsTooFewOnTheDay(t *testing.T) {
	fake := cephfake.New()
	fake.OneMachine = true
	v := runOn(t, "ceph/topology", fake.Cluster(), probe.Env{OneMachine: true})
	require.Equal(t, verdict.OK, v.Status, v.Message)
	require.Contains(t, v.Message, "[R: on 1 machine(s)")
	require.Equal(t, verdict.Degraded, runOn(t, "ceph/topology", fake.Cluster(), probe.Env{}).Status)
	fake.OneMachine = false
	require.NotContains(t, runOn(t, "ceph/topology", fake.Cluster(), probe.Env{OneMachine: true}).Message, "[R")
}

// told is a cluster whose pool has these sizes, in MiB, one for each look; the
// last one stays.
type told struct {
	ceph.Access
	mu    sync.Mutex
	sizes []int64
}

func (s *told) Ask(context.Context, ceph.Query) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.sizes[0] << 20
	s.sizes = s.sizes[min(1, len(s.sizes)-1):]
	return json.Marshal(map[string]any{"pools": []any{map[string]any{"name": "objects", "stats": map[string]int64{"stored": stored}}}})
}

func TestThePoolsGrowthIsSeenAmongOtherWriters(t *testing.T) {
	for _, c := range []struct {
		name  string
		sizes []int64
		want  verdict.Status
	}{
		{"nobody else", []int64{100, 108}, verdict.OK},
		{"it shows late", []int64{100, 100, 100, 108}, verdict.OK},
		{"others deleted before", []int64{100, 40, 48}, verdict.OK},
		{"others delete after", []int64{100, 108, 20}, verdict.OK},
		{"others write", []int64{100, 150}, verdict.OK},
		{"nothing is put", []int64{100}, verdict.Unproven},
		{"a little is put", []int64{100, 104}, verdict.Unproven},
		{"others delete in the same moment", []int64{100, 60}, verdict.NotChecked},
	} {
		t.Run(c.name, func(t *testing.T) {
			cluster := &ceph.Cluster{Access: &told{sizes: c.sizes}, Pool: "objects"}
			v := runOn(t, "ceph/delta", cluster, probe.Env{Settling: 100 * time.Millisecond})
			require.Equal(t, c.want, v.Status, "%s: got %s, want %s", v.Message, v.Got, v.Want)
		})
	}
}

// leaky is a way in whose errors show its key.
type leaky struct{ ceph.Access }

func (leaky) Ask(context.Context, ceph.Query) ([]byte, error) {
	return nil, &verdict.Error{Status: verdict.Unproven, Message: "AQDn-the-key-of-the-judge", Got: "AQDn-the-key-of-the-judge", Want: "none", Err: ceph.ErrFailed}
}

func TestTheKeyOfTheWayInIsInNoVerdictAndNoEvidence(t *testing.T) {
	kept, err := evidence.Open(t.TempDir())
	require.NoError(t, err)
	cluster := &ceph.Cluster{Access: leaky{}, Secrets: []string{"AQDn-the-key-of-the-judge"}}
	v := runOn(t, "ceph/health", cluster, probe.Env{Evidence: kept})
	require.Equal(t, verdict.Unproven, v.Status)
	text, err := kept.Get(v.Evidence)
	require.NoError(t, err)
	require.NotContains(t, v.Message+v.Got+string(text), "AQDn")
	require.Contains(t, string(text), evidence.Redacted)
}
