//go:build ceph

package proof

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store/linear"
	"bogops/infra/ceph/cephtest"
)

// claim is what a platform says of the one object that it has.
type claim struct {
	status, evidenceStatus int
	body                   []byte
	etag                   string
	evidence               map[string]any
}

// The audit is tried on platforms that are right but for one thing.
func TestTheAuditFindsAPlatformThatIsWrongInOneThing(t *testing.T) {
	place := cephtest.Shared(t)
	judge := newReader(t, place.Conf, place.JudgeKeyring, place.FSID)
	pool, err := connect(t, place.User, place.Conf, place.Keyring).OpenIOContext(place.Pool)
	require.NoError(t, err)
	defer pool.Destroy()
	pool.SetNamespace(place.Namespace)
	written := bytesOf("1")
	require.NoError(t, pool.WriteFull("right", append([]byte("before"), written...)))
	require.NoError(t, pool.WriteFull("other", append([]byte("before"), bytesOf("2")...)))
	piece := func(name string, length int) map[string]any {
		return map[string]any{"name": name, "at": 6, "offset": 0, "length": length}
	}
	for name, c := range map[string]struct {
		wrong func(*claim)
		want  string // empty: nothing is wrong
	}{
		"nothing":                    {func(*claim) {}, ""},
		"the object is gone":         {func(c *claim) { c.status, c.evidenceStatus = 404, 404 }, "no order of these operations"},
		"another write came back":    {func(c *claim) { c.body = bytesOf("2") }, "in Ceph lie"},
		"a torn object":              {func(c *claim) { c.body = c.body[:len(c.body)-1] }, "torn"},
		"another tag":                {func(c *claim) { c.etag = `"b"` }, "in Ceph lie"},
		"it cannot be read":          {func(c *claim) { c.status = 503 }, "status 503"},
		"no evidence":                {func(c *claim) { c.evidenceStatus = 404 }, "evidence: status 404"},
		"evidence of another store":  {func(c *claim) { c.evidence["store"] = "s3" }, `store "s3"`},
		"evidence elsewhere":         {func(c *claim) { c.evidence["fsid"] = "another" }, "cluster another"},
		"evidence of another object": {func(c *claim) { c.evidence["pieces"] = []any{piece("other", len(written))} }, "in Ceph lie"},
		"evidence of nothing":        {func(c *claim) { c.evidence["pieces"] = []any{piece("missing", len(written))} }, "0 bytes read"},
		"evidence of a part":         {func(c *claim) { c.evidence["pieces"] = []any{piece("right", len(written)-1)} }, "the evidence says"},
	} {
		t.Run(name, func(t *testing.T) {
			it := &claim{200, 200, written, `"a"`, map[string]any{
				"store": "ceph", "etag": `"a"`, "size": len(written), "fsid": place.FSID, "pool": place.Pool, "namespace": place.Namespace,
				"pieces": []any{piece("right", len(written))},
			}}
			c.wrong(it)
			l := it.load(t)
			l.note(l.platform.instances[0], linear.Op{Kind: linear.Put, Key: "k", Data: "1", ETag: `"a"`, Return: time.Nanosecond}, answered)
			objects, err := l.audit(judge)
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, 1, objects)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// load is one on a platform that claims this.
func (c *claim) load(t *testing.T) *load {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/evidence/") {
			w.WriteHeader(c.evidenceStatus)
			_ = json.NewEncoder(w).Encode(c.evidence)
			return
		}
		w.Header().Set("ETag", c.etag)
		w.WriteHeader(c.status)
		if c.status == http.StatusServiceUnavailable {
			_, _ = w.Write([]byte(`{"type":"store-unavailable"}`))
			return
		}
		_, _ = w.Write(c.body)
	}))
	t.Cleanup(server.Close)
	f := &platform{began: time.Now(), client: server.Client()}
	for n := range f.instances {
		f.instances[n] = &instance{name: "fake", url: server.URL}
	}
	return newLoad(f, "", 0)
}
