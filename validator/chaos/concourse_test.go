package chaos

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse"
	"bogops/validator/concourse/concoursefake"
)

// deployment is a platform behind a mock of Concourse, with the hands that break
// it; what is wrong with it is one thing each time.
type deployment struct {
	fake   *concoursefake.Server
	access concourse.Access
	window time.Duration

	mu      sync.Mutex
	version string // that every instance describes; empty: nobody answers
	odd     bool   // one connection in three describes another one

	loses, brings, deploys, returns error // of the hands
	undone                          []string
}

func newDeployment(t *testing.T, change func(*concoursefake.State)) *deployment {
	t.Helper()
	state := concoursefake.Normed()
	if change != nil {
		change(state)
	}
	fake, err := concoursefake.Start(concoursefake.Options{State: state})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, fake.Close()) })
	return &deployment{
		fake: fake, version: "one", window: 4 * time.Second,
		access: concourse.Access{URL: fake.URL, Team: "otters", Pipeline: "bogops", User: "judge", Password: "judge-password"},
	}
}

func (d *deployment) pipeline() Pipeline {
	client := concourse.Open(d.access, concourse.Options{Roots: d.fake.Roots, Resolve: d.fake.Resolve})
	asked := 0
	return Pipeline{
		Client: client,
		Version: func(context.Context) (string, error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			asked++
			switch {
			case d.version == "":
				return "", errors.New("nobody answers")
			case d.odd && asked%3 == 0:
				return "another", nil
			}
			return d.version, nil
		},
		Worker: func(_ context.Context, do string) error {
			if do == "bring" {
				d.undone = append(d.undone, do)
				d.workers(concoursefake.Worker{Name: "w1", State: "running"})
				return d.brings
			}
			if d.loses == nil {
				d.workers()
			}
			return d.loses
		},
		Deploy: func(ctx context.Context) error {
			if d.deploys != nil {
				return d.deploys
			}
			_, err := client.Trigger(ctx, "app-deploy")
			return err
		},
		Return: func(context.Context) error {
			d.undone = append(d.undone, "return")
			d.describe("one", false)
			return d.returns
		},
	}
}

func (d *deployment) workers(all ...concoursefake.Worker) {
	d.fake.Bend(func(s *concoursefake.State) { s.Workers = all })
}

func (d *deployment) describe(version string, odd bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.version, d.odd = version, odd
}

// paused says how the pipeline is, as its owner sees it.
func (d *deployment) paused() (paused bool) {
	d.fake.Bend(func(s *concoursefake.State) { paused = s.Pipeline.Paused })
	return paused
}

// steps are the states of one fault.
func (d *deployment) steps(t *testing.T, kind string, change func(*Action)) []string {
	t.Helper()
	return stepsWithin(t, t.Context(), d.window, func(a *Action) {
		all := PipelineFaults(d.pipeline())
		require.Contains(t, all, kind)
		*a = all[kind]
		require.Equal(t, kind, a.Kind)
		if change != nil {
			change(a)
		}
	})
}

// soon is for what never shows, and neverHeals for what does not end by itself.
func soon(a *Action) { a.Shows = 300 * time.Millisecond }

func (d *deployment) neverHeals() *deployment {
	d.window = 300 * time.Millisecond
	return d
}

func TestAPausedPipelineStaysSoForItsWindowAndGoesOnAfterwards(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, nil)
	seen := false
	require.Equal(t, []string{"injected", "verified", "healed", "rolled-back"}, d.steps(t, "pause-pipeline", func(a *Action) {
		healed := a.Healed
		a.Healed = func(ctx context.Context) error { seen = d.paused(); return healed(ctx) }
	}))
	require.True(t, seen, "it was paused meanwhile")
	require.False(t, d.paused())
}

func TestAPlatformThatNeedsItsPipelineToServeIsNotHealed(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, nil).neverHeals()
	require.Equal(t, []string{"injected", "verified", "rolled-back"}, d.steps(t, "pause-pipeline", func(a *Action) {
		do := a.Do
		a.Do = func(ctx context.Context) error { d.describe("", false); return do(ctx) }
	}))
	require.False(t, d.paused())
}

func TestAPipelineThatItsTeamLetGoOnIsNotTouchedAgain(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, nil)
	require.Equal(t, []string{"injected", "verified", "healed"}, d.steps(t, "pause-pipeline", func(a *Action) {
		healed := a.Healed
		a.Healed = func(ctx context.Context) error {
			d.fake.Bend(func(s *concoursefake.State) { s.Pipeline.Paused = false })
			return healed(ctx)
		}
	}))
}

func TestAPipelineThatCannotBePausedBlamesNobody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*concoursefake.State)
		access func(*concourse.Access)
		states []string
	}{
		{"it is paused already", func(s *concoursefake.State) { s.Pipeline.Paused = true }, nil, []string{"unverified"}},
		{"there is none", func(s *concoursefake.State) { s.Pipeline.Name = "deploy" }, nil, []string{"unverified"}},
		{"the login may not", nil, func(a *concourse.Access) { a.User, a.Password = "looker", "looker-password" }, []string{"injected", "unverified"}},
		{"the login is refused", nil, func(a *concourse.Access) { a.Password = "wrong" }, []string{"unverified"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDeployment(t, c.change)
			if c.access != nil {
				c.access(&d.access)
			}
			was := d.paused()
			require.Equal(t, c.states, d.steps(t, "pause-pipeline", nil))
			require.Equal(t, was, d.paused(), "as it was before")
		})
	}
}

