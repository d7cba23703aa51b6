package concourse

import (
	"context"
	"net/http"
)

// Steps name the steps of a build by the Origin.ID of their events.
type Steps struct {
	Tasks map[string]string // the tasks' names
	Gets  map[string]string // the resources that gets fetch, images left out
}

// Steps reads a build's plan. It nests steps in many ways (atc/public_plan.go);
// a task is whatever has an id and a task with a name, wherever it stands, and a
// get whatever has an id and a get with a resource. A build that is pending has
// none yet.
func (c *Client) Steps(ctx context.Context, id int) (Steps, error) {
	var plan any
	if err := c.ask(ctx, build(http.MethodGet, id, "plan"), &plan); err != nil {
		return Steps{}, err
	}
	steps := Steps{Tasks: map[string]string{}, Gets: map[string]string{}}
	steps.add(plan)
	return steps, nil
}

// add notes the steps in a part of a plan.
func (s Steps) add(part any) {
	switch part := part.(type) {
	case []any:
		for _, below := range part {
			s.add(below)
		}
	case map[string]any:
		note(s.Tasks, part, "task", "name")
		note(s.Gets, part, "get", "resource")
		for _, below := range part {
			s.add(below)
		}
	}
}

// note puts a member of a step of a kind into steps, by its id.
func note(steps map[string]string, part map[string]any, kind, member string) {
	id, _ := part["id"].(string)
	step, _ := part[kind].(map[string]any)
	if value, ok := step[member].(string); ok && id != "" {
		steps[id] = value
	}
}
