package concourse_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse"
	"bogops/validator/contest"
)

// subject is a Concourse, real or mock, with a team and a pipeline in it: it is
// exposed, not paused, and has these jobs.
//
//	quick     gets nonce, says "hello" and succeeds
//	slow      says "hello" and goes on for minutes
//	failing   gets nonce and ends with status 7
//	erroring  cannot be run: its image is of a type "nope"
//	later     gets nonce once it has passed failing, as marker
//
// owner, judge and looker have the roles owner, pipeline-operator and none.
type subject struct {
	access  concourse.Access // without a login
	options concourse.Options
	logins  map[string]contest.Secret
	names   map[string]string                     // of the users there; nil: as here
	commit  func(t *testing.T) (revision string)  // makes a version that resource nonce does not know yet
	expose  func(t *testing.T, exposed bool)      //
	config  func(t *testing.T) string             // of the pipeline, as it is set
	vars    func(t *testing.T) map[string]any     // of a second pipeline of the same name, an instance
	way     func(t *testing.T, at string) *cutter // between a client and this Concourse
}

// as is a client with the login of user.
func (s subject) as(t *testing.T, user string) *concourse.Client {
	t.Helper()
	access := s.access
	access.User, access.Password = s.name(user), s.logins[user]
	return s.with(t, access)
}

// name is what a user of the suite is called there.
func (s subject) name(user string) string {
	if name, ok := s.names[user]; ok {
		return name
	}
	return user
}

func (s subject) with(t *testing.T, access concourse.Access) *concourse.Client {
	t.Helper()
	client := concourse.Open(access, s.options)
	t.Cleanup(client.Close)
	return client
}

// sentences hold for every Concourse.
var sentences = []struct {
	name string
	hold func(t *testing.T, s subject)
}{
	{"everybody is told its version", tellsItsVersion},
	{"a wrong password is denied", deniesAWrongPassword},
	{"a token that nobody knows is denied also where everybody may read", deniesAnUnknownToken},
	{"a hidden pipeline is shown to its team alone", hidesAPipeline},
	{"what is not there is not found", findsNothing},
	{"a job says what it gets, and after which jobs", tellsInputs},
	{"a worker runs", hasAWorker},
	{"who may set the pipeline is found out without setting it", asksWhoMaySet},
	{"who may not trigger is denied", deniesATrigger},
	{"a build's events come in order, each once, and end", tellsEvents},
	{"events begin after the one that was had", resumesEvents},
	{"events go on where the connection was cut", survivesCuts},
	{"a triggered build waits while the pipeline is paused, and says so", waitsWhilePaused},
	{"a build waits for what has not passed, and says so", waitsForPassed},
	{"a failing build tells its exit status, and is rerun under its name", failsAndReruns},
	{"a build that cannot be run is errored, with a reason", errs},
	{"an aborted build ends", aborts},
	{"a version is seen by a check, and the next build takes it", checks},
	{"an instance of a pipeline is found by its vars alone", findsInstances},
}

func hold(t *testing.T, s subject) {
	for _, sentence := range sentences {
		t.Run(sentence.name, func(t *testing.T) { sentence.hold(t, s) })
	}
}

// soon bounds what takes seconds on an idle machine.
const soon = 3 * time.Minute

// eventually asks until the answer is wanted.
func eventually[T any](t *testing.T, ask func() (T, error), wanted func(T) bool) T {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		got, err := ask()
		require.NoError(t, err)
		if wanted(got) {
			return got
		}
		require.Less(t, time.Since(begin), soon, "still %+v", got)
	}
}

// ended waits for the end of a build, and returns it with its events.
func ended(t *testing.T, client *concourse.Client, id int) (concourse.Build, []concourse.Event) {
	t.Helper()
	events := eventsAfter(t, client, id, concourse.FromStart)
	build := eventually(t, func() (concourse.Build, error) { return client.Build(t.Context(), id) },
		func(b concourse.Build) bool { return b.Status.Ended() })
	return build, events
}

