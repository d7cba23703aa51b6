package concourse

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Status is how a build stands (atc/build.go).
type Status string

// The statuses of a build.
const (
	Pending   Status = "pending"
	Started   Status = "started"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"  // a task said no
	Errored   Status = "errored" // Concourse could not run it
	Aborted   Status = "aborted"
)

// Ended says whether a build of this status will change no more.
func (s Status) Ended() bool { return s != Pending && s != Started }

// Build is one run of a job, or of a check.
type Build struct {
	ID         int
	Name       string // 7, or 7.1 for its first rerun
	Job        string // empty: a check
	Resource   string // what a check is of
	Status     Status
	CreatedBy  string    // the user who triggered it; empty: Concourse itself, or not told
	RerunOf    string    // name of the build that this one repeats; empty: none
	Start, End time.Time // zero: not yet
}

// UnmarshalJSON reads a build, or the summary of one.
func (b *Build) UnmarshalJSON(text []byte) error {
	var wire struct {
		ID       int    `json:"id"`
		Name     string `json:"name"`
		Job      string `json:"job_name"`
		Resource string `json:"resource_name"`
		Status   Status `json:"status"`
		By       string `json:"created_by"`
		Start    int64  `json:"start_time"`
		End      int64  `json:"end_time"`
		RerunOf  struct {
			Name string `json:"name"`
		} `json:"rerun_of"`
	}
	if err := json.Unmarshal(text, &wire); err != nil {
		return err
	}
	*b = Build{
		ID: wire.ID, Name: wire.Name, Job: wire.Job, Resource: wire.Resource, Status: wire.Status,
		CreatedBy: wire.By, RerunOf: wire.RerunOf.Name, Start: seconds(wire.Start), End: seconds(wire.End),
	}
	return nil
}

// seconds is a time of the API, which tells whole seconds since 1970, 0 for none.
func seconds(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0).UTC()
}

// Builds are the last limit builds of a job, newest first.
func (c *Client) Builds(ctx context.Context, job string, limit int) ([]Build, error) {
	q := c.of(http.MethodGet, "jobs", job, "builds")
	q.query.Set("limit", strconv.Itoa(limit))
	var builds []Build
	if err := c.ask(ctx, q, &builds); err != nil {
		return nil, err
	}
	return builds[:min(limit, len(builds))], nil
}

// Build reads one build.
func (c *Client) Build(ctx context.Context, id int) (Build, error) {
	var b Build
	return b, c.ask(ctx, build(http.MethodGet, id), &b)
}

// Trigger starts a build of a job. While the pipeline or the job is paused it
// stays pending: see Preparation.
func (c *Client) Trigger(ctx context.Context, job string) (Build, error) {
	var b Build
	return b, c.ask(ctx, c.of(http.MethodPost, "jobs", job, "builds"), &b)
}

// Rerun starts the build of that name anew, with the inputs it had.
func (c *Client) Rerun(ctx context.Context, job, name string) (Build, error) {
	var b Build
	return b, c.ask(ctx, c.of(http.MethodPost, "jobs", job, "builds", name), &b)
}

// Abort asks that a build end. It may run on for a moment.
func (c *Client) Abort(ctx context.Context, id int) error {
	return c.ask(ctx, build(http.MethodPut, id, "abort"), nil)
}

// Preparation is what a pending build waits for. Each member is "blocking",
// "not_blocking" or "unknown".
type Preparation struct {
	PausedPipeline  string            `json:"paused_pipeline"`
	PausedJob       string            `json:"paused_job"`
	MaxRunning      string            `json:"max_running_builds"`
	InputsSatisfied string            `json:"inputs_satisfied"`
	Inputs          map[string]string `json:"inputs"`
	Missing         map[string]string `json:"missing_input_reasons"` // sentences by input
}

const blocking = "blocking"

// Reasons are what keeps the build from starting, as sentences; none: only the
// scheduler, or a worker, is waited for.
func (p Preparation) Reasons() []string {
	var reasons []string
	for _, cause := range []struct{ state, sentence string }{
		{p.PausedPipeline, "the pipeline is paused"},
		{p.PausedJob, "the job is paused"},
		{p.MaxRunning, "as many builds run as may run at once"},
	} {
		if cause.state == blocking {
			reasons = append(reasons, cause.sentence)
		}
	}
	var inputs []string
	for input, state := range p.Inputs {
		if state == blocking {
			inputs = append(inputs, fmt.Sprintf("input %s: %s", input, p.Missing[input]))
		}
	}
	slices.Sort(inputs)
	return append(reasons, inputs...)
}

// Preparation says why a build is pending.
func (c *Client) Preparation(ctx context.Context, id int) (Preparation, error) {
	var p Preparation
	return p, c.ask(ctx, build(http.MethodGet, id, "preparation"), &p)
}

// Input is a version that a build took.
type Input struct {
	Name     string
	Resource string
	Version  map[string]string
}

// Inputs are what a build of a job took. Concourse tells them by the name of
// the step; which resource that names is what the job says today.
func (c *Client) Inputs(ctx context.Context, id int) ([]Input, error) {
	b, err := c.Build(ctx, id)
	if err != nil {
		return nil, err
	}
	var taken struct {
		Inputs []struct {
			Name    string            `json:"name"`
			Version map[string]string `json:"version"`
		} `json:"inputs"`
	}
	if err := c.ask(ctx, build(http.MethodGet, id, "resources"), &taken); err != nil {
		return nil, err
	}
	var job Job
	if err := c.ask(ctx, c.of(http.MethodGet, "jobs", b.Job), &job); err != nil {
		return nil, err
	}
	inputs := make([]Input, len(taken.Inputs))
	for i, input := range taken.Inputs {
		inputs[i] = Input{Name: input.Name, Resource: resourceOf(job, input.Name), Version: input.Version}
	}
	return inputs, nil
}

func resourceOf(job Job, name string) string {
	for _, input := range job.Inputs {
		if input.Name == name {
			return input.Resource
		}
	}
	return name
}

// Version is a version of a resource that Concourse has seen.
type Version struct {
	ID      int               `json:"id"`
	Fields  map[string]string `json:"version"`
	Enabled bool              `json:"enabled"`
}

// Versions are the last limit versions of a resource, newest first.
func (c *Client) Versions(ctx context.Context, resource string, limit int) ([]Version, error) {
	q := c.of(http.MethodGet, "resources", resource, "versions")
	q.query.Set("limit", strconv.Itoa(limit))
	var versions []Version
	if err := c.ask(ctx, q, &versions); err != nil {
		return nil, err
	}
	return versions[:min(limit, len(versions))], nil
}

// Check asks Concourse to look for new versions of a resource now, and returns
// the build that does. Where another check began meanwhile this one may succeed
// at once without having looked, before the other has ended: whoever waits for a
// version looks for it among Versions.
func (c *Client) Check(ctx context.Context, resource string) (Build, error) {
	q := c.of(http.MethodPost, "resources", resource, "check")
	// Without the type the answer is 400.
	q.header = http.Header{"Content-Type": {"application/json"}}
	q.body = `{"from":null}`
	var b Build
	return b, c.ask(ctx, q, &b)
}
