package readback

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/ceph"
	"bogops/validator/ceph/cephfake"
	"bogops/validator/contest"
	"bogops/validator/ledger"
	"bogops/validator/load"
	"bogops/validator/load/content"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// platform tells where objects lie: each in one RADOS object of its name.
type platform struct {
	mu      sync.Mutex
	sizes   map[string]int64
	states  []string // of the store, one for each time that it is asked; the last one stays
	store   string
	refuses bool
	splits  bool // tells of each byte by itself
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.URL.Path == "/.well-known/bogops.json" {
		_ = json.NewEncoder(w).Encode(map[string]string{"store_state": p.states[0]})
		p.states = p.states[min(1, len(p.states)-1):]
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/v1/evidence/")
	if p.refuses || r.Header.Get("Authorization") != "Bearer token" || p.states[0] != "primary" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	claim := ceph.Claim{Store: p.store, Size: p.sizes[key], FSID: cephfake.ID, Pool: cephfake.Pool}
	length := p.sizes[key]
	if p.splits {
		length = 1
	}
	for at := int64(0); at < p.sizes[key]; at += length {
		claim.Pieces = append(claim.Pieces, ceph.Piece{Name: "head." + key, At: 64 + at, Offset: at, Length: length})
	}
	_ = json.NewEncoder(w).Encode(claim)
}

const stored = 40

// setup stores 40 acknowledged objects in a fake cluster.
func setup(t *testing.T) (*platform, *cephfake.Fake, Config) {
	t.Helper()
	plan, err := load.NewPlan([]byte("seed"), contest.Campaign{
		ID: "1", Ramp: []contest.Stage{{To: 10, For: time.Second}}, Mix: contest.Mix{Put: 1}, Sizes: []contest.Size{{Bytes: 4096, Share: 1}},
	})
	require.NoError(t, err)
	book, err := ledger.Open(filepath.Join(t.TempDir(), "ledger"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, book.Close()) })
	p := &platform{sizes: map[string]int64{}, states: []string{"primary"}, store: "ceph"}
	fake := cephfake.New()
	var writes sync.WaitGroup
	for i := range stored {
		o := plan.LoadedObject(i)
		p.sizes[o.Key] = o.Size
		put(fake, plan, o)
		writes.Go(func() {
			id, err := book.Begin(o.Key, o.Version, o.Size)
			if err == nil {
				err = book.End(id, ledger.Acknowledged)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	writes.Wait()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	return p, fake, Config{
		Campaign: "1", Team: "loutres", Target: target.Target{URL: at, Token: "token"}, Ceph: fake.Cluster(),
		Ledger: book, Plan: plan, Sample: 30, Window: 100 * time.Millisecond,
	}
}

func put(fake *cephfake.Fake, plan *load.Plan, o content.Object) {
	fake.Write(inCeph(o.Key), append(make([]byte, 64), plan.Content().Bytes(o)...))
}

func inCeph(key string) ceph.Object { return ceph.Object{Pool: cephfake.Pool, Name: "head." + key} }

func TestTheSampleIsDrawnBySeedAndAllOfItIsProven(t *testing.T) {
	_, _, c := setup(t)
	told, first, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, 30, told.Sampled)
	require.Equal(t, 30, told.Proven)
	require.Zero(t, told.Void)
	require.Empty(t, told.Detail)
	_, second, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, first, second)
	seen := map[string]bool{}
	for _, s := range first {
		seen[s.Key] = true
	}
	require.Len(t, seen, 30)
}

func TestWhatIsNotReadInCephCountsNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*platform, *cephfake.Fake, *Config)
		proven  int
		void    int
		details string
	}{
		{"no access", func(_ *platform, _ *cephfake.Fake, c *Config) { c.Ceph = nil }, 0, 0, "no way into Ceph"},
		{"evidence refused", func(p *platform, _ *cephfake.Fake, _ *Config) { p.refuses = true }, 0, 0, "answers 403"},
		{"on S3", func(p *platform, _ *cephfake.Fake, _ *Config) { p.store = "s3" }, 0, 0, `"s3"`},
		{"never home", func(p *platform, _ *cephfake.Fake, _ *Config) { p.states = []string{"fallback"} }, 0, 0, "answers 403"},
		{"another cluster", func(_ *platform, f *cephfake.Fake, _ *Config) { f.FSID = "another" }, 0, 0, "the monitors say another"},
		{"one is missing", func(_ *platform, f *cephfake.Fake, c *Config) { f.Delete(inCeph(sampled(c)[7])) }, 29, 0, "no such object"},
		{"one is changed", func(_ *platform, f *cephfake.Fake, c *Config) {
			f.Write(inCeph(sampled(c)[7]), make([]byte, 64+4096))
		}, 29, 0, "Other bytes in Ceph"},
		{"one is that of another", func(_ *platform, f *cephfake.Fake, c *Config) {
			keys := sampled(c)
			other, _ := f.Read(context.Background(), inCeph(keys[8]), 0, 1<<20)
			f.Write(inCeph(keys[7]), other)
		}, 29, 0, "the bytes of another key"},
		{"the judge's own build", func(_ *platform, _ *cephfake.Fake, c *Config) { c.Ceph.Access = ours{} }, 0, 30, "built without"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, fake, config := setup(t)
			c.change(p, fake, &config)
			told, samples, err := Run(t.Context(), config)
			require.NoError(t, err)
			require.Equal(t, 30, told.Sampled)
			require.Equal(t, c.proven, told.Proven, told.Detail)
			require.Equal(t, c.void, told.Void, told.Detail)
			require.Contains(t, told.Detail, c.details)
			require.Len(t, samples, 30)
		})
	}
}

