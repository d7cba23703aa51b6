package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/admit"
	"bogops/app/store"
)

// lying is a Locate that knows one key, and says of it what it is told to.
func lying(key string, at store.Location) func(*Config) {
	return func(c *Config) {
		c.Locate = func(_ context.Context, asked string) (store.Location, error) {
			if asked != key {
				return store.Location{}, fmt.Errorf("radosstore: %w", store.ErrNotFound)
			}
			return at, nil
		}
	}
}

func TestEvidenceIsTheContractsJSONForEveryKindOfStore(t *testing.T) {
	for want, at := range map[string]store.Location{
		`{"store":"ceph","etag":"\"e\"","size":5,"fsid":"f","pool":"objects","namespace":"","pieces":[
			{"name":"h","at":128,"offset":0,"length":3},{"name":"t.0","at":0,"offset":3,"length":2}]}`: {
			Kind: "ceph", ETag: `"e"`, Size: 5, FSID: "f", Pool: "objects",
			Pieces: []store.Piece{{Name: "h", At: 128, Length: 3}, {Name: "t.0", Offset: 3, Length: 2}},
		},
		`{"store":"ceph","etag":"\"e\"","size":0,"fsid":"f","pool":"objects","namespace":"n","pieces":[]}`: {
			Kind: "ceph", ETag: `"e"`, FSID: "f", Pool: "objects", Namespace: "n",
		},
		`{"store":"ceph","etag":"\"e\"","size":0,"fsid":"f","pool":"data","namespace":"","pieces":[],"bucket":"b","object":"o"}`: {
			Kind: "ceph", ETag: `"e"`, FSID: "f", Pool: "data", Bucket: "b", Object: "o",
		},
		`{"store":"s3","etag":"\"e\"","size":7,"bucket":"b","object":"fallback/3/<&>"}`: {
			Kind: "s3", ETag: `"e"`, Size: 7, Bucket: "b", Object: "fallback/3/<&>",
		},
		`{"store":"filesystem","etag":"\"e\"","size":7}`: {Kind: "filesystem", ETag: `"e"`, Size: 7},
	} {
		b := newBench(t, lying("a/b c", at))
		got := b.do("GET", "/v1/evidence/a%2Fb%20c", "")
		require.Equal(t, 200, got.status)
		require.JSONEq(t, want, got.body)
		require.Equal(t, "no-store", got.header.Get("Cache-Control"))
		require.Equal(t, "i-1", got.header.Get("Bogops-Instance"))
	}
}

func TestWhereObjectsLieIsForTheJudgeAlone(t *testing.T) {
	b := newBench(t, lying("k", store.Location{Kind: "filesystem", ETag: `"e"`}))
	for token, status := range map[string]int{judgeToken: 200, writerToken: 403, readerToken: 403, "stranger": 401} {
		require.Equal(t, status, b.do("GET", "/v1/evidence/k", "", "Authorization: Bearer "+token).status, token)
	}
	// An escape in the path gets nobody around it.
	require.Equal(t, 403, b.do("GET", "/v1/%65vidence/k", "", "Authorization: Bearer "+readerToken).status)
}

func TestErrorsOfEvidenceComeInTheContractsOrder(t *testing.T) {
	b := newBench(t, lying("k", store.Location{Kind: "filesystem", ETag: `"e"`}))
	const anyone, reader = "Authorization: Bearer stranger", "Authorization: Bearer " + readerToken
	for _, c := range []struct {
		status         int
		method, target string
		headers        []string
	}{
		{401, "BREW", "/v1/evidence/..?process=", []string{anyone}},
		{403, "BREW", "/v1/evidence/..?process=", []string{reader}},
		{403, "GET", "/v1/evidence/..", []string{reader}},
		{404, "BREW", "/v1/evidence", nil},
		{405, "BREW", "/v1/evidence/..?process=", nil},
		{405, "PUT", "/v1/evidence/k", nil},
		{400, "GET", "/v1/evidence/..", nil},
		{400, "GET", "/v1/evidence/", nil},
		{400, "GET", "/v1/evidence/k?process=upper", nil},
		{404, "GET", "/v1/evidence/missing", nil},
	} {
		got := b.do(c.method, c.target, "", c.headers...)
		b.wantProblem(got, c.status)
		want := ""
		if c.status == 405 {
			want = "GET"
		}
		require.Equal(t, want, got.header.Get("Allow"), "%s %s", c.method, c.target)
	}
	without := newBench(t)
	without.wantProblem(without.do("GET", "/v1/evidence/..", ""), 404)
}

func TestAStoreThatFailsToLocateNeverDeniesTheObject(t *testing.T) {
	for err, status := range map[error]int{
		store.ErrUnavailable: 503, store.ErrUnknown: 503, context.DeadlineExceeded: 503, errors.New("a bug"): 500,
	} {
		b := newBench(t, func(c *Config) {
			c.Locate = func(_ context.Context, key string) (store.Location, error) {
				return store.Location{}, fmt.Errorf("rados: object %q at secret-host: %w", key, err)
			}
		})
		got := b.do("GET", "/v1/evidence/private-key", "")
		b.wantProblem(got, status)
		require.NotContains(t, got.body, "secret-host")
		require.Equal(t, status == 503, got.header.Get("Retry-After") == "1")
		require.Contains(t, b.log.String(), "secret-host")
		require.NotContains(t, b.log.String(), "private-key")
		require.Contains(t, b.log.String(), store.Fingerprint("private-key"))
	}
}

func TestEvidenceTakesItsPlaceAmongTheRequestsAndGivesItBack(t *testing.T) {
	gate := admit.New(admit.Config{InFlight: 1})
	inside := int64(0)
	b := newBench(t, func(c *Config) {
		c.Gate = gate
		c.Locate = func(context.Context, string) (store.Location, error) {
			inside = gate.Numbers().InFlight
			return store.Location{Kind: "filesystem", ETag: `"e"`}, nil
		}
	})
	for range 3 {
		require.Equal(t, http.StatusOK, b.do("GET", "/v1/evidence/k", "").status)
		require.EqualValues(t, 1, inside)
	}
	require.NoError(t, gate.Enter())
	b.wantProblem(b.do("GET", "/v1/evidence/k", ""), 503)
}