func eventsAfter(t *testing.T, client *concourse.Client, id, after int) (all []concourse.Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if err := client.Events(ctx, id, after, func(e concourse.Event) error {
		all = append(all, e)
		return nil
	}); err != nil {
		preparation, unprepared := client.Preparation(t.Context(), id)
		require.NoError(t, err, "after %d events, said %q, waits for %v (%v)", len(all), said(all), preparation.Reasons(), unprepared)
	}
	return all
}

func of(events []concourse.Event, kind string) (all []concourse.Event) {
	for _, e := range events {
		if e.Kind == kind {
			all = append(all, e)
		}
	}
	return all
}

func said(events []concourse.Event) string {
	var text strings.Builder
	for _, e := range of(events, "log") {
		text.WriteString(e.Payload)
	}
	return text.String()
}

func tellsItsVersion(t *testing.T, s subject) {
	info, err := s.with(t, s.access).Info(t.Context())
	require.NoError(t, err)
	require.Regexp(t, `^[78]\.\d+\.\d+`, info.Version)
	require.NotEmpty(t, info.WorkerVersion)
}

func deniesAWrongPassword(t *testing.T, s subject) {
	for _, user := range []string{s.name("judge"), "nobody"} {
		access := s.access
		access.User, access.Password = user, "wrong-and-long-enough"
		_, err := s.with(t, access).Jobs(t.Context())
		require.ErrorIs(t, err, concourse.ErrDenied)
		require.NotContains(t, err.Error(), "wrong-and-long-enough")
	}
}

func deniesAnUnknownToken(t *testing.T, s subject) {
	access := s.access
	access.Token = "a-token-of-another-day"
	client := s.with(t, access)
	_, err := client.Jobs(t.Context())
	require.ErrorIs(t, err, concourse.ErrDenied)
	require.NotContains(t, err.Error(), "another-day")
	exposed, err := client.Exposed(t.Context())
	require.NoError(t, err)
	require.True(t, exposed, "what is asked without a login needs none")
}

func hidesAPipeline(t *testing.T, s subject) {
	judge := s.as(t, "judge")
	for _, wanted := range []bool{false, true} {
		s.expose(t, wanted)
		exposed, err := judge.Exposed(t.Context())
		require.NoError(t, err)
		require.Equal(t, wanted, exposed)
		pipeline, err := judge.Pipeline(t.Context())
		require.NoError(t, err)
		require.Equal(t, concourse.Pipeline{
			ID: pipeline.ID, Name: s.access.Pipeline, Team: s.access.Team, Public: wanted,
		}, pipeline)
		_, err = s.as(t, "looker").Jobs(t.Context())
		require.Equal(t, wanted, err == nil, "%v", err)
		if err != nil {
			require.ErrorIs(t, err, concourse.ErrDenied)
		}
	}
}

func findsNothing(t *testing.T, s subject) {
	judge, ctx := s.as(t, "judge"), t.Context()
	for what, ask := range map[string]func() error{
		"job":             func() error { _, err := judge.Builds(ctx, "app-deploi", 1); return err },
		"job to trigger":  func() error { _, err := judge.Trigger(ctx, "app-deploi"); return err },
		"build":           func() error { _, err := judge.Build(ctx, 1<<30); return err },
		"build's events":  func() error { return judge.Events(ctx, 1<<30, concourse.FromStart, nil) },
		"build to abort":  func() error { return judge.Abort(ctx, 1<<30) },
		"build to rerun":  func() error { _, err := judge.Rerun(ctx, "quick", "77"); return err },
		"resource":        func() error { _, err := judge.Versions(ctx, "nounce", 1); return err },
		"resource's news": func() error { _, err := judge.Check(ctx, "nounce"); return err },
	} {
		require.ErrorIs(t, ask(), concourse.ErrNotFound, what)
	}
	access := s.access
	access.Pipeline = "bogop"
	_, err := s.with(t, access).Exposed(ctx)
	require.ErrorIs(t, err, concourse.ErrNotFound)
	access = s.access
	access.Team = "nobodies"
	_, err = s.with(t, access).Exposed(ctx)
	require.ErrorIs(t, err, concourse.ErrNotFound)
}

