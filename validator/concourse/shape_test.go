package concourse_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse"
	"bogops/validator/concourse/concoursefake"
)

// leftOut are members of recorded answers that the mock does not have: nothing
// of the judge's reads them.
var leftOut = map[string]bool{
	".paused_by": true, ".paused_at": true, "[].paused_by": true, "[].paused_at": true, "[].has_new_inputs": true, ".has_new_inputs": true,
	"[].metadata": true, "[].resource_types[]": true, ".data.metadata": true,
}

// shapeOf lists every member of a JSON value as path and type. Keys that are
// data, such as names of inputs, are a star.
func shapeOf(value any, path string, into map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		into[path+": object"] = true
		last := path[strings.LastIndex(path, ".")+1:]
		data := slices.Contains([]string{"version", "inputs", "missing_input_reasons", "feature_flags", "teams"}, last)
		for name, member := range value {
			if data {
				name = "*"
			}
			if !leftOut[path+"."+name] {
				shapeOf(member, path+"."+name, into)
			}
		}
	case []any:
		into[path+": array"] = true
		for _, member := range value {
			if !leftOut[path+"[]"] {
				shapeOf(member, path+"[]", into)
			}
		}
	case nil:
		into[path+": null"] = true
	default:
		into[fmt.Sprintf("%s: %T", path, value)] = true
	}
}

func shapes(t *testing.T, texts ...string) []string {
	t.Helper()
	all := map[string]bool{}
	for _, text := range texts {
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			value = text
		}
		shapeOf(value, "", all)
	}
	return slices.Sorted(maps.Keys(all))
}

// recordedState is a mock of what was recorded.
func recordedState() *concoursefake.State {
	state := concoursefake.Normed()
	state.Team, state.Pipeline.Paused = "pandas", true
	get := func(name string, passed ...string) concoursefake.Input {
		return concoursefake.Input{Name: name, Resource: "nonce", Passed: passed, Trigger: len(passed) > 0 && name == "nonce"}
	}
	state.Jobs = []*concoursefake.Job{
		{Name: "app-test", Public: true, Last: "succeeded", Inputs: []concoursefake.Input{get("nonce")}},
		{Name: "app-package", Last: "succeeded", Inputs: []concoursefake.Input{get("nonce", "app-test")}},
		{
			Name: "app-deploy", Last: "succeeded", Inputs: []concoursefake.Input{get("marker", "app-package"), get("nonce")},
			Run: func(_ context.Context, r concoursefake.Run) concoursefake.Result {
				r.Log("deploying\r\n")
				return concoursefake.Result{}
			},
		},
		{Name: "app-rollback", Ends: "failed"},
		{Name: "infra-plan", Ends: "errored", Last: "errored"},
	}
	return state
}

func TestTheMocksAnswersHaveTheMembersOfRecordedOnes(t *testing.T) {
	t.Parallel()
	state, looked := recordedState(), make(chan struct{})
	state.Resource("nonce").Check = func(ctx context.Context) ([]map[string]string, error) {
		select {
		case <-looked:
		case <-ctx.Done():
		}
		return nil, nil
	}
	server, err := concoursefake.Start(concoursefake.Options{State: state})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	ask := asker(t, server)
	const pipeline = "/api/v1/teams/pandas/pipelines/bogops"
	got := map[string]string{
		"info": ask("judge", "GET /api/v1/info"), "user": ask("judge", "GET /api/v1/user"), "user-refused": ask("", "GET /api/v1/user"),
		"pipeline": ask("judge", "GET "+pipeline), "workers": ask("judge", "GET /api/v1/workers"),
		"may-set-owner": ask("owner", "PUT "+pipeline+"/config"), "may-set-operator": ask("judge", "PUT "+pipeline+"/config"),
		"triggered": ask("judge", "POST "+pipeline+"/jobs/app-test/builds"),
	}
	got["preparation-paused"] = ask("judge", "GET /api/v1/builds/"+idIn(t, got["triggered"])+"/preparation")
	close(looked)
	server.Bend(func(s *concoursefake.State) { s.Pipeline.Paused = false })
	builds := map[string]string{}
	for kind, job := range map[string]string{"succeeded": "app-deploy", "failed": "app-rollback", "errored": "infra-plan"} {
		builds[kind] = idIn(t, ask("judge", "POST "+pipeline+"/jobs/"+job+"/builds"))
	}
	judge := concourse.Open(
		concourse.Access{URL: server.URL, Team: "pandas", Pipeline: "bogops", User: "judge", Password: "judge-password"},
		concourse.Options{Roots: server.Roots, Resolve: server.Resolve},
	)
	t.Cleanup(judge.Close)
	finish := func(id string) {
		number, err := strconv.Atoi(id)
		require.NoError(t, err)
		ended(t, judge, number)
	}
	for _, id := range builds {
		finish(id)
	}
	got["rerun"] = ask("judge", "POST "+pipeline+"/jobs/app-rollback/builds/1")
	finish(idIn(t, got["rerun"]))
	finish(idIn(t, got["triggered"]))
	got["check"] = ask("judge", "POST "+pipeline+"/resources/nonce/check")
	finish(idIn(t, got["check"]))
	got["build-check"] = ask("judge", "GET /api/v1/builds/"+idIn(t, got["check"]))
	got["build"] = ask("judge", "GET /api/v1/builds/"+builds["succeeded"])
	got["resources"] = ask("judge", "GET /api/v1/builds/"+builds["succeeded"]+"/resources")
	got["versions"] = ask("judge", "GET "+pipeline+"/resources/nonce/versions?limit=5")
	got["builds"] = ask("judge", "GET "+pipeline+"/jobs/app-rollback/builds?limit=2")
	got["job"] = ask("judge", "GET "+pipeline+"/jobs/app-deploy")
	server.Bend(func(s *concoursefake.State) { s.Job("app-test").Paused = true })
	got["jobs"] = ask("judge", "GET "+pipeline+"/jobs")
	password := url.Values{"grant_type": {"password"}, "username": {"judge"}, "password": {"judge-password"}, "scope": {"openid"}}
	got["token"] = ask("fly", "POST /sky/issuer/token?"+password.Encode())
	password.Set("password", "another")
	got["token-refused"] = ask("fly", "POST /sky/issuer/token?"+password.Encode())

	for name, answer := range answersOf(t, "recorded-7.6.0") {
		require.Contains(t, got, name)
		var text string
		if json.Unmarshal(answer.Body, &text) != nil {
			text = string(answer.Body)
		}
		require.Equal(t, fmt.Sprintf("%d %s", answer.Status, answer.ContentType), strings.SplitN(got[name], "\n", 2)[0], name)
		require.Equal(t, shapes(t, text), shapes(t, strings.SplitN(got[name], "\n", 2)[1]), name)
	}
}

