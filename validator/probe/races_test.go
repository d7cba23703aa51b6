package probe

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

func statuses(all ...int) race {
	r := race{}
	for _, status := range all {
		one := run{status: status}
		if status == 0 {
			one.err = &target.Failure{Kind: target.Reset, What: "PUT", Err: errors.New("reset")}
		}
		r.runs = append(r.runs, one)
	}
	return r
}

func TestARaceHasOneWinnerUnlessItsOutcomeIsUnknown(t *testing.T) {
	for _, c := range []struct {
		why   string
		race  race
		wins  bool
		wrong string
	}{
		{"one wins", statuses(412, 201, 412), true, ""},
		{"one wins beside a 5xx, a reset and a 429", statuses(500, 0, 200, 429), true, ""},
		{"nobody is known to win, and one of these may have", statuses(412, 503, 412), false, ""},
		{"two win", statuses(201, 412, 201), false, "got 2 acknowledged"},
		{"two win beside a 5xx", statuses(201, 503, 201), false, "got 2 acknowledged"},
		{"nobody wins", statuses(412, 412, 429), false, "got none acknowledged (412: 2, 429: 1)"},
		{"a loser is told something else", statuses(201, 409), false, "got 409 for one of them"},
	} {
		winner, err := c.race.winner("A race")
		require.Equal(t, c.wins, winner != nil, c.why)
		if c.wrong == "" {
			require.NoError(t, err, c.why)
			continue
		}
		require.ErrorContains(t, err, c.wrong, c.why)
		require.Equal(t, verdict.Mumble, verdict.Of(err), c.why)
	}
	_, err := statuses(412, 0).winner("A race")
	var failure *target.Failure
	require.ErrorAs(t, err, &failure, "whose fault a silence is, is for the target to settle")
}

// creators is a platform that knows PUT with If-None-Match: * and GET. Of the
// PUTs it refuses some, with what refuse says, before or after it has stored.
type creators struct {
	mu      sync.Mutex
	objects map[string][]byte
	puts    int
	refuse  func(n int) (status int, stored bool)
}

func (c *creators) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	held, found := c.objects[r.URL.Path]
	if r.Method == http.MethodGet {
		if !found {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write(held)
		return
	}
	status, stored := c.refuse(c.puts)
	c.puts++
	if status == 0 {
		status, stored = http.StatusCreated, true
	}
	if found {
		status = http.StatusPreconditionFailed
	} else if stored {
		c.objects[r.URL.Path] = body
	}
	w.WriteHeader(status)
}

func TestAPlatformThatShedsCreatorsIsRightAndOneThatOnlyShedsIsNot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why    string
		refuse func(n int) (int, bool)
		wrong  string
	}{
		{"some are shed", func(n int) (int, bool) { return []int{503, 429, 0}[n%3], false }, ""},
		{"one is answered 500, and stored", func(n int) (int, bool) { return map[int]int{0: 500}[n], true }, ""},
		{"all are shed", func(int) (int, bool) { return 503, false }, "got no winner in any"},
		{"all are told to wait", func(int) (int, bool) { return 429, false }, "got none acknowledged"},
	} {
		server := httptest.NewServer(&creators{objects: map[string][]byte{}, refuse: c.refuse})
		t.Cleanup(server.Close)
		at, err := url.Parse(server.URL)
		require.NoError(t, err)
		s, err := newSession(target.Target{URL: at, Token: "t"}, Env{Racers: 8}.filled())
		require.NoError(t, err)
		note, err := racedCreate(t.Context(), s)
		if c.wrong == "" {
			require.NoError(t, err, c.why)
			require.NotEmpty(t, note)
			continue
		}
		require.ErrorContains(t, err, c.wrong, c.why)
		require.Equal(t, verdict.Mumble, verdict.Of(err), fmt.Sprint(c.why, ": ", err))
	}
}
