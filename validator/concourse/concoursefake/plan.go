package concoursefake

import "net/http"

// Task is the name of the one task of every build.
const Task = "do-the-work"

// planAnswer is what a build does (Concourse's atc/public_plan.go): here its one
// task, in a sequence as behind the gets of a real job.
type planAnswer struct {
	Schema string   `json:"schema"`
	Plan   planStep `json:"plan"`
}

type planStep struct {
	ID   string     `json:"id"`
	Do   []planStep `json:"do,omitempty"`
	Task *planTask  `json:"task,omitempty"`
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
	return answer{http.StatusOK, planAnswer{"exec.v2", planStep{ID: task.ID + "/do", Do: []planStep{task}}}}
}