func tellsInputs(t *testing.T, s subject) {
	jobs, err := s.as(t, "judge").Jobs(t.Context())
	require.NoError(t, err)
	var names []string
	inputs := map[string][]concourse.JobInput{}
	for _, job := range jobs {
		names, inputs[job.Name] = append(names, job.Name), job.Inputs
	}
	require.Equal(t, []string{"quick", "slow", "failing", "erroring", "later"}, names)
	require.Equal(t, []concourse.JobInput{{Name: "nonce", Resource: "nonce"}}, inputs["quick"])
	require.Equal(t, []concourse.JobInput{{Name: "marker", Resource: "nonce", Passed: []string{"failing"}, Trigger: true}}, inputs["later"])
	require.Empty(t, inputs["slow"])
}

func hasAWorker(t *testing.T, s subject) {
	workers, err := s.as(t, "judge").Workers(t.Context())
	require.NoError(t, err)
	require.Contains(t, states(workers), "running")
}

func states(workers []concourse.Worker) (all []string) {
	for _, worker := range workers {
		all = append(all, worker.State)
	}
	return all
}

func asksWhoMaySet(t *testing.T, s subject) {
	before := s.config(t)
	for user, wanted := range map[string]bool{"owner": true, "judge": false, "looker": false} {
		may, err := s.as(t, user).MaySet(t.Context())
		require.NoError(t, err)
		require.Equal(t, wanted, may, user)
	}
	require.Equal(t, before, s.config(t))
}

func deniesATrigger(t *testing.T, s subject) {
	looker := s.as(t, "looker")
	_, err := looker.Trigger(t.Context(), "quick")
	require.ErrorIs(t, err, concourse.ErrDenied)
	require.ErrorIs(t, looker.SetPaused(t.Context(), true), concourse.ErrDenied)
}

func tellsEvents(t *testing.T, s subject) {
	judge := s.as(t, "judge")
	triggered, err := judge.Trigger(t.Context(), "quick")
	require.NoError(t, err)
	require.Equal(t, concourse.Pending, triggered.Status)
	require.Equal(t, "quick", triggered.Job)
	require.Equal(t, s.name("judge"), triggered.CreatedBy)
	build, events := ended(t, judge, triggered.ID)
	require.Equal(t, concourse.Succeeded, build.Status)
	require.False(t, build.End.Before(build.Start))
	for i, e := range events {
		require.Equal(t, i, e.ID)
		require.NotEmpty(t, e.Version, e.Kind)
		require.WithinDuration(t, build.Start, e.Time, soon, e.Kind)
	}
	status := of(events, "status")
	require.Len(t, status, 2)
	require.Equal(t, []concourse.Status{concourse.Started, concourse.Succeeded}, []concourse.Status{status[0].Status, status[1].Status})
	finish := of(events, "finish-task")
	require.Len(t, finish, 1)
	require.Zero(t, finish[0].ExitStatus)
	require.Contains(t, said(events), "hello\r\n")
	for _, e := range of(events, "log") {
		require.NotEmpty(t, e.Origin.ID)
		require.Contains(t, []string{"stdout", "stderr"}, e.Origin.Source)
	}
	require.NotEmpty(t, of(events, "selected-worker")[0].Worker)

	builds, err := judge.Builds(t.Context(), "quick", 1)
	require.NoError(t, err)
	require.Equal(t, []concourse.Build{build}, builds)
	jobs, err := judge.Jobs(t.Context())
	require.NoError(t, err)
	summary := *jobs[0].FinishedBuild
	summary.CreatedBy = build.CreatedBy // a list does not tell it
	require.Equal(t, build, summary)
	require.Nil(t, jobs[0].NextBuild)
}

