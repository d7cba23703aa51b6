package concourse_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/concourse"
	"bogops/infra/concourse/concoursetest"
)

// soon bounds what takes seconds on an idle machine.
const soon = 2 * time.Minute

// own starts a Concourse without base resource types: the tasks here bring all
// that they need.
func own(t *testing.T, o concourse.Options) *concourse.Server {
	t.Helper()
	o.Types, o.Log = t.TempDir(), said{t}
	return concoursetest.Own(t, o)
}

type said struct{ t *testing.T }

func (s said) Write(p []byte) (int, error) {
	s.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

// task puts a one-file image where Concourse finds it, and returns the
// configuration of a task that runs it.
func task(t *testing.T, s *concourse.Server, args ...string) string {
	t.Helper()
	root, err := os.MkdirTemp(s.Dir(), "task-")
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(root, "task"), "./testdata/task")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := command.CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoError(t, os.Chmod(root, 0o755))
	for _, file := range []string{root, filepath.Join(root, "task")} {
		require.NoError(t, os.Lchown(file, 4294967294, 4294967294)) // root of a container's user namespace
	}
	text, err := json.Marshal(map[string]any{
		"platform": "linux", "rootfs_uri": "raw:///run/concourse/" + filepath.Base(root),
		"run": map[string]any{"path": "/task", "args": args},
	})
	require.NoError(t, err)
	return string(text)
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file.yml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// execute runs a task and returns what it said.
func execute(t *testing.T, s *concourse.Server, config string) string {
	t.Helper()
	out, err := s.Fly(t.Context(), "execute", "--config", write(t, config))
	require.NoError(t, err, string(out))
	return string(out)
}

// A client is somebody who is logged in.
type client struct {
	t     *testing.T
	http  *http.Client
	url   string
	token string
}

func login(t *testing.T, s *concourse.Server, user, password string) client {
	t.Helper()
	return loginBy(t, http.DefaultClient, s.URL(), user, password)
}

func loginBy(t *testing.T, by *http.Client, at, user, password string) client {
	t.Helper()
	form := url.Values{"grant_type": {"password"}, "username": {user}, "password": {password}, "scope": {"openid profile email federated:id groups"}}
	asked, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/sky/issuer/token", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	asked.SetBasicAuth("fly", "Zmx5")
	asked.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := by.Do(asked)
	require.NoError(t, err)
	defer answer.Body.Close()
	var got struct {
		Token string `json:"access_token"`
	}
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "login of %s: %s", user, text)
	require.NoError(t, json.Unmarshal(text, &got))
	return client{t, by, at, got.Token}
}

