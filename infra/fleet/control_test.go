package fleet

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheControlAPIWantsTheToken(t *testing.T) {
	t.Parallel()
	s := open(t, options(t, t.TempDir()))
	for _, given := range []string{"", "Bearer", "Bearer " + token + "x", "Basic " + token, token, "Bearer  " + token} {
		request := httptest.NewRequest("GET", "/v1/group", nil)
		if given != "" {
			request.Header.Set("Authorization", given)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, request)
		require.Equal(t, http.StatusUnauthorized, w.Code, "%q", given)
		require.Equal(t, "Bearer", w.Header().Get("WWW-Authenticate"))
	}
	o := options(t, t.TempDir())
	o.Token = ""
	locked := open(t, o)
	request := httptest.NewRequest("GET", "/v1/group", nil)
	request.Header.Set("Authorization", "Bearer ")
	w := httptest.NewRecorder()
	locked.Handler().ServeHTTP(w, request)
	require.Equal(t, http.StatusUnauthorized, w.Code, "a group without a token lets nobody in")
}

func TestTheControlAPISaysWhatWasGivenAndWhatIsWanted(t *testing.T) {
	t.Parallel()
	s := open(t, options(t, t.TempDir()))
	long := `"` + strings.Repeat("x", 70<<10) + `"`
	for _, c := range []struct {
		call, body string
		status     int
		says       string
	}{
		{"GET /v1/nothing", "", 404, "GET /v1/nothing given; want a call of the control API"},
		{"POST /v1/group", "", 405, "POST /v1/group given"},
		{"GET /v1/instances/otters-9", "", 404, `instance "otters-9" is not there`},
		{"DELETE /v1/instances/otters-9", "", 404, `instance "otters-9" is not there`},
		{"DELETE /v1/instances/otters-9?now=perhaps", "", 400, `now: "perhaps" given; want true or false`},
		{"PUT /v1/size", `{"size":0}`, 422, "size: 0 given; want 1 to 8"},
		{"PUT /v1/size", `{"size":9}`, 422, "size: 9 given; want 1 to 8"},
		{"PUT /v1/size", `{"sise":2}`, 400, "sise"},
		{"PUT /v1/size", long, 413, "longer than 65536 bytes"},
		{"POST /v1/roll", `{"holder":"","seconds":9}`, 422, "holder: \"\" given"},
		{"POST /v1/roll", `{"holder":"me","seconds":0}`, 422, "seconds: 0 given; want 1 to 600"},
		{"POST /v1/roll", `{"holder":"me","seconds":1e30}`, 422, "want 1 to 600"},
		{"PUT /v1/roll", `{"seconds":9}`, 409, "no roll-out is under way"},
		{"POST /v1/instances", `{"package":"none","version":"v"}`, 422, `no such package: "none"`},
		{"POST /v1/instances", `{"package":"built-in","version":"v"}`, 422, `no such package: "built-in"`},
		{"PUT /v1/release", `{"package":"none","version":"a b"}`, 422, `version: "a b" given`},
		{"PUT /v1/packages/.hidden", "x", 422, `package name: ".hidden" given`},
		{"PUT /v1/packages/built-in", "x", 422, "built-in"},
		{"PUT /v1/packages/fine", "x", 400, "no digest given"},
	} {
		method, path, _ := strings.Cut(c.call, " ")
		request, err := http.NewRequest(method, s.url+path, strings.NewReader(c.body))
		require.NoError(t, err)
		var problem Problem
		require.Equal(t, c.status, s.do(request, &problem), c.call)
		require.Contains(t, problem.Detail, c.says, c.call)
		require.Equal(t, c.status, problem.Status)
	}
}

func TestAPackageIsTakenOnceAndUnderItsDigest(t *testing.T) {
	t.Parallel()
	o := options(t, t.TempDir())
	o.MaxPackage = 64 << 10
	s := open(t, o)
	archive := pack(t, contents("r1"))
	var about Package
	require.Equal(t, http.StatusCreated, s.upload("one", archive, &about))
	require.Equal(t, "r1", about.Revision)
	require.Equal(t, int64(len(archive)), about.Bytes)
	require.Equal(t, http.StatusOK, s.upload("one", archive, nil), "the same again")

	var problem Problem
	require.Equal(t, http.StatusConflict, s.upload("one", pack(t, contents("r2")), &problem))
	require.Contains(t, problem.Detail, "another package of that name")
	require.Equal(t, http.StatusUnprocessableEntity, s.upload("two", []byte("no archive"), &problem))
	require.Contains(t, problem.Detail, "not a gzip stream")
	require.Equal(t, http.StatusRequestEntityTooLarge, s.upload("big", make([]byte, 65<<10), &problem))

	for says, header := range map[string]string{
		"want sha-256=:BASE64:":          "sha-256=:AAAA:",
		"does not match its digest":      "sha-256=:" + strings.Repeat("A", 43) + "=:",
		"no digest given; want Repr-Dig": "md5=:AAAA:",
	} {
		request, err := http.NewRequest("PUT", s.url+"/v1/packages/three", strings.NewReader("x"))
		require.NoError(t, err)
		request.Header.Set("Content-Digest", header)
		require.Equal(t, http.StatusBadRequest, s.do(request, &problem))
		require.Contains(t, problem.Detail, says)
	}
	require.Len(t, s.Describe().Packages, 1)
}

