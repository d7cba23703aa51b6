package concoursefake

import (
	"net/http"
	"strconv"
)

// pipelineID is that of the one pipeline.
const pipelineID = 1

func (s *Server) info(asked) answer {
	return answer{http.StatusOK, infoAnswer{
		Version: s.state.Version, WorkerVersion: "2.3", FeatureFlags: map[string]bool{"pipeline_instances": true, "build_rerun": true},
		ExternalURL: s.URL, ClusterName: s.state.Cluster,
	}}
}

func (s *Server) pipeline(asked) answer {
	p := s.state.Pipeline
	return answer{http.StatusOK, pipelineAnswer{
		ID: pipelineID, Name: p.Name, InstanceVars: p.Instance, Paused: p.Paused, Public: p.Exposed, Archived: p.Archived,
		TeamName: s.state.Team, LastUpdated: 1795354810,
	}}
}

func (s *Server) workers(a asked) answer {
	all := []workerAnswer{}
	for i, worker := range s.state.Workers {
		if worker.Team != "" && (worker.Team != s.state.Team || a.user.Role == "") {
			continue
		}
		all = append(all, workerAnswer{
			Addr: "127.0.0.1:7777", BaggageclaimURL: "http://127.0.0.1:7788", ResourceTypes: []string{}, Platform: "linux",
			Team: worker.Team, Name: worker.Name, Version: "2.3", StartTime: 1795354784 + int64(i), State: worker.State,
		})
	}
	return answer{http.StatusOK, all}
}

func (s *Server) pause(paused bool) func(asked) answer {
	return func(asked) answer {
		s.state.Pipeline.Paused = paused
		s.touch()
		return answer{http.StatusOK, nil}
	}
}

// saveConfig takes no configuration: it answers as Concourse does to one that
// is wrong, in the order in which that looks.
func (s *Server) saveConfig(a asked) answer {
	if version := a.Header.Get("X-Concourse-Config-Version"); version != "" {
		if _, err := strconv.Atoi(version); err != nil {
			return answer{http.StatusBadRequest, refusalAnswer{[]string{"config version is malformed: expected integer"}}}
		}
	}
	if kind := a.Header.Get("Content-Type"); kind != "application/json" && kind != "application/x-yaml" {
		return answer{http.StatusUnsupportedMediaType, nil}
	}
	return answer{http.StatusBadRequest, refusalAnswer{[]string{"malformed config: this mock sets no pipeline"}}}
}

func (s *Server) jobs(asked) answer {
	all := []jobSummary{}
	for i, job := range s.state.Jobs {
		next, finished := s.latest(job.Name)
		summary := jobSummary{
			ID: i + 1, Name: job.Name, TeamName: s.state.Team, PipelineID: pipelineID, PipelineName: s.state.Pipeline.Name,
			InstanceVars: s.state.Pipeline.Instance, Paused: job.Paused,
			NextBuild: s.summary(next), FinishedBuild: s.summary(finished), TransitionBuild: s.summary(finished), Outputs: outputs(job),
		}
		for _, input := range job.Inputs {
			summary.Inputs = append(summary.Inputs, inputSummary{input.Name, input.resource(), input.Passed, input.Trigger})
		}
		all = append(all, summary)
	}
	return answer{http.StatusOK, all}
}

func outputs(job *Job) []outputAnswer {
	var all []outputAnswer
	for _, name := range job.Outputs {
		all = append(all, outputAnswer{name, name})
	}
	return all
}

func (s *Server) job(a asked) answer {
	for i, job := range s.state.Jobs {
		if job.Name != a.PathValue("job") {
			continue
		}
		next, finished := s.latest(job.Name)
		whole := jobAnswer{
			ID: i + 1, Name: job.Name, TeamName: s.state.Team, PipelineID: pipelineID, PipelineName: s.state.Pipeline.Name,
			InstanceVars: s.state.Pipeline.Instance, Paused: job.Paused,
			NextBuild: s.whole(next), FinishedBuild: s.whole(finished), Outputs: outputs(job),
		}
		for _, input := range job.Inputs {
			whole.Inputs = append(whole.Inputs, inputAnswer{input.Name, input.resource(), input.Trigger, input.Passed})
		}
		return answer{http.StatusOK, whole}
	}
	return answer{http.StatusNotFound, nil}
}

func (s *Server) versions(a asked) answer {
	resource := s.state.Resource(a.PathValue("resource"))
	if resource == nil {
		return answer{http.StatusNotFound, nil}
	}
	all := []versionAnswer{}
	for i := len(resource.Versions) - 1; i >= 0 && len(all) < limit(a); i-- {
		all = append(all, versionAnswer{i + 1, resource.Versions[i], true})
	}
	return answer{http.StatusOK, all}
}

// limit is how many a list may have, 100 where nobody says.
func limit(a asked) int {
	if n, err := strconv.Atoi(a.URL.Query().Get("limit")); err == nil && n > 0 {
		return n
	}
	return 100
}