func (c client) do(method, path, body string) (status int, got string) {
	c.t.Helper()
	asked, err := http.NewRequestWithContext(c.t.Context(), method, c.url+"/api/v1/"+path, strings.NewReader(body))
	require.NoError(c.t, err)
	asked.Header.Set("Authorization", "Bearer "+c.token)
	asked.Header.Set("Content-Type", "application/json")
	if strings.HasSuffix(path, "/config") {
		asked.Header.Set("Content-Type", "application/x-yaml")
	}
	answer, err := c.http.Do(asked)
	require.NoError(c.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(c.t, err)
	return answer.StatusCode, string(text)
}

// build asks for one field of the builds of a job, newest first.
func (c client) builds(job string) (statuses []string) {
	c.t.Helper()
	status, text := c.do(http.MethodGet, job+"/builds", "")
	require.Equal(c.t, http.StatusOK, status, text)
	var builds []struct{ Status string }
	require.NoError(c.t, json.Unmarshal([]byte(text), &builds))
	for _, one := range builds {
		statuses = append(statuses, one.Status)
	}
	return statuses
}

func hello(t *testing.T) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello from the host") }))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestATaskReachesTheHostWhereItWasLetInAndNowhereElse(t *testing.T) {
	t.Parallel()
	s := own(t, concourse.Options{})
	address := hello(t)
	inside, err := s.Inside(t.Context(), address)
	require.NoError(t, err)
	require.Contains(t, execute(t, s, task(t, s, "get", "http://"+inside)), "got: hello from the host")
	again, err := s.Inside(t.Context(), address)
	require.NoError(t, err)
	require.Equal(t, inside, again)

	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	for _, elsewhere := range []string{"127.0.0.1:" + port, "10.80.0.1:" + port, "192.0.2.1:80"} {
		out, err := s.Fly(t.Context(), "execute", "--config", write(t, task(t, s, "get", "http://"+elsewhere)))
		require.Error(t, err)
		require.Contains(t, string(out), "got nothing", elsewhere)
	}
	for _, public := range []string{"192.0.2.1:80", "localhost:80", ""} {
		_, err = s.Inside(t.Context(), public)
		require.ErrorContains(t, err, "wanted an address on the loopback")
	}

	// Another process that uses the same one: the port of URL is taken.
	other, err := concourse.Open(s.Dir())
	require.NoError(t, err)
	require.NotEqual(t, s.Address(), other.Address())
	user, password := other.Admin()
	status, _ := login(t, other, user, password).do(http.MethodGet, "workers", "")
	require.Equal(t, http.StatusOK, status)
	through, err := other.Inside(t.Context(), address)
	require.NoError(t, err)
	require.Contains(t, execute(t, other, task(t, s, "get", "http://"+through)), "got: hello from the host")
	require.NoError(t, other.Close())
	_, err = other.Inside(t.Context(), address)
	require.ErrorContains(t, err, "was closed")
	_, err = http.Get("http://" + other.Address() + "/api/v1/info")
	require.Error(t, err)
	login(t, s, user, password) // which goes on
}

func TestAnOperatorTriggersAndChangesNothing(t *testing.T) {
	t.Parallel()
	s := own(t, concourse.Options{})
	require.NoError(t, s.Team(t.Context(), "otters", concourse.Login{User: "otter", Password: "first"}, concourse.Login{User: "judge", Password: "gavel"}))
	require.NoError(t, s.Team(t.Context(), "otters", concourse.Login{User: "otter", Password: "fish"}, concourse.Login{User: "judge", Password: "gavel"}))
	require.NoError(t, s.Team(t.Context(), "pandas", concourse.Login{User: "panda", Password: "bamboo"}, concourse.Login{}))
	owner, operator, stranger := login(t, s, "otter", "fish"), login(t, s, "judge", "gavel"), login(t, s, "panda", "bamboo")

	const pipeline = "teams/otters/pipelines/p"
	text := fmt.Sprintf(`{"jobs": [{"name": "j", "plan": [{"task": "t", "config": %s}]}, {"name": "long", "plan": [{"task": "t", "config": %s}]}]}`,
		task(t, s, "nothing"), task(t, s, "wait"))
	status, _ := operator.do(http.MethodPut, pipeline+"/config", text)
	require.Equal(t, http.StatusForbidden, status)
	status, got := owner.do(http.MethodPut, pipeline+"/config", text)
	require.Equal(t, http.StatusCreated, status, got)

	status, _ = owner.do(http.MethodPut, pipeline+"/unpause", "")
	require.Equal(t, http.StatusOK, status)
	status, _ = operator.do(http.MethodPost, pipeline+"/jobs/j/builds", "")
	require.Equal(t, http.StatusOK, status)
	require.Eventually(t, func() bool { return operator.builds(pipeline + "/jobs/j")[0] == "succeeded" }, soon, 100*time.Millisecond)

	for _, c := range []struct {
		method, path         string
		operator, owner, foe int
	}{
		{"GET", "", 200, 200, 403},
		{"GET", "/jobs", 200, 200, 403},
		{"GET", "/config", 200, 200, 403},
		{"POST", "/jobs/j/builds", 200, 200, 403},
		{"POST", "/jobs/j/builds/1", 200, 200, 403},
		{"PUT", "/pause", 403, 200, 403},
		{"PUT", "/jobs/j/pause", 403, 200, 403},
		{"PUT", "/jobs/j/unpause", 403, 200, 403},
		{"PUT", "/jobs/j/schedule", 403, 200, 403},
		{"PUT", "/expose", 403, 200, 403},
		{"PUT", "/rename", 403, 0, 403},
		{"PUT", "/archive", 403, 0, 403},
		{"DELETE", "", 403, 0, 403},
		{"PUT", "/hide", 403, 200, 403},
		{"PUT", "/unpause", 403, 200, 403},
	} {
		status, got := stranger.do(c.method, pipeline+c.path, "{}")
		require.Equal(t, c.foe, status, "stranger: %s %s: %s", c.method, c.path, got)
		status, got = operator.do(c.method, pipeline+c.path, "{}")
		require.Equal(t, c.operator, status, "operator: %s %s: %s", c.method, c.path, got)
		if c.owner != 0 {
			status, got = owner.do(c.method, pipeline+c.path, "{}")
			require.Equal(t, c.owner, status, "owner: %s %s: %s", c.method, c.path, got)
		}
	}
	status, _ = operator.do(http.MethodPut, "teams/otters", "{}")
	require.Equal(t, http.StatusForbidden, status)
	require.Eventually(t, func() bool {
		statuses := operator.builds(pipeline + "/jobs/j")
		return strings.Join(statuses, " ") == strings.TrimSpace(strings.Repeat("succeeded ", 5))
	}, soon, 100*time.Millisecond)

	status, got = operator.do(http.MethodPost, pipeline+"/jobs/long/builds", "{}")
	require.Equal(t, http.StatusOK, status, got)
	var build struct{ ID int }
	require.NoError(t, json.Unmarshal([]byte(got), &build))
	require.Eventually(t, func() bool { return operator.builds(pipeline + "/jobs/long")[0] == "started" }, soon, 100*time.Millisecond)
	status, _ = operator.do(http.MethodPut, fmt.Sprintf("builds/%d/abort", build.ID), "")
	require.Equal(t, http.StatusNoContent, status)
	require.Eventually(t, func() bool { return operator.builds(pipeline + "/jobs/long")[0] == "aborted" }, soon, 100*time.Millisecond)
}

