package concoursefake

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// Who may have a route's answer, besides whoever has its role in the team
// (Concourse's atc/wrappa/api_auth_wrappa.go).
type access int

const (
	everybody  access = iota // also without a token
	known                    // whoever has a token
	exposed                  // everybody, while the pipeline is exposed
	publicJob                // everybody, while the pipeline is exposed and the build's job is public
	authorized               // nobody else
)

// asked is one request with what was found out about it.
type asked struct {
	*http.Request
	user  *User  // nil: nobody
	build *build // that the path names; nil: none
}

// answer is a status with a body: as JSON, or as text where it is a string, or
// none where it is nil.
type answer struct {
	status int
	body   any
}

// untyped is JSON of which Concourse does not say that it is.
type untyped struct{ json any }

type route struct {
	pattern string
	access  access
	role    string // the weakest that may
	answer  func(asked) answer
}

// routes are those of Concourse that the judge asks (its atc/routes.go), with
// its default roles (atc/api/accessor/roles.go).
func (s *Server) routes() http.Handler {
	const pipeline = "/api/v1/teams/{team}/pipelines/{pipeline}"
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sky/issuer/token", s.grant)
	mux.HandleFunc("GET /api/v1/builds/{build}/events", s.events)
	for _, r := range []route{
		{"GET /api/v1/info", everybody, "", s.info},
		{"GET /api/v1/user", known, "", s.user},
		{"GET /api/v1/workers", known, "", s.workers},
		{"GET " + pipeline, exposed, Viewer, s.pipeline},
		{"PUT " + pipeline + "/pause", authorized, Operator, s.pause(true)},
		{"PUT " + pipeline + "/unpause", authorized, Operator, s.pause(false)},
		{"PUT " + pipeline + "/config", authorized, Member, s.saveConfig},
		{"GET " + pipeline + "/jobs", exposed, Viewer, s.jobs},
		{"GET " + pipeline + "/jobs/{job}", exposed, Viewer, s.job},
		{"GET " + pipeline + "/jobs/{job}/builds", exposed, Viewer, s.jobBuilds},
		{"POST " + pipeline + "/jobs/{job}/builds", authorized, Operator, s.trigger},
		{"POST " + pipeline + "/jobs/{job}/builds/{name}", authorized, Operator, s.rerun},
		{"POST " + pipeline + "/resources/{resource}/check", authorized, Operator, s.check},
		{"GET " + pipeline + "/resources/{resource}/versions", exposed, Viewer, s.versions},
		{"GET /api/v1/builds/{build}", exposed, Viewer, s.build},
		{"GET /api/v1/builds/{build}/resources", exposed, Viewer, s.resources},
		{"GET /api/v1/builds/{build}/plan", publicJob, Viewer, s.plan},
		{"GET /api/v1/builds/{build}/preparation", publicJob, Viewer, s.preparation},
		{"PUT /api/v1/builds/{build}/abort", authorized, Operator, s.abort},
	} {
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, request *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			a, refused := s.admit(request, r.access, r.role)
			if refused == nil {
				got := r.answer(a)
				refused = &got
			}
			refused.write(w)
		})
	}
	return mux
}

// admit finds what a request names and who asks, in the order of Concourse:
// what is not there is 404 to everybody where everybody might see it, and
// otherwise only to who may.
func (s *Server) admit(r *http.Request, need access, role string) (asked, *answer) {
	a := asked{Request: r, user: s.bearer(r)}
	found, named := s.named(&a)
	mayAsk := a.user != nil && a.user.Role != "" && atLeast(a.user.Role, role)
	if named := r.PathValue("team"); named != "" && named != s.state.Team {
		mayAsk = false
	}
	open := s.state.Pipeline.Exposed
	switch need {
	case everybody:
		return a, nil
	case known:
		mayAsk = a.user != nil
	case exposed:
		mayAsk = mayAsk || open
	case publicJob:
		mayAsk = mayAsk || open && a.build != nil && s.isPublic(a.build)
	}
	isBuild := r.PathValue("build") != ""
	if named && !found && (need != authorized || mayAsk || isBuild && a.user != nil) {
		return a, &answer{http.StatusNotFound, nil}
	}
	switch {
	case mayAsk:
		return a, nil
	case a.user == nil:
		return a, &answer{http.StatusUnauthorized, "not authorized\n"}
	}
	return a, &answer{http.StatusForbidden, "forbidden\n"}
}

// named looks up the build, or the pipeline, that a path names.
func (s *Server) named(a *asked) (found, named bool) {
	switch {
	case a.PathValue("build") != "":
		a.build = s.buildOf(a.PathValue("build"))
		return a.build != nil, true
	case a.PathValue("pipeline") != "":
		return a.PathValue("team") == s.state.Team && a.PathValue("pipeline") == s.state.Pipeline.Name && s.isInstance(a.Request), true
	}
	return true, false
}

// isInstance says whether the vars of a request are those of the pipeline.
func (s *Server) isInstance(r *http.Request) bool {
	vars := map[string]any{}
	for name, values := range r.URL.Query() {
		name, ok := strings.CutPrefix(name, "vars.")
		if !ok {
			continue
		}
		var value any
		if json.Unmarshal([]byte(values[0]), &value) != nil {
			return false
		}
		vars[strings.Trim(name, `"`)] = value
	}
	return len(vars) == 0 && len(s.state.Pipeline.Instance) == 0 || reflect.DeepEqual(vars, s.state.Pipeline.Instance)
}

func atLeast(role, wanted string) bool {
	order := []string{Viewer, Operator, Member, Owner}
	return slices.Index(order, role) >= slices.Index(order, wanted)
}

func (a answer) write(w http.ResponseWriter) {
	w.Header().Set("X-Concourse-Version", "7.6.0")
	kind, text := "application/json", []byte(nil)
	switch body := a.body.(type) {
	case nil:
		w.WriteHeader(a.status)
		return
	case string:
		kind, text = "text/plain; charset=utf-8", []byte(body)
	case untyped:
		kind, text = "text/plain; charset=utf-8", line(body.json)
	default:
		text = line(body)
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(a.status)
	_, _ = w.Write(text) // who hangs up is told nothing
}

func line(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // nothing in an answer cannot be JSON
	}
	return append(text, '\n')
}
