package concourse_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse"
	"bogops/validator/concourse/concoursefake"
	"bogops/validator/contest"
)

func TestTheMockHoldsWhatTheRealOneHolds(t *testing.T) {
	t.Parallel()
	hold(t, mockSubject(t))
}

// mockSubject is the mock as the suite wants it.
func mockSubject(t *testing.T) subject {
	t.Helper()
	commits := &commits{}
	state := concoursefake.Normed()
	state.Jobs = suiteJobs()
	state.Resources = []*concoursefake.Resource{{Name: "nonce", Type: "git", Check: commits.found}}
	state.Users = append(state.Users, concoursefake.User{Name: "looker", Password: "looker-password"})
	state.Users[2].Name = "viewer"
	server, err := concoursefake.Start(concoursefake.Options{State: state})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	commits.add()
	return subject{
		access:  concourse.Access{URL: server.URL, Team: "otters", Pipeline: "bogops"},
		options: concourse.Options{Roots: server.Roots, Resolve: server.Resolve},
		logins:  map[string]contest.Secret{"owner": "owner-password", "judge": "judge-password", "looker": "looker-password"},
		commit:  func(*testing.T) string { return commits.add() },
		expose: func(_ *testing.T, exposed bool) {
			server.Bend(func(s *concoursefake.State) { s.Pipeline.Exposed = exposed })
		},
		config: func(*testing.T) (text string) {
			server.Bend(func(s *concoursefake.State) {
				for _, job := range s.Jobs {
					text += fmt.Sprintf("%s %+v %v\n", job.Name, job.Inputs, job.Paused)
				}
			})
			return text
		},
		vars: func(t *testing.T) map[string]any {
			vars := map[string]any{"branch": "a/b c"}
			server.Bend(func(s *concoursefake.State) { s.Pipeline.Name, s.Pipeline.Instance = "branches", vars })
			t.Cleanup(func() {
				server.Bend(func(s *concoursefake.State) { s.Pipeline.Name, s.Pipeline.Instance = "bogops", nil })
			})
			return vars
		},
		way: cutterTo,
	}
}

func suiteJobs() []*concoursefake.Job {
	greet := func(_ context.Context, r concoursefake.Run) concoursefake.Result {
		r.Log("hello\r\n")
		return concoursefake.Result{}
	}
	forever := func(ctx context.Context, r concoursefake.Run) concoursefake.Result {
		r.Log("hello\r\n")
		<-ctx.Done()
		return concoursefake.Result{}
	}
	fail := func(context.Context, concoursefake.Run) concoursefake.Result {
		return concoursefake.Result{Status: "failed", Exit: 7}
	}
	err := func(context.Context, concoursefake.Run) concoursefake.Result {
		return concoursefake.Result{Status: "errored", Message: "create resource config: base resource type not found: nope"}
	}
	return []*concoursefake.Job{
		{Name: "quick", Inputs: []concoursefake.Input{{Name: "nonce"}}, Run: greet},
		{Name: "slow", Run: forever},
		{Name: "failing", Inputs: []concoursefake.Input{{Name: "nonce"}}, Run: fail},
		{Name: "erroring", Run: err},
		{Name: "later", Inputs: []concoursefake.Input{{Name: "marker", Resource: "nonce", Passed: []string{"failing"}, Trigger: true}}},
	}
}

// commits is a repository of which only the revisions are there.
type commits struct {
	mu  sync.Mutex
	all []map[string]string
}

func (c *commits) add() (revision string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	revision = fmt.Sprintf("%040x", len(c.all)+1)
	c.all = append(c.all, map[string]string{"ref": revision})
	return revision
}

func (c *commits) found(context.Context) ([]map[string]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]map[string]string(nil), c.all...), nil
}
