package concourse

import (
	"context"
	"net/http"
)

// Tasks names the tasks of a build by the Origin.ID of their events. The plan
// nests steps in many ways (atc/public_plan.go); a task is whatever has an id
// and a task with a name, wherever it stands. A build that is pending has none
// yet.
func (c *Client) Tasks(ctx context.Context, id int) (map[string]string, error) {
	var plan any
	if err := c.ask(ctx, build(http.MethodGet, id, "plan"), &plan); err != nil {
		return nil, err
	}
	names := map[string]string{}
	tasks(plan, names)
	return names, nil
}

// tasks puts the tasks below a part of a plan into names.
func tasks(part any, names map[string]string) {
	switch part := part.(type) {
	case []any:
		for _, below := range part {
			tasks(below, names)
		}
	case map[string]any:
		id, _ := part["id"].(string)
		if task, ok := part["task"].(map[string]any); ok && id != "" {
			if name, ok := task["name"].(string); ok {
				names[id] = name
			}
		}
		for _, below := range part {
			tasks(below, names)
		}
	}
}