func TestALostWorkerIsSeenAndBroughtBack(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, nil)
	require.Equal(t, []string{"injected", "verified", "healed", "rolled-back"}, d.steps(t, "lose-worker", nil))
	require.Equal(t, []string{"bring"}, d.undone)
}

func TestAWorkerThatCannotBeLostIsBroughtAllTheSame(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, nil)
	d.loses = errors.New("no such machine")
	require.Equal(t, []string{"injected", "unverified"}, d.steps(t, "lose-worker", nil))
	require.Equal(t, []string{"bring"}, d.undone)

	d = newDeployment(t, nil)
	require.Equal(t, []string{"injected", "unverified"}, d.steps(t, "lose-worker", func(a *Action) {
		soon(a)
		a.Do = func(context.Context) error { return nil } // a hand that does nothing
	}))
	require.Equal(t, []string{"bring"}, d.undone)
}

func TestAWorkerThatDoesNotComeBackIsTold(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, nil)
	d.brings = errors.New("it does not start")
	require.Equal(t, []string{"injected", "verified", "healed", "note: Worker lost: the judge could not put it back: it does not start"}, d.steps(t, "lose-worker", nil))
}

func TestWithoutAWorkerThereIsNoneToLose(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, func(s *concoursefake.State) { s.Workers = nil })
	require.Equal(t, []string{"unverified"}, d.steps(t, "lose-worker", nil))
	require.Empty(t, d.undone)
}

// ends has the builds of app-deploy end so, after they did something.
func ends(status string, first func()) func(*concoursefake.State) {
	return func(s *concoursefake.State) {
		s.Job("app-deploy").Run = func(context.Context, concoursefake.Run) concoursefake.Result {
			if first != nil {
				first()
			}
			return concoursefake.Result{Status: status}
		}
	}
}

func TestABadVersionIsHealedWhereThePipelineSaysNoAndThePlatformStays(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, ends("failed", nil))
	d.window = time.Minute // it is over as soon as it is healed
	require.Equal(t, []string{"injected", "verified", "healed"}, d.steps(t, "bad-deploy", nil))
	require.Equal(t, []string{"return"}, d.undone, "what is broken does not stay the newest")
}

func TestABadVersionThatReachesAnInstanceIsNotHealed(t *testing.T) {
	t.Parallel()
	var d *deployment
	d = newDeployment(t, ends("failed", func() { d.describe("one", true) })).neverHeals()
	require.Equal(t, []string{"injected", "verified", "rolled-back"}, d.steps(t, "bad-deploy", nil))
	require.Equal(t, []string{"return"}, d.undone)
}

func TestAGreenBuildThatTakesThePlatformDownHasTaken(t *testing.T) {
	t.Parallel()
	var d *deployment
	d = newDeployment(t, ends("succeeded", func() { d.describe("", false) })).neverHeals()
	require.Equal(t, []string{"injected", "verified", "rolled-back"}, d.steps(t, "bad-deploy", nil))
}

func TestABuildThatSaysNothingOfTheVersionIsUnverified(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*concoursefake.State)
	}{
		{"it is green and the platform serves: nothing was broken", ends("succeeded", nil)},
		{"Concourse could not run it", ends("errored", nil)},
		{"it never began", func(s *concoursefake.State) { s.Job("app-deploy").Ends = "pending" }},
		{"an older one had failed", func(s *concoursefake.State) {
			s.Job("app-deploy").Last = "failed"
			s.Job("app-deploy").Ends = "pending"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDeployment(t, c.change)
			require.Equal(t, []string{"injected", "unverified"}, d.steps(t, "bad-deploy", soon))
			require.Equal(t, []string{"return"}, d.undone)
		})
	}
}

func TestABadVersionThatCannotBeDeployedBlamesNobody(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, nil)
	d.deploys = errors.New("the push was refused")
	require.Equal(t, []string{"injected", "unverified"}, d.steps(t, "bad-deploy", nil))
	require.Equal(t, []string{"return"}, d.undone)
}

func TestABadVersionThatStaysTheNewestIsTold(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, ends("failed", nil))
	d.window, d.returns = time.Minute, errors.New("the push was refused")
	require.Equal(t, []string{"injected", "verified", "healed", "note: Bad version deployed: the judge could not put it back: the push was refused"}, d.steps(t, "bad-deploy", nil))
}

func TestAPlatformOfTwoVersionsIsNotGivenAThird(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, nil)
	d.odd = true
	require.Equal(t, []string{"unverified"}, d.steps(t, "bad-deploy", nil))
	require.Empty(t, d.undone)
}

func TestWhatNobodyCanDoIsNoFault(t *testing.T) {
	t.Parallel()
	var kinds []string
	for kind := range PipelineFaults(Pipeline{}) {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	require.Equal(t, []string{"pause-pipeline"}, kinds)
}

func TestAnUndoneFaultMayBeUndoneAgain(t *testing.T) {
	t.Parallel()
	d := newDeployment(t, ends("failed", nil))
	for kind, action := range PipelineFaults(d.pipeline()) {
		_, err := action.Resolve(t.Context())
		require.NoError(t, err, kind)
		require.NoError(t, action.Do(t.Context()), kind)
		for range 2 {
			_, err := action.Undo(t.Context())
			require.NoError(t, err, kind)
		}
		acted, err := action.Undo(t.Context())
		require.NoError(t, err, kind)
		require.False(t, acted, "%s: nothing is left to undo", kind)
	}
	require.False(t, d.paused())
}