func TestOldPackagesGoAndThoseInUseStay(t *testing.T) {
	t.Parallel()
	s := open(t, options(t, t.TempDir()))
	put := func(name string) {
		require.Equal(t, http.StatusCreated, s.upload(name, pack(t, contents(name)), nil))
	}
	commit := func(name string) {
		s.take(60)
		require.Equal(t, http.StatusOK, s.call("PUT", "/v1/release", Release{name, name}, nil))
		s.giveBack()
	}
	names := func() (all []string) {
		for _, p := range s.Describe().Packages {
			all = append(all, p.Name)
		}
		return all
	}
	put("a")
	commit("a")
	s.settles("a", "a")
	put("b")
	put("c")
	put("d")
	require.Equal(t, []string{"a", "c", "d"}, names(), "a runs")
	commit("d")
	s.settles("d", "d")
	put("e")
	require.Equal(t, []string{"a", "d", "e"}, names(), "a ran before")
	commit("e")
	s.settles("e", "e")
	put("f")
	require.Equal(t, []string{"d", "e", "f"}, names())
}

func TestOnlyTheHolderOfTheLeaseChangesWhatRuns(t *testing.T) {
	t.Parallel()
	s := open(t, builtIn(t, "v1"))
	s.settles("v1", "v1")
	s.take(60)
	other := *s
	for _, lease := range []string{"", "made up"} {
		other.lease = lease
		for call, body := range map[string]any{
			"POST /v1/roll":                 map[string]any{"holder": "another", "seconds": 5},
			"PUT /v1/roll":                  map[string]any{"seconds": 5},
			"DELETE /v1/roll":               nil,
			"POST /v1/instances":            Release{BuiltIn, "v2"},
			"DELETE /v1/instances/otters-1": nil,
			"PUT /v1/release":               Release{BuiltIn, "v2"},
			"PUT /v1/size":                  map[string]int{"size": 3},
		} {
			method, path, _ := strings.Cut(call, " ")
			var problem Problem
			require.Equal(t, http.StatusConflict, other.call(method, path, body, &problem), call)
			require.Contains(t, problem.Detail, "a roll-out by a test is under way since ", call)
			require.Equal(t, "a test", problem.Lease.Holder)
		}
	}
	require.Equal(t, http.StatusOK, s.call("PUT", "/v1/roll", map[string]any{"seconds": 5}, nil))
	require.Equal(t, "a test", s.Describe().Lease.Holder)
	s.giveBack()
	require.Equal(t, http.StatusNoContent, s.call("DELETE", "/v1/roll", nil, nil), "again")
	require.Equal(t, http.StatusConflict, s.call("POST", "/v1/instances", Release{BuiltIn, "v2"}, nil), "nor without a lease")
	require.Equal(t, []string{"v1", "v1"}, s.versions())
}

func TestWhatNamesALeaseThatHasEndedChangesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, builtIn(t, "v1"))
	s.settles("v1", "v1")
	s.take(60)
	s.killed()
	require.Eventually(t, func() bool {
		return s.call("PUT", "/v1/release", Release{BuiltIn, "v1"}, nil) == http.StatusConflict
	}, time.Minute, 20*time.Millisecond, "the lease does not end")
	for call, body := range map[string]any{
		"DELETE /v1/instances/otters-1":          nil,
		"DELETE /v1/instances/otters-2?now=true": nil,
		"PUT /v1/size":                           map[string]int{"size": 3},
	} {
		method, path, _ := strings.Cut(call, " ")
		var problem Problem
		require.Equal(t, http.StatusConflict, s.call(method, path, body, &problem), call)
		require.Contains(t, problem.Detail, "no roll-out is under way", call)
	}
	require.Equal(t, http.StatusNoContent, s.call("DELETE", "/v1/roll", nil, nil), "there is nothing to give back")
	d := s.Describe()
	require.Equal(t, Size{Wanted: 2, Actual: 2, Ready: 2, Most: 8}, d.Size)
	require.Equal(t, []string{"otters-1", "otters-2"}, []string{d.Instances[0].ID, d.Instances[1].ID})
	s.lease = ""
	require.Equal(t, http.StatusOK, s.call("PUT", "/v1/size", map[string]int{"size": 1}, nil), "whoever names none may")
}

