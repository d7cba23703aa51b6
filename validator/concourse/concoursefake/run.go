package concoursefake

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// begin starts what a build does. The caller holds mu.
func (s *Server) begin(b *build, do func(context.Context, *build)) {
	ctx, cancel := context.WithCancel(s.ctx)
	b.abort = cancel
	s.touch()
	s.group.Go(func() {
		defer cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		do(ctx, b)
	})
}

// look is a check. It runs on a worker, as everything does.
func (s *Server) look(ctx context.Context, b *build) {
	if !s.until(ctx, s.works) {
		s.finish(b, aborted)
		return
	}
	if err := s.find(ctx, b.resource); err != nil {
		s.tell(b, errorEvent{Message: err.Error(), Origin: originOf(b), Time: s.clock()})
		s.finish(b, failed)
		return
	}
	s.finish(b, succeeded)
}

// find has a resource look for new versions, without mu.
func (s *Server) find(ctx context.Context, name string) error {
	resource := s.state.Resource(name)
	if resource == nil || resource.Check == nil {
		return nil
	}
	check := resource.Check
	s.mu.Unlock()
	found, err := check(ctx)
	s.mu.Lock()
	if err != nil {
		return fmt.Errorf("check of %s: %w", name, err)
	}
	for _, version := range found {
		s.see(resource, version)
	}
	return nil
}

// see adds a version that was not seen before.
func (s *Server) see(resource *Resource, version map[string]string) {
	if !slices.ContainsFunc(resource.Versions, func(v map[string]string) bool { return maps.Equal(v, version) }) {
		resource.Versions = append(resource.Versions, version)
		s.touch()
	}
}

func (s *Server) works() bool {
	return slices.ContainsFunc(s.state.Workers, func(w Worker) bool {
		return w.State == "running" && (w.Team == "" || w.Team == s.state.Team)
	})
}

// run is a build of a job, from pending to its end. Its inputs are looked for
// first, as Concourse does for a build that a person triggers; so without a
// worker a build with inputs stays pending, and one without any begins and
// waits.
func (s *Server) run(ctx context.Context, b *build) {
	job := s.state.Job(b.job)
	if !s.prepared(ctx, job, b) {
		s.finish(b, aborted)
		return
	}
	s.start(b)
	if !s.works() {
		s.tell(b, workerEvent{Time: s.clock(), Origin: originOf(b)}.waiting())
		if !s.until(ctx, s.works) {
			s.interrupt(b)
			return
		}
	}
	got := s.fetch(ctx, job, b)
	var result Result
	if got.Status == "" {
		result = s.perform(ctx, job, b)
	}
	switch {
	case ctx.Err() != nil:
		s.interrupt(b)
	case got.Status != "":
		s.finish(b, got.Status)
	default:
		s.conclude(job, b, result)
	}
}

// fetch gets a build's inputs, up to the first that fails.
func (s *Server) fetch(ctx context.Context, job *Job, b *build) Result {
	for _, input := range b.inputs {
		var result Result
		if get := s.getOf(job, input); get != nil {
			s.mu.Unlock()
			result = get(ctx, maps.Clone(input.Version))
			s.mu.Lock()
		}
		s.tellGet(b, input, result)
		if result.Status != "" {
			return result
		}
	}
	return Result{}
}

// getOf is what fetches an input of a job; nil: nothing has to.
func (s *Server) getOf(job *Job, taken takenAnswer) func(context.Context, map[string]string) Result {
	for _, input := range job.Inputs {
		if resource := s.state.Resource(input.resource()); input.Name == taken.Name && resource != nil {
			return resource.Get
		}
	}
	return nil
}

// prepared waits until a build may begin, with its inputs.
func (s *Server) prepared(ctx context.Context, job *Job, b *build) bool {
	if !b.inputsPinned {
		if len(job.Inputs) > 0 && !s.until(ctx, s.works) {
			return false
		}
		for _, input := range job.Inputs {
			_ = s.find(ctx, input.resource()) // what is there already is taken
		}
		b.checking = false
		s.touch()
	}
	var taken []takenAnswer
	ready := func() bool {
		if s.state.Pipeline.Paused || job.Paused || job.Ends == pending {
			return false
		}
		taken = b.inputs
		return b.inputsPinned || s.satisfied(job, &taken)
	}
	if !s.until(ctx, ready) {
		return false
	}
	b.inputs = taken
	return true
}

