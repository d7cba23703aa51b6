package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/fleet"
)

// A branch comes and goes: its environment and its pipeline with it.
func (s *stage) followBranches(t *testing.T) {
	s = s.in(t)
	const branch = "feature/Otter_pool"
	after, begun := s.ci.newest(), time.Now()
	s.source.git("checkout", "-q", "-b", branch, "HEAD~1") // before what never gets ready
	s.source.edit("app/main.go", "the second reference platform:", "the reference platform of a branch:")
	revision := s.source.push("a branch")

	s.ci.ends(s.ci.trigger("branches/jobs/follow-branches").ID, "succeeded")
	instance := "branch/jobs/branch-deploy"
	s.ci.vars = "?vars=" + url.QueryEscape(`{"branch":"`+branch+`"}`)
	s.ci.next(instance, after, "succeeded")
	t.Logf("from the push of a branch to its environment: %s", time.Since(begun).Round(time.Second))

	names := s.environment(t, http.MethodGet, "")
	require.Regexp(t, `^feature-otter-pool-[0-9a-f]{8}\n$`, names)
	name := strings.TrimSpace(names)
	var group fleet.Description
	require.NoError(t, json.Unmarshal([]byte(s.environment(t, http.MethodGet, "/"+name+"/fleet/v1/group")), &group))
	require.Equal(t, revision, group.Release.Version)
	require.Equal(t, group.Size.Wanted, group.Size.Ready)
	address := strings.TrimSuffix(strings.Fields(s.environment(t, http.MethodPut, "/"+name))[4], ",")
	require.Equal(t, revision, described(t, address))
	s.platform.runs(t, s.fleet.Describe().Release.Version) // which is the main one's, as before

	s.source.git("push", "-q", "origin", "--delete", branch)
	s.source.git("checkout", "-q", "main")
	s.ci.vars = ""
	s.ci.ends(s.ci.trigger("branches/jobs/follow-branches").ID, "succeeded")
	require.Empty(t, s.environment(t, http.MethodGet, ""))
	_, err := net.Dial("tcp", address)
	require.Error(t, err)
	require.Eventually(t, func() bool {
		var pipelines []struct {
			Name     string
			Archived bool
		}
		s.ci.call(http.MethodGet, strings.TrimSuffix(s.ci.team, "/"), "", &pipelines)
		for _, p := range pipelines {
			if p.Name == "branch" && !p.Archived {
				return false
			}
		}
		return true
	}, 2*time.Minute, time.Second, "the pipeline of a branch that has gone is not archived")
}

// environment asks the service for environments.
func (s *stage) environment(t *testing.T, method, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.environments+"/v1/environments"+path, nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+s.secrets["environments_token"])
	reply, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	require.NoError(t, err)
	require.Less(t, reply.StatusCode, 300, "%s %s: %s", method, path, text)
	return string(text)
}

// described asks an environment for its version. Whose certificate it has is not
// the question here.
func described(t *testing.T, address string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: host},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
	reply, err := client.Get("https://" + host + "/.well-known/bogops.json")
	require.NoError(t, err)
	defer reply.Body.Close()
	var told struct{ Version string }
	require.NoError(t, json.NewDecoder(reply.Body).Decode(&told))
	return told.Version
}