func resumesEvents(t *testing.T, s subject) {
	judge := s.as(t, "judge")
	builds, err := judge.Builds(t.Context(), "quick", 1)
	require.NoError(t, err)
	require.Len(t, builds, 1)
	whole := eventsAfter(t, judge, builds[0].ID, concourse.FromStart)
	for _, after := range []int{0, 3, len(whole) - 2, len(whole) - 1} {
		require.Equal(t, whole[after+1:], append([]concourse.Event{}, eventsAfter(t, judge, builds[0].ID, after)...))
	}
	stop := errors.New("enough")
	told := 0
	err = judge.Events(t.Context(), builds[0].ID, concourse.FromStart, func(concourse.Event) error {
		told++
		return stop
	})
	require.Equal(t, stop, err, "the error of each is the caller's own")
	require.Equal(t, 1, told)
}

func survivesCuts(t *testing.T, s subject) {
	way := s.way(t, s.options.Resolve[hostOf(t, s.access.URL)])
	s.options.Resolve = map[string]string{hostOf(t, s.access.URL): way.address}
	judge := s.as(t, "judge")
	triggered, err := judge.Trigger(t.Context(), "quick")
	require.NoError(t, err)
	var got []concourse.Event
	require.NoError(t, judge.Events(t.Context(), triggered.ID, concourse.FromStart, func(e concourse.Event) error {
		if got = append(got, e); len(got)%2 == 1 {
			way.cut()
		}
		return nil
	}))
	require.Greater(t, way.cuts(), 1)
	require.Equal(t, eventsAfter(t, judge, triggered.ID, concourse.FromStart), got)
}

func waitsWhilePaused(t *testing.T, s subject) {
	owner, judge := s.as(t, "owner"), s.as(t, "judge")
	require.NoError(t, owner.SetPaused(t.Context(), true))
	t.Cleanup(func() { require.NoError(t, owner.SetPaused(context.WithoutCancel(t.Context()), false)) })
	pipeline, err := judge.Pipeline(t.Context())
	require.NoError(t, err)
	require.True(t, pipeline.Paused)
	triggered, err := judge.Trigger(t.Context(), "failing")
	require.NoError(t, err)
	preparation, err := judge.Preparation(t.Context(), triggered.ID)
	require.NoError(t, err)
	require.Contains(t, preparation.Reasons(), "the pipeline is paused")
	build, err := judge.Build(t.Context(), triggered.ID)
	require.NoError(t, err)
	require.Equal(t, concourse.Pending, build.Status)
	require.True(t, build.Start.IsZero())
	jobs, err := judge.Jobs(t.Context())
	require.NoError(t, err)
	require.Equal(t, triggered.ID, jobs[2].NextBuild.ID)

	require.NoError(t, owner.SetPaused(t.Context(), false))
	build, _ = ended(t, judge, triggered.ID)
	require.Equal(t, concourse.Failed, build.Status)
	preparation, err = judge.Preparation(t.Context(), triggered.ID)
	require.NoError(t, err)
	require.Empty(t, preparation.Reasons())
}

func waitsForPassed(t *testing.T, s subject) {
	judge := s.as(t, "judge")
	triggered, err := judge.Trigger(t.Context(), "later")
	require.NoError(t, err)
	eventually(t, func() ([]string, error) {
		preparation, err := judge.Preparation(t.Context(), triggered.ID)
		return preparation.Reasons(), err
	}, func(reasons []string) bool { // the resource is looked at first
		return len(reasons) == 1 && strings.HasPrefix(reasons[0], "input marker: no satisfiable builds")
	})
	require.NoError(t, judge.Abort(t.Context(), triggered.ID))
	build, _ := ended(t, judge, triggered.ID)
	require.Equal(t, concourse.Aborted, build.Status)
}

