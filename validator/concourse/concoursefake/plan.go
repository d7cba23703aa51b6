package concoursefake

import "net/http"

// Task is the name of the one task of every build.
const Task = "do-the-work"

// planAnswer is what a build does (Concourse's atc/public_plan.go): here its gets
// and its one task, in a sequence.
type planAnswer struct {
	Schema string   `json:"schema"`
	Plan   planStep `json:"plan"`
}

type planStep struct {
	ID   string     `json:"id"`
	Do   []planStep `json:"do,omitempty"`
	Get  *planGet   `json:"get,omitempty"`
	Task *planTask  `json:"task,omitempty"`
}

type planGet struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Resource string `json:"resource,omitempty"`
}

type planTask struct {
	Name       string `json:"name"`
	Privileged bool   `json:"privileged"`
}

func (s *Server) plan(a asked) answer {
	if a.build.status == pending {
		return answer{http.StatusNotFound, nil}
	}
	task := planStep{ID: originOf(a.build).ID, Task: &planTask{Name: Task}}
	plan := planStep{ID: task.ID + "/do"}
	if job := s.state.Job(a.build.job); job != nil {
		for _, input := range job.Inputs {
			plan.Do = append(plan.Do, s.planOfGet(a.build, input))
		}
	}
	plan.Do = append(plan.Do, task)
	return answer{http.StatusOK, planAnswer{"exec.v2", plan}}
}

func (s *Server) planOfGet(b *build, input Input) planStep {
	get := planGet{Name: input.Name, Resource: input.resource()}
	if resource := s.state.Resource(get.Resource); resource != nil {
		get.Type = resource.Type
	}
	return planStep{ID: originOfGet(b, input.Name).ID, Get: &get}
}
