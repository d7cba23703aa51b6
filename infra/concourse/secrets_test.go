package concourse_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/concourse"
)

// events reads the log of a build to its end, as the API gives it.
func (c client) events(build int) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), soon)
	defer cancel()
	asked, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/v1/builds/%d/events", c.url, build), nil)
	require.NoError(c.t, err)
	asked.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := c.http.Do(asked)
	require.NoError(c.t, err)
	defer answer.Body.Close()
	var text []byte
	for piece := make([]byte, 4096); ; {
		n, err := answer.Body.Read(piece)
		text = append(text, piece[:n]...)
		// The server keeps the stream open after its end.
		if err == io.EOF || bytes.Contains(text, []byte("event: end")) {
			return string(text)
		}
		require.NoError(c.t, err)
	}
}

// trigger starts a build and returns its number.
func (c client) trigger(job string) int {
	c.t.Helper()
	status, got := c.do(http.MethodPost, job+"/builds", "{}")
	require.Equal(c.t, http.StatusOK, status, got)
	var build struct{ ID int }
	require.NoError(c.t, json.Unmarshal([]byte(got), &build))
	return build.ID
}

func TestASecretReachesItsTaskAndNeitherTheConfigurationNorTheLog(t *testing.T) {
	t.Parallel()
	s := own(t, concourse.Options{})
	var asked atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.Path)
		fmt.Fprint(w, "you asked for "+r.URL.Path)
	}))
	t.Cleanup(server.Close)
	inside, err := s.Inside(t.Context(), server.Listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, s.Team(t.Context(), "otters", concourse.Login{User: "otter", Password: "fish"}, concourse.Login{}))
	require.NoError(t, s.Secrets(t.Context(), "otters", map[string]string{"credential": "s3cret-of-otters"}))
	require.NoError(t, s.Secrets(t.Context(), "pandas", map[string]string{"credential": "s3cret-of-pandas", "other": "x"}))

	owner := login(t, s, "otter", "fish")
	const pipeline = "teams/otters/pipelines/p"
	// In a parameter: what a task is run with is in the log before it runs.
	status, got := owner.do(http.MethodPut, pipeline+"/config", fmt.Sprintf(
		`{"jobs": [{"name": "j", "plan": [{"task": "t", "params": {"KEY": "((credential))"}, "config": %s}]},
		{"name": "none", "plan": [{"task": "t", "params": {"KEY": "((other))"}, "config": %s}]}]}`,
		task(t, s, "get", "http://"+inside+"/$KEY"), task(t, s, "nothing")))
	require.Equal(t, http.StatusCreated, status, got)
	status, _ = owner.do(http.MethodPut, pipeline+"/unpause", "")
	require.Equal(t, http.StatusOK, status)

	build := owner.trigger(pipeline + "/jobs/j")
	require.Eventually(t, func() bool { return owner.builds(pipeline + "/jobs/j")[0] == "succeeded" }, soon, 100*time.Millisecond)
	require.Equal(t, "/s3cret-of-otters", asked.Load())
	log := owner.events(build)
	require.NotContains(t, log, "s3cret")
	require.Contains(t, log, "you asked for /((redacted))")
	_, config := owner.do(http.MethodGet, pipeline+"/config", "")
	require.Contains(t, config, "((credential))")
	require.NotContains(t, config, "s3cret")

	owner.trigger(pipeline + "/jobs/none")
	require.Eventually(t, func() bool { return owner.builds(pipeline + "/jobs/none")[0] == "errored" }, soon, 100*time.Millisecond,
		"another team's secret is not there")
}