func TestWithoutAWorkerABuildIsAnErrorAndTheNextWorkerTakesTheNextOne(t *testing.T) {
	t.Parallel()
	s := own(t, concourse.Options{})
	require.Contains(t, workers(t, s), "worker-1 running")
	require.ErrorContains(t, s.BringWorker(t.Context()), "worker-1 runs")
	require.NoError(t, s.LoseWorker(t.Context()))
	require.NotContains(t, workers(t, s), "running")

	user, password := s.Admin()
	admin := login(t, s, user, password)
	const pipeline = "teams/main/pipelines/p"
	status, got := admin.do(http.MethodPut, pipeline+"/config", fmt.Sprintf(`{"jobs": [{"name": "j", "plan": [{"task": "t", "config": %s}]}]}`, task(t, s, "nothing")))
	require.Equal(t, http.StatusCreated, status, got)
	status, _ = admin.do(http.MethodPut, pipeline+"/unpause", "")
	require.Equal(t, http.StatusOK, status)
	for _, want := range []string{"errored", "succeeded"} {
		status, got = admin.do(http.MethodPost, pipeline+"/jobs/j/builds", "")
		require.Equal(t, http.StatusOK, status, got)
		last := ""
		require.Eventually(t, func() bool {
			last = admin.builds(pipeline + "/jobs/j")[0]
			return last != "pending" && last != "started"
		}, soon, 100*time.Millisecond)
		require.Equal(t, want, last)
		if want == "errored" {
			require.NoError(t, s.BringWorker(t.Context()))
			require.Contains(t, workers(t, s), "worker-2 running")
		}
	}
}

// workers are the names and states that Concourse knows.
func workers(t *testing.T, s *concourse.Server) string {
	t.Helper()
	out, err := s.Fly(t.Context(), "workers", "--json")
	require.NoError(t, err)
	var list []struct{ Name, State string }
	require.NoError(t, json.Unmarshal(out, &list))
	var text strings.Builder
	for _, one := range list {
		fmt.Fprintln(&text, one.Name, one.State)
	}
	return text.String()
}
