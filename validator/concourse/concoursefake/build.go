package concoursefake

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// build is one run of a job, or of a check.
type build struct {
	id           int
	job          string // empty: a check
	resource     string // of a check
	number       int
	rerun        int // 0: none
	of           *build
	status, by   string
	start, end   time.Time
	inputs       []takenAnswer
	outputs      []madeAnswer
	inputsPinned bool // a rerun takes those it has
	checking     bool // its inputs are being looked for
	events       [][]byte
	ended        bool
	abort        context.CancelFunc
}

func (b *build) name() string {
	switch {
	case b.job == "":
		return "check"
	case b.rerun > 0:
		return fmt.Sprintf("%d.%d", b.of.number, b.rerun)
	}
	return strconv.Itoa(b.number)
}

func (s *Server) buildOf(id string) *build {
	n, err := strconv.Atoi(id)
	if err != nil || n < 1 || n > len(s.builds) {
		return nil
	}
	return s.builds[n-1]
}

// of are the builds of a job, oldest first.
func (s *Server) of(job string) []*build {
	var all []*build
	for _, b := range s.builds {
		if b.job == job && job != "" {
			all = append(all, b)
		}
	}
	return all
}

func (s *Server) latest(job string) (next, finished *build) {
	for _, b := range s.of(job) {
		switch {
		case b.ended:
			finished = b
		case next == nil:
			next = b
		}
	}
	return next, finished
}

func (s *Server) isPublic(b *build) bool {
	job := s.state.Job(b.job)
	return job != nil && job.Public
}

func (s *Server) add(b *build) *build {
	b.id = len(s.builds) + 1
	b.status = pending
	s.builds = append(s.builds, b)
	return b
}

func unix(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.Unix()
}

func (s *Server) summary(b *build) *buildSummary {
	if b == nil {
		return nil
	}
	return &buildSummary{
		ID: b.id, Name: b.name(), Status: b.status, StartTime: unix(b.start), EndTime: unix(b.end), TeamName: s.state.Team,
		PipelineID: pipelineID, PipelineName: s.state.Pipeline.Name, InstanceVars: s.state.Pipeline.Instance, JobName: b.job,
	}
}

func (s *Server) whole(b *build) *buildAnswer {
	if b == nil {
		return nil
	}
	whole := &buildAnswer{
		ID: b.id, TeamName: s.state.Team, Name: b.name(), Status: b.status, APIURL: fmt.Sprintf("/api/v1/builds/%d", b.id),
		JobName: b.job, ResourceName: b.resource, PipelineID: pipelineID, PipelineName: s.state.Pipeline.Name,
		InstanceVars: s.state.Pipeline.Instance, StartTime: unix(b.start), EndTime: unix(b.end), CreatedBy: b.by,
	}
	if b.rerun > 0 {
		whole.RerunNumber, whole.RerunOf = b.rerun, &rerunAnswer{b.of.id, b.of.name()}
	}
	return whole
}

func (s *Server) build(a asked) answer { return answer{http.StatusOK, s.whole(a.build)} }

func (s *Server) jobBuilds(a asked) answer {
	if s.state.Job(a.PathValue("job")) == nil {
		return answer{http.StatusNotFound, nil}
	}
	all := []*buildAnswer{}
	builds := s.of(a.PathValue("job"))
	for i := len(builds) - 1; i >= 0 && len(all) < limit(a); i-- {
		all = append(all, s.whole(builds[i]))
	}
	return answer{http.StatusOK, all}
}

func (s *Server) resources(a asked) answer {
	got := resourcesAnswer{Inputs: []takenAnswer{}, Outputs: []madeAnswer{}}
	got.Inputs = append(got.Inputs, a.build.inputs...)
	got.Outputs = append(got.Outputs, a.build.outputs...)
	return answer{http.StatusOK, got}
}

func (s *Server) trigger(a asked) answer {
	job := s.state.Job(a.PathValue("job"))
	if job == nil {
		return answer{http.StatusNotFound, nil}
	}
	b := s.add(&build{job: job.Name, number: s.next(job.Name), by: a.user.Name, checking: len(job.Inputs) > 0})
	s.begin(b, s.run)
	return answer{http.StatusOK, s.whole(b)}
}

func (s *Server) next(job string) int {
	last := 0
	for _, b := range s.of(job) {
		last = max(last, b.number)
	}
	return last + 1
}

func (s *Server) rerun(a asked) answer {
	var of *build
	reruns := 0
	for _, b := range s.of(a.PathValue("job")) {
		if b.name() == a.PathValue("name") {
			of = b
		}
	}
	if of == nil {
		return answer{http.StatusNotFound, nil}
	}
	if of.of != nil {
		of = of.of // a rerun of a rerun is one of the first
	}
	for _, b := range s.of(of.job) {
		if b.of == of {
			reruns++
		}
	}
	b := s.add(&build{job: of.job, of: of, rerun: reruns + 1, by: a.user.Name, inputsPinned: true})
	for _, input := range of.inputs {
		input.Version = maps.Clone(input.Version)
		b.inputs = append(b.inputs, input)
	}
	s.begin(b, s.run)
	return answer{http.StatusOK, s.whole(b)}
}

func (s *Server) abort(a asked) answer {
	if a.build.abort != nil {
		a.build.abort()
	}
	return answer{http.StatusNoContent, nil}
}

func (s *Server) check(a asked) answer {
	resource := s.state.Resource(a.PathValue("resource"))
	if resource == nil {
		return answer{http.StatusNotFound, nil}
	}
	if a.Header.Get("Content-Type") != "application/json" {
		return answer{http.StatusBadRequest, nil}
	}
	b := s.add(&build{resource: resource.Name})
	b.status, b.start = started, s.o.Now()
	s.begin(b, s.look)
	return answer{http.StatusCreated, untyped{s.whole(b)}}
}

func (s *Server) preparation(a asked) answer {
	p := preparationAnswer{
		BuildID: a.build.id, PausedPipeline: notBlocking, PausedJob: notBlocking, MaxRunningBuilds: notBlocking,
		InputsSatisfied: notBlocking, Inputs: map[string]string{}, MissingInputReasons: map[string]string{},
	}
	if job := s.state.Job(a.build.job); job != nil && a.build.status == pending {
		s.prepare(&p, job, a.build)
	}
	return answer{http.StatusOK, p}
}

const (
	blocking    = "blocking"
	notBlocking = "not_blocking"
)

func (s *Server) prepare(p *preparationAnswer, job *Job, b *build) {
	if s.state.Pipeline.Paused {
		p.PausedPipeline = blocking
	}
	if job.Paused {
		p.PausedJob = blocking
	}
	if b.inputsPinned {
		return
	}
	for _, input := range job.Inputs {
		p.Inputs[input.Name] = notBlocking
		if reason := s.missing(input, b); reason != "" {
			p.Inputs[input.Name], p.InputsSatisfied = blocking, blocking
			p.MissingInputReasons[input.Name] = reason
		}
	}
}

// missing is why a build does not have an input yet, in Concourse's words.
func (s *Server) missing(input Input, b *build) string {
	switch {
	case b.checking:
		return "checking for latest available versions"
	case s.pick(input) != nil:
		return ""
	case len(input.Passed) == 0:
		return "no versions available"
	}
	return "no satisfiable builds from passed jobs found for set of inputs"
}
