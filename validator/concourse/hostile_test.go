package concourse_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/concourse"
	"bogops/validator/concourse/concoursefake"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// impostor answers a client as handler does, behind a right certificate.
func impostor(t *testing.T, handler http.HandlerFunc) *concourse.Client {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	client := concourse.Open(
		concourse.Access{URL: server.URL, Team: "otters", Pipeline: "bogops", Token: "a-token-that-was-given"},
		concourse.Options{Roots: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs},
	)
	t.Cleanup(client.Close)
	return client
}

// control answers, so that silence is the platform's.
func control(t *testing.T) target.Target {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	return target.Target{URL: &url.URL{Scheme: "https", Host: "platform.test"}, Control: listener.Addr().String()}
}

func hangUp(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

func TestEveryWrongAnswerHasAClassAndAVerdict(t *testing.T) {
	t.Parallel()
	text := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		}
	}
	wrong := &concourse.StatusError{}
	for _, c := range []struct {
		what    string
		handler http.HandlerFunc
		class   any // an error, or *StatusError
		verdict verdict.Status
	}{
		{"hangs up", hangUp, concourse.ErrUnreachable, verdict.Down},
		{"breaks off", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"version":`)
			_ = http.NewResponseController(w).Flush()
			hangUp(w, r)
		}, concourse.ErrUnreachable, verdict.Mumble},
		{"says nothing", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, concourse.ErrUnreachable, verdict.Down},
		{"never ends", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		}, concourse.ErrUnreachable, verdict.Down},
		{"is endless", func(w http.ResponseWriter, _ *http.Request) {
			for range 5 << 10 {
				if _, err := io.WriteString(w, strings.Repeat(" ", 1<<10)); err != nil {
					return
				}
			}
		}, wrong, verdict.Mumble},
		{"is no JSON", text(http.StatusOK, "<html>good morning"), wrong, verdict.Mumble},
		{"is other JSON", text(http.StatusOK, `["a"]`), wrong, verdict.Mumble},
		{"has no version", text(http.StatusOK, `{}`), wrong, verdict.Mumble},
		{"is empty", text(http.StatusOK, ""), wrong, verdict.Mumble},
		{"is broken inside", text(http.StatusInternalServerError, "sorry"), wrong, verdict.Mumble},
		{"leads elsewhere", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, wrong, verdict.Mumble},
		{"is not there", text(http.StatusNotFound, ""), concourse.ErrNotFound, verdict.Mumble},
		{"is refused", text(http.StatusUnauthorized, "not authorized"), concourse.ErrDenied, verdict.Unproven},
		{"is forbidden", text(http.StatusForbidden, "forbidden"), concourse.ErrDenied, verdict.Unproven},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			client := impostor(t, c.handler)
			if c.verdict == verdict.Down {
				client.Hurry(time.Second)
			}
			_, err := client.Info(t.Context())
			if class, ok := c.class.(*concourse.StatusError); ok {
				require.ErrorAs(t, err, &class)
				require.Less(t, len(err.Error()), 1000)
			} else {
				require.ErrorIs(t, err, c.class.(error))
			}
			finding := concourse.Settle(context.WithoutCancel(t.Context()), control(t), err, "an answer")
			require.Equal(t, c.verdict, verdict.Of(finding), "%v", finding)
			require.ErrorContains(t, finding, "Concourse")
			require.ErrorContains(t, finding, "want an answer")
		})
	}
}

func TestSilenceIsNobodysWithoutAControl(t *testing.T) {
	t.Parallel()
	client := impostor(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	client.Hurry(time.Second)
	_, err := client.Info(t.Context())
	require.Equal(t, verdict.NotChecked, verdict.Of(concourse.Settle(t.Context(), target.Target{}, err, "an answer")))
}

func TestARefusedConnectionIsDown(t *testing.T) {
	t.Parallel()
	server, client := mock(t, concoursefake.Options{})
	require.NoError(t, server.Close())
	_, err := client.Info(t.Context())
	require.ErrorIs(t, err, concourse.ErrUnreachable)
	var failure *target.Failure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, target.Refused, failure.Kind)
	require.Equal(t, verdict.Down, verdict.Of(concourse.Settle(t.Context(), target.Target{}, err, "an answer")))
}

func TestWhatTheJudgeBrokeOffIsNobodys(t *testing.T) {
	t.Parallel()
	_, client := mock(t, concoursefake.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.Jobs(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, concourse.ErrUnreachable)
	require.Equal(t, verdict.NotChecked, verdict.Of(concourse.Settle(t.Context(), control(t), err, "an answer")))
}

func TestAnErrorOfNoClassStaysTheJudges(t *testing.T) {
	t.Parallel()
	err := errors.New("of another kind")
	require.Equal(t, err, concourse.Settle(t.Context(), control(t), err, "an answer"))
	require.NoError(t, concourse.Settle(t.Context(), control(t), nil, "an answer"))
	finding := verdict.Wrong("a finding", "this", "that")
	require.Equal(t, error(finding), concourse.Settle(t.Context(), control(t), finding, "an answer"))
}

func TestAWrongCertificateIsToldFromSilence(t *testing.T) {
	t.Parallel()
	server, _ := mock(t, concoursefake.Options{})
	access := concourse.Access{URL: server.URL, Team: "otters", Pipeline: "bogops", User: "judge", Password: "judge-password"}
	otherName := map[string]string{"other.test": server.Address}
	for what, c := range map[string]struct {
		url string
		o   concourse.Options
	}{
		"of another root": {server.URL, concourse.Options{Roots: x509.NewCertPool(), Resolve: server.Resolve}},
		"of another name": {"https://other.test", concourse.Options{Roots: server.Roots, Resolve: otherName}},
		"expired": {server.URL, concourse.Options{Roots: server.Roots, Resolve: server.Resolve, Now: func() time.Time {
			return time.Now().AddDate(20, 0, 0)
		}}},
	} {
		access.URL = c.url
		client := concourse.Open(access, c.o)
		t.Cleanup(client.Close)
		for question, ask := range map[string]func() error{
			"info": func() error { _, err := client.Info(t.Context()); return err },
			"jobs": func() error { _, err := client.Jobs(t.Context()); return err },
		} {
			err := ask()
			require.ErrorIs(t, err, concourse.ErrCertificate, "%s: %s", what, question)
			require.NotErrorIs(t, err, concourse.ErrUnreachable)
			require.Equal(t, verdict.Mumble, verdict.Of(concourse.Settle(t.Context(), control(t), err, "an answer")))
		}
	}
}

func TestAPlainPortIsNotSpoken(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	client := concourse.Open(concourse.Access{URL: strings.Replace(server.URL, "http:", "https:", 1)}, concourse.Options{})
	t.Cleanup(client.Close)
	_, err := client.Info(t.Context())
	var failure *target.Failure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, target.NotSpoken, failure.Kind)
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	client := concourse.Open(concourse.Access{URL: server.URL}, concourse.Options{})
	t.Cleanup(client.Close)
	_, err := client.Info(t.Context())
	require.ErrorIs(t, err, concourse.ErrUnreachable)
}

// streaming answers the login, the build, and a stream of events by write.
func streaming(t *testing.T, status string, write func(w http.ResponseWriter, r *http.Request)) *concourse.Client {
	t.Helper()
	return impostor(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v1/user":
			_, _ = io.WriteString(w, "{}")
		case "/api/v1/builds/1":
			fmt.Fprintf(w, `{"id":1,"status":%q}`, status)
		case "/api/v1/builds/1/events":
			w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
			write(w, r)
		}
	})
}

const log0 = "id: 0\nevent: event\ndata: {\"data\":{\"payload\":\"a\"},\"event\":\"log\",\"version\":\"5.1\"}\n\n"

func TestAStreamThatIsNoneIsAWrongAnswer(t *testing.T) {
	t.Parallel()
	end := "id: 1\nevent: end\ndata\n\n"
	for what, text := range map[string]string{
		"a gap":             log0 + strings.Replace(log0, "id: 0", "id: 2", 1) + end,
		"no number":         strings.Replace(log0, "id: 0", "id: x", 1) + end,
		"no JSON":           "id: 0\nevent: event\ndata: {\n\n" + end,
		"a status of 5":     "id: 0\nevent: event\ndata: {\"data\":{\"status\":5},\"event\":\"status\"}\n\n" + end,
		"an endless event":  "id: 0\nevent: event\ndata: " + strings.Repeat("x", 2<<20) + "\n\n" + end,
		"no data of a kind": "id: 0\nevent: event\ndata: {\"event\":\"status\"}\n\n" + end,
	} {
		client := streaming(t, "started", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
		err := client.Events(t.Context(), 1, concourse.FromStart, func(concourse.Event) error { return nil })
		var wrong *concourse.StatusError
		require.ErrorAs(t, err, &wrong, what)
		require.Less(t, len(err.Error()), 1000, what)
	}
	client := streaming(t, "started", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, log0+end)
	})
	require.ErrorContains(t, client.Events(t.Context(), 1, concourse.FromStart, nil), "text/event-stream")
	client = streaming(t, "started", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Atc-Stream-Version", "3.0")
		_, _ = io.WriteString(w, log0+end)
	})
	require.ErrorContains(t, client.Events(t.Context(), 1, concourse.FromStart, nil), `version "3.0"`)
}

func TestWhatIsToldAgainIsToldOnce(t *testing.T) {
	t.Parallel()
	client := streaming(t, "started", func(w http.ResponseWriter, r *http.Request) {
		// A server that does not know Last-Event-ID begins at the start again.
		_, _ = io.WriteString(w, log0)
		if r.Header.Get("Last-Event-ID") != "" {
			_, _ = io.WriteString(w, strings.Replace(log0, "id: 0", "id: 1", 1)+"id: 2\nevent: end\ndata\n\n")
		}
	})
	events := eventsAfter(t, client, 1, concourse.FromStart)
	require.Equal(t, []int{0, 1}, []int{events[0].ID, events[1].ID})
	require.Len(t, events, 2)
}

func TestALongTextIsCutAndSaysSo(t *testing.T) {
	t.Parallel()
	long := strings.Replace(log0, `"a"`, `"`+strings.Repeat("é", 30<<10)+`"`, 1)
	client := streaming(t, "started", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, long+"id: 1\nevent: end\ndata\n\n")
	})
	events := eventsAfter(t, client, 1, concourse.FromStart)
	require.True(t, events[0].Cut)
	require.LessOrEqual(t, len(events[0].Payload), 16<<10)
	require.Equal(t, strings.Repeat("é", 8<<10), events[0].Payload)
}

func TestASilentStreamIsAskedForAnew(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	client := streaming(t, "started", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 3 {
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, log0+"id: 1\nevent: end\ndata\n\n")
	})
	client.Silence(200 * time.Millisecond)
	require.Len(t, eventsAfter(t, client, 1, concourse.FromStart), 1)
	require.GreaterOrEqual(t, asked.Load(), int32(3))
}

func TestABuildThatEndedAndWhoseEventsDoNotIsAWrongAnswer(t *testing.T) {
	t.Parallel()
	client := streaming(t, "succeeded", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, log0)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	client.Silence(200 * time.Millisecond)
	err := client.Events(t.Context(), 1, concourse.FromStart, func(concourse.Event) error { return nil })
	require.ErrorContains(t, err, "the build has succeeded, and its events do not end")
}

func TestAStreamThatStaysAwayIsGivenUp(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	client := streaming(t, "started", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > 1 {
			hangUp(w, r)
		}
		_, _ = io.WriteString(w, log0)
		_ = http.NewResponseController(w).Flush()
		hangUp(w, r)
	})
	client.Absence(500 * time.Millisecond)
	err := client.Events(t.Context(), 1, concourse.FromStart, func(concourse.Event) error { return nil })
	require.ErrorIs(t, err, concourse.ErrUnreachable)
	require.GreaterOrEqual(t, asked.Load(), int32(3))
}

func TestTheEndOfTheContextEndsAStreamAndBlamesNobody(t *testing.T) {
	t.Parallel()
	server, client := mock(t, concoursefake.Options{})
	server.Bend(func(s *concoursefake.State) { s.Job("app-rollback").Ends = "pending" })
	build, err := client.Trigger(t.Context(), "app-rollback")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err = client.Events(ctx, build.ID, concourse.FromStart, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, concourse.ErrUnreachable)
}

func TestAFollowedStreamIsClosedAtItsEnd(t *testing.T) {
	t.Parallel()
	server, client := mock(t, concoursefake.Options{})
	for range 3 {
		eventsAfter(t, client, 1, concourse.FromStart)
	}
	require.Eventually(t, func() bool { return server.Streams() == 0 }, soon, 10*time.Millisecond)
}
