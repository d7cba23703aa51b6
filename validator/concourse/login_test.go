package concourse_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"bogops/validator/concourse"
	"bogops/validator/concourse/concoursefake"
	"bogops/validator/contest"
)

// counting counts the requests that end so.
func counting(suffix string, n *atomic.Int32) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, suffix) {
				n.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestOneTokenServesManyQuestions(t *testing.T) {
	t.Parallel()
	var tokens, users atomic.Int32
	grants, shows := counting("/token", &tokens), counting("/user", &users)
	_, client := mock(t, concoursefake.Options{Wrap: func(h http.Handler) http.Handler { return grants(shows(h)) }})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := client.Jobs(t.Context())
			assert.NoError(t, err)
		})
	}
	all.Wait()
	require.EqualValues(t, 1, tokens.Load())
	require.EqualValues(t, 1, users.Load())
}

// clock is a time that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) move(by time.Duration) { c.ahead.Add(int64(by)) }

func TestATokenIsRenewedBeforeItsEnd(t *testing.T) {
	t.Parallel()
	var tokens atomic.Int32
	c := &clock{}
	state := concoursefake.Normed()
	state.TokenLife = time.Hour
	server, err := concoursefake.Start(concoursefake.Options{State: state, Now: c.now, Wrap: counting("/token", &tokens)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	client := concourse.Open(
		concourse.Access{URL: server.URL, Team: "otters", Pipeline: "bogops", User: "judge", Password: "judge-password"},
		concourse.Options{Roots: server.Roots, Resolve: server.Resolve, Now: c.now},
	)
	t.Cleanup(client.Close)
	for _, step := range []struct {
		after  time.Duration
		tokens int32
	}{{0, 1}, {58 * time.Minute, 1}, {90 * time.Second, 2}, {time.Minute, 2}, {3 * time.Hour, 3}} {
		c.move(step.after)
		_, err := client.Workers(t.Context())
		require.NoError(t, err)
		require.Equal(t, step.tokens, tokens.Load(), "after %v", step.after)
	}
}

func TestATokenThatConcourseForgotIsRenewedOnce(t *testing.T) {
	t.Parallel()
	var tokens atomic.Int32
	server, client := mock(t, concoursefake.Options{Wrap: counting("/token", &tokens)})
	_, err := client.Workers(t.Context())
	require.NoError(t, err)
	server.Forget()
	build, err := client.Trigger(t.Context(), "app-rollback")
	require.NoError(t, err)
	builds, err := client.Builds(t.Context(), "app-rollback", 10)
	require.NoError(t, err)
	require.Len(t, builds, 2, "triggered once")
	require.Equal(t, build.ID, builds[0].ID)
	require.EqualValues(t, 2, tokens.Load())

	server.Bend(func(s *concoursefake.State) { s.Users = nil })
	_, err = client.Workers(t.Context())
	require.ErrorIs(t, err, concourse.ErrDenied)
	require.LessOrEqual(t, tokens.Load(), int32(3))
}

func TestAForgottenTokenIsNoticedWhereEverybodyMayRead(t *testing.T) {
	t.Parallel()
	var tokens atomic.Int32
	c := &clock{}
	server, err := concoursefake.Start(concoursefake.Options{Now: c.now, Wrap: counting("/token", &tokens)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	client := concourse.Open(
		concourse.Access{URL: server.URL, Team: "otters", Pipeline: "bogops", User: "judge", Password: "judge-password"},
		concourse.Options{Roots: server.Roots, Resolve: server.Resolve, Now: c.now},
	)
	t.Cleanup(client.Close)
	_, err = client.Jobs(t.Context())
	require.NoError(t, err)
	server.Forget()
	c.move(2 * time.Minute)
	_, err = client.Jobs(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, tokens.Load())
}

func TestAGivenTokenIsUsedAndNeverRenewed(t *testing.T) {
	t.Parallel()
	var tokens atomic.Int32
	server, _ := mock(t, concoursefake.Options{Wrap: counting("/token", &tokens)})
	given := concourse.Access{URL: server.URL, Team: "otters", Pipeline: "bogops", Token: contest.Secret(server.Token("judge"))}
	client := concourse.Open(given, concourse.Options{Roots: server.Roots, Resolve: server.Resolve})
	t.Cleanup(client.Close)
	_, err := client.Trigger(t.Context(), "app-rollback")
	require.NoError(t, err)
	server.Forget()
	_, err = client.Trigger(t.Context(), "app-rollback")
	require.ErrorIs(t, err, concourse.ErrDenied)
	require.Zero(t, tokens.Load())
}

// echoing answers every request with all that came with it.
func echoing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/user" || strings.HasSuffix(r.URL.Path, "/token") && r.FormValue("password") == "judge-password" {
			next.ServeHTTP(w, r)
			return
		}
		_ = r.ParseForm()
		http.Error(w, "you said "+r.Header.Get("Authorization")+" "+r.Form.Encode(), http.StatusInternalServerError)
	})
}

func TestNoErrorHoldsASecret(t *testing.T) {
	t.Parallel()
	server, client := mock(t, concoursefake.Options{Wrap: echoing})
	_, err := client.Jobs(t.Context())
	var answer *concourse.StatusError
	require.ErrorAs(t, err, &answer)
	require.Contains(t, answer.Extract, "you said Bearer (redacted)")

	wrong := clientOf(t, server, "judge", "another password&more")
	_, err = wrong.Jobs(t.Context())
	require.ErrorAs(t, err, &answer)
	require.Contains(t, err.Error(), "you said")
	require.NotContains(t, err.Error(), "another")
}
