package pipelines_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// git runs git in dir as nobody in particular.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.net"}, args...)...)
	out, err := command.CombinedOutput()
	require.NoError(t, err, "git %q: %s", args, out)
}

// branchScript runs branch.sh with these variables.
func branchScript(t *testing.T, verb string, variables map[string]string) (said string, err error) {
	t.Helper()
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("jq is not installed")
	}
	command := exec.CommandContext(t.Context(), "./branch.sh", verb)
	command.Env = os.Environ()
	for name, value := range variables {
		command.Env = append(command.Env, name+"="+value)
	}
	out, err := command.CombinedOutput()
	return string(out), err
}

// environments is a service that keeps names and does what it is told.
type environments struct {
	mu     sync.Mutex
	names  []string
	status int // of all answers
	calls  []string
}

func (e *environments) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, r.Method+" "+strings.TrimPrefix(r.URL.Path, "/v1/environments"))
	w.WriteHeader(e.status)
	if r.Method == http.MethodGet {
		for _, name := range e.names {
			fmt.Fprintln(w, name)
		}
	}
}

// answers sets what comes next, and returns the calls so far.
func (e *environments) answers(status int) (calls []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	calls, e.calls, e.status = e.calls, nil, status
	return calls
}

func (e *environments) serve(t *testing.T) map[string]string {
	t.Helper()
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return map[string]string{"ENVIRONMENTS_URL": server.URL, "ENVIRONMENTS_TOKEN": "token"}
}

// odd are names that git allows for a branch.
var odd = []string{`a]b`, `quoted"one`, `comma","two`, `feature/Otter_pool`, `日本`}

func TestTheBranchesAreListedAsTheyAreCalled(t *testing.T) {
	t.Parallel()
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "branches.json")
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "one")
	list := func() (all []string) {
		said, err := branchScript(t, "list", map[string]string{
			"SOURCE_URI": dir, "SOURCE_BRANCH": "main", "SOURCE_USER": "a", "SOURCE_PASSWORD": "b", "BRANCHES": file,
		})
		require.NoError(t, err, said)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &all), "%s", text)
		require.NotNil(t, all, "an empty list is still one")
		return all
	}
	require.Empty(t, list())
	for _, name := range odd {
		git(t, dir, "branch", name)
	}
	require.ElementsMatch(t, odd, list())
}

func TestARepositoryThatDoesNotAnswerHasNoListOfBranches(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "branches.json")
	said, err := branchScript(t, "list", map[string]string{
		"SOURCE_URI": t.TempDir(), "SOURCE_BRANCH": "main", "SOURCE_USER": "a", "SOURCE_PASSWORD": "b", "BRANCHES": file,
	})
	require.Error(t, err, said)
	require.NoFileExists(t, file)
}

// named finds out what the environment of a branch is called: what deploying it
// asks for. The service refuses, so nothing else happens.
func named(t *testing.T, branch string) string {
	t.Helper()
	e := &environments{status: http.StatusServiceUnavailable}
	variables := e.serve(t)
	variables["BRANCH"] = branch
	said, err := branchScript(t, "deploy", variables)
	require.Error(t, err, said)
	calls := e.answers(http.StatusOK)
	require.Len(t, calls, 1, said)
	return strings.TrimPrefix(calls[0], "PUT /")
}

func TestOnlyTheEnvironmentsOfBranchesThatHaveGoneAreRemoved(t *testing.T) {
	t.Parallel()
	e := &environments{status: http.StatusOK}
	for _, branch := range odd {
		name := named(t, branch)
		require.Regexp(t, `^[a-z0-9][a-z0-9-]{0,38}[a-z0-9]$`, name)
		e.names = append(e.names, name)
	}
	variables := e.serve(t)
	variables["BRANCHES"] = filepath.Join(t.TempDir(), "branches.json")
	keep := func(branches ...string) {
		text, err := json.Marshal(branches)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(variables["BRANCHES"], text, 0o600))
	}
	prune := func() []string {
		said, err := branchScript(t, "prune", variables)
		require.NoError(t, err, said)
		return e.answers(http.StatusOK)
	}
	keep(odd...)
	require.Equal(t, []string{"GET "}, prune())
	keep(odd[1:]...)
	require.Equal(t, []string{"GET ", "DELETE /" + e.names[0]}, prune())
	keep([]string{}...)
	require.Len(t, prune(), 1+len(odd))
}

func TestWhereTheListOrTheServiceIsMissingNothingIsRemovedAndTheJobFails(t *testing.T) {
	t.Parallel()
	e := &environments{status: http.StatusOK, names: []string{"otter-12345678"}}
	variables := e.serve(t)
	variables["BRANCHES"] = filepath.Join(t.TempDir(), "branches.json")
	for n, text := range []string{"", "", "not JSON", `["main"`, `{}`, `"main"`} {
		if n > 0 { // at first there is no file
			require.NoError(t, os.WriteFile(variables["BRANCHES"], []byte(text), 0o600))
		}
		said, err := branchScript(t, "prune", variables)
		require.Error(t, err, "%q: %s", text, said)
	}
	require.Empty(t, e.answers(http.StatusBadGateway))
	require.NoError(t, os.WriteFile(variables["BRANCHES"], []byte("[]"), 0o600))
	said, err := branchScript(t, "prune", variables)
	require.Error(t, err, said)
	require.Equal(t, []string{"GET "}, e.answers(http.StatusOK))
}