// sampled are the keys of the sample.
func sampled(c *Config) []string {
	keys := c.Ledger.Acknowledged()
	c.Plan.Shuffle(keys)
	return keys[:c.Sample]
}

// ours is the way into a cluster of a judge that was built without librados.
type ours struct{}

func (ours) Read(context.Context, ceph.Object, int64, int64) ([]byte, error) {
	return nil, ceph.ErrBuild
}
func (ours) Ask(context.Context, ceph.Query) ([]byte, error) { return nil, ceph.ErrBuild }
func (ours) Close() error                                    { return nil }

// reluctant is a way into a cluster whose monitors answer the third time.
type reluctant struct {
	ceph.Access
	asked int
}

func (r *reluctant) Ask(ctx context.Context, q ceph.Query) ([]byte, error) {
	if r.asked++; r.asked < 3 {
		return nil, ceph.ErrUnreachable
	}
	return r.Access.Ask(ctx, q)
}

func TestMonitorsThatOweAnAnswerForAMomentCostNothing(t *testing.T) {
	_, _, c := setup(t)
	c.Ceph.Access = &reluctant{Access: c.Ceph.Access}
	told, _, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, 30, told.Proven, told.Detail)
}

func TestAPlatformThatComesHomeInTimeIsReadThen(t *testing.T) {
	p, _, c := setup(t)
	c.Window = 20 * time.Second
	p.states = []string{"fallback", "reconciling", "primary"}
	told, _, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, 30, told.Proven, told.Detail)
}

func TestSecretsOfTheWayInStayOutOfTheReasons(t *testing.T) {
	p, _, c := setup(t)
	p.store = "a-very-secret-key"
	c.Ceph.Secrets = []string{"a-very-secret-key"}
	told, samples, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.NotContains(t, told.Detail+samples[0].Why, "a-very-secret-key")
	require.Equal(t, verdict.Unproven, samples[0].Status)
}

func TestEvidenceOfManyPiecesIsKeptInPart(t *testing.T) {
	p, _, c := setup(t)
	p.splits = true
	told, samples, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, 30, told.Proven, told.Detail)
	for _, s := range samples {
		require.Len(t, s.Claim.Pieces, 64)
	}
}

func TestNothingAcknowledgedIsNothingSampled(t *testing.T) {
	_, _, c := setup(t)
	empty, err := ledger.Open(filepath.Join(t.TempDir(), "empty"))
	require.NoError(t, err)
	defer empty.Close()
	c.Ledger = empty
	told, _, err := Run(t.Context(), c)
	require.NoError(t, err)
	require.Zero(t, told.Sampled)
}
