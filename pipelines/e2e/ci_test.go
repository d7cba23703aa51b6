package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ci is a team's Concourse, by as much of its API as is asked here.
type ci struct {
	t           *testing.T
	base, team  string
	name, token string
	vars        string // of an instanced pipeline, as a query
}

// build is one of a job's.
type build struct {
	ID     int
	Name   string
	Status string
	Job    string `json:"job_name"`
	Start  int64  `json:"start_time"`
	End    int64  `json:"end_time"`
}

func (b build) ended() bool { return b.Status != "pending" && b.Status != "started" }

func login(t *testing.T, base, team, name, password string) ci {
	t.Helper()
	form := url.Values{"grant_type": {"password"}, "username": {name}, "password": {password}, "scope": {"openid profile email federated:id groups"}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/sky/issuer/token", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	request.SetBasicAuth("fly", "Zmx5")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	reply, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer reply.Body.Close()
	var got struct {
		Token string `json:"access_token"`
	}
	require.Equal(t, http.StatusOK, reply.StatusCode)
	require.NoError(t, json.NewDecoder(reply.Body).Decode(&got))
	return ci{t: t, base: base + "/api/v1/", team: "teams/" + team + "/pipelines/", name: name, token: got.Token}
}

// call asks, and decodes the answer into into where that is not nil.
func (c ci) call(method, path, body string, into any) int {
	c.t.Helper()
	status, text := c.raw(method, path, body)
	if into != nil {
		require.Less(c.t, status, 300, "%s %s: %s", method, path, text)
		require.NoError(c.t, json.Unmarshal([]byte(text), into), "%s %s: %s", method, path, text)
	}
	return status
}

func (c ci) raw(method, path, body string) (int, string) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, strings.NewReader(body))
	require.NoError(c.t, err)
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(request)
	require.NoError(c.t, err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	require.NoError(c.t, err)
	return reply.StatusCode, string(text)
}

// must asks what has to be answered.
func (c ci) must(method, path string) {
	c.t.Helper()
	status, text := c.raw(method, path, "{}")
	require.Less(c.t, status, 300, "%s %s: %s", method, path, text)
}

func (c ci) trigger(job string) build {
	c.t.Helper()
	var b build
	c.call(http.MethodPost, c.team+job+"/builds"+c.vars, "{}", &b)
	return b
}

func (c ci) builds(job string) []build {
	c.t.Helper()
	var list []build
	c.call(http.MethodGet, c.team+job+"/builds"+c.vars, "", &list)
	return list
}

func (c ci) build(id int) build {
	c.t.Helper()
	var b build
	c.call(http.MethodGet, fmt.Sprintf("builds/%d", id), "", &b)
	return b
}

// await waits until a build is as it is wanted to be.
func (c ci) await(id int, what string, is func(build) bool) build {
	c.t.Helper()
	var b build
	for end := time.Now().Add(patience); ; time.Sleep(300 * time.Millisecond) {
		if b = c.build(id); is(b) {
			return b
		}
		if b.ended() || time.Now().After(end) {
			require.FailNow(c.t, "a build that does not come to what it should", "%s %s is %s, want it %s\n%s", b.Job, b.Name, b.Status, what, c.log(id))
		}
	}
}

// ends waits for the end of a build, and wants it to be this one.
func (c ci) ends(id int, status string) build {
	c.t.Helper()
	b := c.await(id, status, build.ended)
	require.Equal(c.t, status, b.Status, "%s %s\n%s", b.Job, b.Name, c.log(id))
	return b
}

// next waits for a build of a job that begins by itself after another one, and
// for its end.
func (c ci) next(job string, after int, status string) build {
	c.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(300 * time.Millisecond) {
		list := c.builds(job)
		for i := len(list) - 1; i >= 0; i-- { // the oldest of them
			if list[i].ID > after {
				return c.ends(list[i].ID, status)
			}
		}
		if time.Now().After(end) {
			var all []build
			c.call(http.MethodGet, "builds?limit=20", "", &all)
			require.FailNow(c.t, "no build began", "%s after %d; there are %+v", job, after, all)
		}
	}
}

// newest is the number of the newest build of all.
func (c ci) newest() int {
	c.t.Helper()
	var list []build
	c.call(http.MethodGet, "builds?limit=1", "", &list)
	if len(list) == 0 {
		return 0
	}
	return list[0].ID
}

// events are what a build's page shows, secrets that slipped through included.
func (c ci) events(id int) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%sbuilds/%d/events", c.base, id), nil)
	require.NoError(c.t, err)
	request.Header.Set("Authorization", "Bearer "+c.token)
	reply, err := http.DefaultClient.Do(request)
	require.NoError(c.t, err)
	defer reply.Body.Close()
	var text strings.Builder
	lines := bufio.NewScanner(reply.Body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() && lines.Text() != "event: end" { // the server would wait on
		text.WriteString(lines.Text() + "\n")
	}
	return text.String()
}

// log is what a build's tasks printed, of one that has ended; of another one
// nothing.
func (c ci) log(id int) string {
	c.t.Helper()
	if !c.build(id).ended() {
		_, why := c.raw(http.MethodGet, fmt.Sprintf("builds/%d/preparation", id), "")
		return why
	}
	var text strings.Builder
	for line := range strings.Lines(c.events(id)) {
		data, ok := strings.CutPrefix(line, "data: ")
		var event struct {
			Event string
			Data  struct{ Payload, Message string }
		}
		if ok && json.Unmarshal([]byte(data), &event) == nil && (event.Event == "log" || event.Event == "error") {
			text.WriteString(event.Data.Payload + event.Data.Message)
		}
	}
	return text.String()
}
