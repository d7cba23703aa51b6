package concourse_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse"
	"bogops/validator/concourse/concoursefake"
	"bogops/validator/contest"
)

// mock starts a mock of Concourse and returns it with the judge's client of it.
func mock(t *testing.T, o concoursefake.Options) (*concoursefake.Server, *concourse.Client) {
	t.Helper()
	server, err := concoursefake.Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server, clientOf(t, server, "judge", "judge-password")
}

func clientOf(t *testing.T, server *concoursefake.Server, user string, password contest.Secret) *concourse.Client {
	t.Helper()
	client := concourse.Open(
		concourse.Access{URL: server.URL, Team: "otters", Pipeline: "bogops", User: user, Password: password},
		concourse.Options{Roots: server.Roots, Resolve: server.Resolve},
	)
	t.Cleanup(client.Close)
	return client
}

func TestEventsGoOnWhereTheConnectionWasCut(t *testing.T) {
	t.Parallel()
	server, client := mock(t, concoursefake.Options{})
	server.Bend(func(s *concoursefake.State) { s.CutEvents = 2 })
	build, err := client.Trigger(t.Context(), "app-deploy")
	require.NoError(t, err)
	var kinds []string
	require.NoError(t, client.Events(t.Context(), build.ID, concourse.FromStart, func(e concourse.Event) error {
		require.Equal(t, len(kinds), e.ID)
		kinds = append(kinds, e.Kind)
		return nil
	}))
	require.Equal(t, "status", kinds[0])
	require.Equal(t, []string{"finish-task", "status"}, kinds[len(kinds)-2:])
}
