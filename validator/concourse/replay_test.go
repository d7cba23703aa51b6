package concourse_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse"
)

// kept is one answer of testdata.
type kept struct {
	Name        string          `json:"name"`
	Request     string          `json:"request"`
	Status      int             `json:"status"`
	ContentType string          `json:"content_type"`
	Body        json.RawMessage `json:"body"`
}

func answersOf(t *testing.T, dir string) map[string]kept {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", dir, "answers.json"))
	require.NoError(t, err)
	var list []kept
	require.NoError(t, json.Unmarshal(text, &list))
	answers := map[string]kept{}
	for _, answer := range list {
		answers[answer.Name] = answer
	}
	return answers
}

func (k kept) id(t *testing.T) int {
	t.Helper()
	var build struct {
		ID int `json:"id"`
	}
	require.NoError(t, json.Unmarshal(k.Body, &build))
	return build.ID
}

// replayed serves the answers of a directory; builds tells whose events are in
// which file.
func replayed(t *testing.T, answers map[string]kept, dir string, builds map[int]string) *concourse.Client {
	t.Helper()
	handler := func(w http.ResponseWriter, r *http.Request) {
		if id, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/api/v1/builds/"), "/events"); ok {
			number, _ := strconv.Atoi(id)
			text, err := os.ReadFile(filepath.Join("testdata", dir, "events-"+builds[number]+".sse"))
			if err != nil {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			w.Header().Set("X-Atc-Stream-Version", "2.0")
			_, _ = w.Write(text)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done() // as the real one does after the end
			return
		}
		for _, answer := range answers {
			if answer.Request != r.Method+" "+r.URL.RequestURI() || strings.HasSuffix(answer.Name, "-refused") || answer.Name == "may-set-owner" {
				continue
			}
			w.Header().Set("Content-Type", answer.ContentType)
			w.WriteHeader(answer.Status)
			var text string
			if json.Unmarshal(answer.Body, &text) == nil {
				answer.Body = []byte(text)
			}
			_, _ = w.Write(answer.Body)
			return
		}
		http.NotFound(w, r)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(handler))
	t.Cleanup(server.Close)
	client := concourse.Open(
		concourse.Access{URL: server.URL, Team: "pandas", Pipeline: "bogops", User: "judge", Password: "p"},
		concourse.Options{Roots: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs},
	)
	t.Cleanup(client.Close)
	return client
}

func TestTheClientReadsKeptAnswersOfBothVersions(t *testing.T) {
	t.Parallel()
	for dir, version := range map[string]string{"recorded-7.6.0": "7.6.0", "written-8": "8.2.5"} {
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			answers := answersOf(t, dir)
			client := replayed(t, answers, dir, map[int]string{answers["build"].id(t): "succeeded"})
			readsState(t, client, version)
			readsBuilds(t, client, answers)
		})
	}
}

func readsState(t *testing.T, client *concourse.Client, version string) {
	t.Helper()
	ctx := t.Context()
	info, err := client.Info(ctx)
	require.NoError(t, err)
	require.Equal(t, version, info.Version)
	pipeline, err := client.Pipeline(ctx)
	require.NoError(t, err)
	require.Equal(t, concourse.Pipeline{ID: pipeline.ID, Name: "bogops", Team: "pandas", Public: true}, pipeline)
	jobs, err := client.Jobs(ctx)
	require.NoError(t, err)
	require.Len(t, jobs, 5)
	require.True(t, jobs[0].Paused)
	require.Equal(t, concourse.Succeeded, jobs[0].FinishedBuild.Status)
	require.Equal(t, []concourse.JobInput{{Name: "nonce", Resource: "nonce", Passed: []string{"app-test"}, Trigger: true}}, jobs[1].Inputs)
	require.Equal(t, []concourse.JobInput{{Name: "marker", Resource: "nonce", Passed: []string{"app-package"}}, {Name: "nonce", Resource: "nonce"}}, jobs[2].Inputs)
	require.Equal(t, concourse.Errored, jobs[4].FinishedBuild.Status)
	workers, err := client.Workers(ctx)
	require.NoError(t, err)
	require.Len(t, workers, 1)
	require.Equal(t, "running", workers[0].State)
	versions, err := client.Versions(ctx, "nonce", 5)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"ref": "90e2da6d2784c88c6f67f5cf67cccdbf483bd5e3"}, versions[0].Fields)
	may, err := client.MaySet(ctx)
	require.NoError(t, err)
	require.False(t, may)
}

func readsBuilds(t *testing.T, client *concourse.Client, answers map[string]kept) {
	t.Helper()
	ctx := t.Context()
	build, err := client.Build(ctx, answers["build"].id(t))
	require.NoError(t, err)
	require.Equal(t, concourse.Succeeded, build.Status)
	require.Equal(t, "judge", build.CreatedBy)
	require.Positive(t, build.End.Sub(build.Start))
	builds, err := client.Builds(ctx, "app-rollback", 2)
	require.NoError(t, err)
	require.Equal(t, []string{"1.1", "1"}, []string{builds[0].Name, builds[1].Name})
	triggered, err := client.Trigger(ctx, "app-test")
	require.NoError(t, err)
	require.Equal(t, concourse.Pending, triggered.Status)
	preparation, err := client.Preparation(ctx, triggered.ID)
	require.NoError(t, err)
	require.Contains(t, preparation.Reasons(), "the pipeline is paused")
	again, err := client.Rerun(ctx, "app-rollback", "1")
	require.NoError(t, err)
	require.Equal(t, "1", again.RerunOf)
	check, err := client.Check(ctx, "nonce")
	require.NoError(t, err)
	require.Equal(t, "nonce", check.Resource)
	inputs, err := client.Inputs(ctx, build.ID)
	require.NoError(t, err)
	require.Len(t, inputs, 2)
	for _, input := range inputs {
		require.Equal(t, "nonce", input.Resource, input.Name)
	}
	events := eventsAfter(t, client, build.ID, concourse.FromStart)
	require.Equal(t, concourse.Succeeded, events[len(events)-1].Status)
	require.Contains(t, said(events), "deploying\r\n")
}

func TestEventsThatAreNewPassThrough(t *testing.T) {
	t.Parallel()
	answers := answersOf(t, "written-8")
	id := answers["build"].id(t)
	events := eventsAfter(t, replayed(t, answers, "written-8", map[int]string{id: "succeeded"}), id, concourse.FromStart)
	for _, kind := range []string{"streaming-volume", "waiting-for-streamed-volume"} {
		found := of(events, kind)
		require.Len(t, found, 1, kind)
		require.Equal(t, "1.0", found[0].Version)
		require.NotEmpty(t, found[0].Origin.ID)
		require.False(t, found[0].Time.IsZero())
	}
}

func TestRecordedBuildsTellWhatWentWrong(t *testing.T) {
	t.Parallel()
	client := replayed(t, answersOf(t, "recorded-7.6.0"), "recorded-7.6.0", map[int]string{1: "failed", 2: "errored", 3: "check"})
	events := eventsAfter(t, client, 1, concourse.FromStart)
	require.Equal(t, 7, of(events, "finish-task")[0].ExitStatus)
	require.Equal(t, "boo\r\n", said(events)[strings.Index(said(events), "boo"):])
	events = eventsAfter(t, client, 2, concourse.FromStart)
	require.Equal(t, "create resource config: base resource type not found: nope", of(events, "error")[0].Message)
	require.Equal(t, concourse.Errored, events[len(events)-1].Status)
	events = eventsAfter(t, client, 3, concourse.FromStart)
	require.True(t, of(events, "finish")[0].Succeeded)
}
