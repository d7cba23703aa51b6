package redeploy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/verdict"
)

func TestOnlyAWholeSelfDescriptionIsLive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		says   string // empty: it is live
	}{
		{200, `{"version":"r+n"}`, ""},
		{503, `{"version":"r+n"}`, `got 0 of 50, 50 times "status 503: {\"version\":\"r+n\"}"`},
		{202, `{"version":"r+n"}`, `50 times "status 202`},
		{200, "r+n", `50 times "no JSON: r+n"`},
		{503, "r+n", `50 times "status 503: r+n"`},
	} {
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		}))
		t.Cleanup(site.Close)
		proof := Prove(t.Context(), at(t, site.URL), "n")
		if c.says == "" {
			require.NoError(t, proof.Err)
			continue
		}
		require.Contains(t, finding(t, proof.Err, verdict.Mumble), c.says)
		require.Zero(t, proof.Live)
		require.Empty(t, proof.Version)
	}
}

func TestWhatAPlatformDescribesIsCut(t *testing.T) {
	t.Parallel()
	s := stage(t, rollOut)
	versions := make([]string, freshConnections)
	for i := range versions {
		versions[i] = fmt.Sprint(i, flood)
	}
	s.platform.run(versions...)
	says := finding(t, Prove(t.Context(), s.line.Target, "n").Err, verdict.Mumble)
	require.Contains(t, says, ", and 47 others, want")
	require.Less(t, len(says), 1000)

	s.platform.run(flood + "+n")
	proof := Prove(t.Context(), s.line.Target, "n")
	require.NoError(t, proof.Err)
	require.LessOrEqual(t, len(proof.Version), 300)
	require.True(t, strings.HasSuffix(proof.Version, "+n"))
}

// A series is what a platform describes on one connection after the other: n
// times new or old; the last for ever.
type series []struct {
	n   int
	new bool
}

func (s series) serve(t *testing.T) (address string, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		at := int(asked.Add(1))
		for i, part := range s {
			if at -= part.n; at > 0 && i < len(s)-1 {
				continue
			}
			version := before
			if part.new {
				version = "r+n"
			}
			_, _ = fmt.Fprintf(w, `{"version":%q}`, version)
			return
		}
	}))
	t.Cleanup(site.Close)
	return site.URL, asked
}

const old, fresh = false, true

func TestOneProofThatHoldsAfterOneThatDidNotIsNoProof(t *testing.T) {
	t.Parallel()
	lucky := glance + freshConnections
	for name, s := range map[string]series{
		"once":                          {{freshConnections, old}, {lucky, fresh}, {1, old}},
		"twice, after two that did not": {{freshConnections, old}, {lucky, fresh}, {freshConnections, old}, {lucky + freshConnections, fresh}, {1, old}},
	} {
		address, asked := s.serve(t)
		all := 0
		for _, part := range s {
			all += part.n
		}
		ctx := overOnce(t, func() bool { return int(asked.Load()) > all+freshConnections })
		proof := awaitLive(ctx, at(t, address), "n", time.Millisecond)
		finding(t, proof.Err, verdict.Mumble)
		require.Zero(t, proof.Live, name)
	}
}

func TestAPlatformThatStaysLiveIsSoInTheEndHoweverOftenItWasNot(t *testing.T) {
	t.Parallel()
	var s series
	for range 10 {
		s = append(s, series{{freshConnections, old}, {glance, fresh}}...)
	}
	s = append(s, series{{1, fresh}}...)
	address, asked := s.serve(t)
	proof := awaitLive(t.Context(), at(t, address), "n", time.Millisecond)
	require.NoError(t, proof.Err)
	require.LessOrEqual(t, int(asked.Load()), 10*(freshConnections+glance)+mostInARow*freshConnections)
}