// satisfied picks the versions that a job would take now.
func (s *Server) satisfied(job *Job, taken *[]takenAnswer) bool {
	*taken = nil
	for _, input := range job.Inputs {
		version := s.pick(input)
		if version == nil {
			return false
		}
		*taken = append(*taken, takenAnswer{input.Name, maps.Clone(version), pipelineID, true})
	}
	return true
}

// pick is the newest version of an input that came through all jobs that it
// must have passed; nil: there is none.
func (s *Server) pick(input Input) map[string]string {
	resource := s.state.Resource(input.resource())
	if resource == nil {
		return nil
	}
	for _, version := range slices.Backward(resource.Versions) {
		if !slices.ContainsFunc(input.Passed, func(job string) bool { return !s.passed(job, resource.Name, version) }) {
			return version
		}
	}
	return nil
}

// passed says whether a build of job that succeeded took or made a version.
func (s *Server) passed(job, resource string, version map[string]string) bool {
	of := s.state.Job(job)
	for _, b := range s.of(job) {
		if b.status != succeeded || of == nil {
			continue
		}
		for _, input := range b.inputs {
			i := slices.IndexFunc(of.Inputs, func(in Input) bool { return in.Name == input.Name })
			if i >= 0 && of.Inputs[i].resource() == resource && maps.Equal(input.Version, version) {
				return true
			}
		}
		for _, output := range b.outputs {
			if output.Name == resource && maps.Equal(output.Version, version) {
				return true
			}
		}
	}
	return false
}

// perform has the job do its work, without mu.
func (s *Server) perform(ctx context.Context, job *Job, b *build) Result {
	s.tellTask(b)
	if job.Run == nil {
		return Result{Status: job.Ends, Exit: 1, Message: "the mock was told so"}
	}
	run := Run{Build: b.id, Job: b.job, Inputs: map[string]map[string]string{}, Log: func(text string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tellLog(b, text)
	}}
	for _, input := range b.inputs {
		run.Inputs[input.Name] = maps.Clone(input.Version)
	}
	do := job.Run
	s.mu.Unlock()
	defer s.mu.Lock()
	return do(ctx, run)
}

// conclude ends a build as its task did.
func (s *Server) conclude(job *Job, b *build, result Result) {
	switch result.Status {
	case errored:
		s.tell(b, errorEvent{Message: result.Message, Origin: originOf(b), Time: s.clock()})
	case failed:
		s.tellFinish(b, max(1, result.Exit))
	case aborted:
		s.interrupt(b)
		return
	default:
		result.Status = succeeded
		s.tellFinish(b, 0)
		s.make(job, b)
	}
	s.finish(b, result.Status)
}

// make gives every output of a job a new version.
func (s *Server) make(job *Job, b *build) {
	for _, name := range job.Outputs {
		version := map[string]string{"path": fmt.Sprintf("%s-%d.tar.gz", name, b.id)}
		b.outputs = append(b.outputs, madeAnswer{name, version})
		if resource := s.state.Resource(name); resource != nil {
			s.see(resource, version)
		}
	}
}

func (s *Server) interrupt(b *build) {
	s.tell(b, errorEvent{Message: "interrupted", Origin: originOf(b), Time: s.clock()})
	s.finish(b, aborted)
}

func (s *Server) start(b *build) {
	b.status, b.start = started, s.o.Now()
	s.tell(b, statusEvent{started, s.clock()})
}

func (s *Server) finish(b *build, status string) {
	b.status, b.end, b.ended = status, s.o.Now(), true
	s.tell(b, statusEvent{status, s.clock()})
}

// settle gives every job the builds that it began with.
func (s *Server) settle() {
	for _, job := range s.state.Jobs {
		if job.Last == "" {
			continue
		}
		b := s.add(&build{job: job.Name, number: 1})
		s.satisfied(job, &b.inputs)
		s.start(b)
		for _, input := range b.inputs {
			s.tellGet(b, input, Result{})
		}
		s.tellTask(b)
		s.conclude(job, b, Result{Status: job.Last, Exit: 1, Message: "the mock was told so"})
	}
}