func failsAndReruns(t *testing.T, s subject) {
	judge := s.as(t, "judge")
	triggered, err := judge.Trigger(t.Context(), "failing")
	require.NoError(t, err)
	build, events := ended(t, judge, triggered.ID)
	require.Equal(t, concourse.Failed, build.Status)
	require.Equal(t, 7, of(events, "finish-task")[0].ExitStatus)

	again, err := judge.Rerun(t.Context(), "failing", build.Name)
	require.NoError(t, err)
	require.Equal(t, build.Name+".1", again.Name)
	require.Equal(t, build.Name, again.RerunOf)
	build, _ = ended(t, judge, again.ID)
	require.Equal(t, concourse.Failed, build.Status)
}

func errs(t *testing.T, s subject) {
	judge := s.as(t, "judge")
	triggered, err := judge.Trigger(t.Context(), "erroring")
	require.NoError(t, err)
	build, events := ended(t, judge, triggered.ID)
	require.Equal(t, concourse.Errored, build.Status)
	require.Contains(t, of(events, "error")[0].Message, "nope")
}

func aborts(t *testing.T, s subject) {
	judge := s.as(t, "judge")
	triggered, err := judge.Trigger(t.Context(), "slow")
	require.NoError(t, err)
	asked := false
	var last concourse.Event
	require.NoError(t, judge.Events(t.Context(), triggered.ID, concourse.FromStart, func(e concourse.Event) error {
		if last = e; e.Kind == "log" && strings.Contains(e.Payload, "hello") && !asked {
			asked = true
			return judge.Abort(t.Context(), triggered.ID)
		}
		return nil
	}))
	require.True(t, asked)
	require.Equal(t, concourse.Aborted, last.Status)
	build, _ := ended(t, judge, triggered.ID)
	require.Equal(t, concourse.Aborted, build.Status)
	require.NoError(t, judge.Abort(t.Context(), triggered.ID), "what has ended may be aborted")
}

func checks(t *testing.T, s subject) {
	judge := s.as(t, "judge")
	revision := s.commit(t)
	check, err := judge.Check(t.Context(), "nonce")
	require.NoError(t, err)
	require.Equal(t, "nonce", check.Resource)
	check, _ = ended(t, judge, check.ID)
	require.Equal(t, concourse.Succeeded, check.Status)
	versions := eventually(t, func() ([]concourse.Version, error) { return judge.Versions(t.Context(), "nonce", 5) },
		func(versions []concourse.Version) bool { return versions[0].Fields["ref"] == revision })
	require.True(t, versions[0].Enabled)
	require.GreaterOrEqual(t, len(versions), 2)
	one, err := judge.Versions(t.Context(), "nonce", 1)
	require.NoError(t, err)
	require.Equal(t, versions[:1], one)

	triggered, err := judge.Trigger(t.Context(), "quick")
	require.NoError(t, err)
	build, _ := ended(t, judge, triggered.ID)
	require.Equal(t, concourse.Succeeded, build.Status)
	inputs, err := judge.Inputs(t.Context(), triggered.ID)
	require.NoError(t, err)
	require.Equal(t, []concourse.Input{{Name: "nonce", Resource: "nonce", Version: map[string]string{"ref": revision}}}, inputs)
}

func findsInstances(t *testing.T, s subject) {
	access := s.access
	access.Instance = s.vars(t)
	access.User, access.Password = s.name("judge"), s.logins["judge"]
	access.Pipeline = "branches"
	pipeline, err := s.with(t, access).Pipeline(t.Context())
	require.NoError(t, err)
	require.Equal(t, "branches", pipeline.Name)
	jobs, err := s.with(t, access).Jobs(t.Context())
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(jobs, func(j concourse.Job) bool { return j.Name == "quick" }))
	for _, other := range []map[string]any{nil, {"branch": "another"}} {
		access.Instance = other
		_, err = s.with(t, access).Pipeline(t.Context())
		require.ErrorIs(t, err, concourse.ErrNotFound)
	}
}