// asker asks the mock as somebody, and returns status, type, and body.
func asker(t *testing.T, server *concoursefake.Server) func(user, request string) string {
	t.Helper()
	way := concourse.Transport(server.Roots, server.Resolve)
	t.Cleanup(way.CloseIdleConnections)
	return func(user, asked string) string {
		t.Helper()
		method, path, _ := strings.Cut(asked, " ")
		path, query, _ := strings.Cut(path, "?")
		body := ""
		if method == "POST" && query != "" {
			query, body = "", query
		}
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path+"?"+query, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		switch user {
		case "":
		case "fly":
			request.SetBasicAuth("fly", "Zmx5")
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		default:
			request.Header.Set("Authorization", "Bearer "+server.Token(user))
		}
		if method == "PUT" {
			request.Header.Set("X-Concourse-Config-Version", "none")
		}
		answer, err := way.RoundTrip(request)
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return fmt.Sprintf("%d %s\n%s", answer.StatusCode, answer.Header.Get("Content-Type"), text)
	}
}

func idIn(t *testing.T, answer string) string {
	t.Helper()
	var build struct {
		ID int `json:"id"`
	}
	_, body, _ := strings.Cut(answer, "\n")
	require.NoError(t, json.Unmarshal([]byte(body), &build), answer)
	return strconv.Itoa(build.ID)
}

func TestTheMocksEventsHaveTheMembersOfRecordedOnes(t *testing.T) {
	t.Parallel()
	recorded := map[string][]string{}
	files, err := filepath.Glob(filepath.Join("testdata", "recorded-7.6.0", "events-*.sse"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		eventsByKind(t, string(text), recorded)
	}
	server, err := concoursefake.Start(concoursefake.Options{State: recordedState()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	mocked := map[string][]string{}
	for id := range 4 {
		eventsByKind(t, rawEvents(t, server, id+1), mocked)
	}
	for _, kind := range []string{"status", "error", "initialize-get", "start-get", "selected-worker", "finish-get", "initialize-task", "start-task", "finish-task"} {
		require.Contains(t, mocked, kind)
		require.Equal(t, shapes(t, recorded[kind]...), shapes(t, mocked[kind]...), kind)
	}
}

func eventsByKind(t *testing.T, stream string, into map[string][]string) {
	t.Helper()
	for line := range strings.Lines(stream) {
		text, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var e struct{ Event string }
		require.NoError(t, json.Unmarshal([]byte(text), &e))
		into[e.Event] = append(into[e.Event], text)
	}
}

// rawEvents are those of a build that has ended, as they come over the wire.
func rawEvents(t *testing.T, server *concoursefake.Server, id int) string {
	t.Helper()
	way := concourse.Transport(server.Roots, server.Resolve)
	t.Cleanup(way.CloseIdleConnections)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s/api/v1/builds/%d/events", server.URL, id), nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+server.Token("judge"))
	answer, err := way.RoundTrip(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	var text strings.Builder
	for buffer := make([]byte, 4096); !strings.Contains(text.String(), "event: end"); {
		n, err := answer.Body.Read(buffer)
		require.NoError(t, err)
		text.Write(buffer[:n])
	}
	return text.String()
}