func TestWhileARollOutIsUnderWayTheGroupReplacesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, builtIn(t, "v1"))
	s.settles("v1", "v1")
	s.take(600)
	require.NoError(t, s.Kill("otters-1"))
	acted, err := s.Refill(t.Context())
	require.NoError(t, err)
	require.False(t, acted)
	for _, later := range []time.Duration{time.Minute, 2 * time.Minute} {
		s.tend(time.Now().Add(later))
	}
	require.Equal(t, []string{"v1"}, s.versions())
	s.giveBack()
	s.settles("v1", "v1")
}

func TestAKilledRollOutIsForgottenAndItsInstancesAreReplaced(t *testing.T) {
	t.Parallel()
	s := open(t, builtIn(t, "v1"))
	s.settles("v1", "v1")
	s.take(60)
	fresh := s.launch(Release{BuiltIn, "v2"})
	require.Equal(t, Starting, fresh.State)
	s.settles("v1", "v1", "v2")
	require.Equal(t, http.StatusAccepted, s.call("DELETE", "/v1/instances/otters-1", nil, nil))
	s.launch(Release{BuiltIn, "v2-never"})
	s.killed()
	s.settles("v1", "v1")
	require.Nil(t, s.Describe().Lease)
	require.Equal(t, http.StatusConflict, s.call("PUT", "/v1/release", Release{BuiltIn, "v2"}, nil), "its lease is no good any more")
	require.Equal(t, "v1", s.Describe().Release.Version)
}

func TestAKilledFirstRollOutLeavesNothing(t *testing.T) {
	t.Parallel()
	o := builtIn(t, "v1")
	app := o.App
	o.App, o.Version = "", ""
	s := open(t, o)
	require.NotEmpty(t, app)
	require.Equal(t, http.StatusCreated, s.upload("one", pack(t, contents("r1")), nil))
	s.take(60)
	s.launch(Release{"one", "r1"})
	s.settles("r1")
	s.killed()
	require.Eventually(t, func() bool { return len(s.versions()) == 0 }, time.Minute, 20*time.Millisecond)
}

func TestAnInstanceSaysWhyItIsNotReady(t *testing.T) {
	t.Parallel()
	s := open(t, builtIn(t, "v1"))
	s.take(60)
	never, dies := s.launch(Release{BuiltIn, "v2-never"}), s.launch(Release{BuiltIn, "v2-dies"})
	require.Eventually(t, func() bool {
		return s.look(never.ID).Reason == "its /readyz answers 503: not ready: the store does not answer"
	}, time.Minute, 20*time.Millisecond, "%v", s.look(never.ID))
	require.Eventually(t, func() bool { return s.look(dies.ID).State == Ended }, time.Minute, 20*time.Millisecond)
	ended := s.look(dies.ID)
	require.Equal(t, "ended: exit status 3", ended.Reason)
	require.Equal(t, []string{dies.ID + " of version v2-dies begins", "no store was found"}, ended.Log)
	require.Equal(t, http.StatusAccepted, s.call("DELETE", "/v1/instances/"+never.ID+"?now=true", nil, nil))
	require.Eventually(t, func() bool { return !s.Alive(never.ID) }, time.Minute, 20*time.Millisecond)
}

func TestTheSizeIsBroughtAboutByTheGroup(t *testing.T) {
	t.Parallel()
	s := open(t, builtIn(t, "v1"))
	s.settles("v1", "v1")
	require.Equal(t, http.StatusOK, s.call("PUT", "/v1/size", map[string]int{"size": 3}, nil))
	s.settles("v1", "v1", "v1")
	require.Equal(t, http.StatusOK, s.call("PUT", "/v1/size", map[string]int{"size": 1}, nil))
	s.settles("v1")
	var d Description
	require.Equal(t, http.StatusOK, s.call("GET", "/v1/group", nil, &d))
	require.Equal(t, Size{Wanted: 1, Actual: 1, Ready: 1, Most: 8}, d.Size)
}

func TestNothingOfTheGroupsSurroundingsReachesItsInstances(t *testing.T) {
	t.Setenv("FLEET_TOKEN", "secret")
	t.Setenv("TZ", "UTC")
	require.NotContains(t, strings.Join(environment([]string{"A=b"}), " "), "secret")
	require.Contains(t, environment([]string{"A=b"}), "A=b")
	require.Contains(t, environment(nil), "TZ=UTC")
}
