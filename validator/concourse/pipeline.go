package concourse

import (
	"context"
	"errors"
	"net/http"
)

// Info is what Concourse tells everybody of itself.
type Info struct {
	Version       string `json:"version"`
	WorkerVersion string `json:"worker_version"`
	ClusterName   string `json:"cluster_name"`
}

// Pipeline is the state of a pipeline.
type Pipeline struct {
	ID       int    `json:"id"`
	Name     string `json:"name"`
	Team     string `json:"team_name"`
	Paused   bool   `json:"paused"`
	Public   bool   `json:"public"` // exposed
	Archived bool   `json:"archived"`
}

// Job is a job of the pipeline.
type Job struct {
	ID            int        `json:"id"`
	Name          string     `json:"name"`
	Paused        bool       `json:"paused"`
	Inputs        []JobInput `json:"inputs"`
	NextBuild     *Build     `json:"next_build"`     // pending or running; nil: none
	FinishedBuild *Build     `json:"finished_build"` // the last one; nil: none yet
}

// JobInput is a `get` of a job.
type JobInput struct {
	Name     string   `json:"name"`
	Resource string   `json:"resource"`
	Passed   []string `json:"passed"` // jobs that a version must have come through
	Trigger  bool     `json:"trigger"`
}

// Worker is a machine that builds may run on.
type Worker struct {
	Name     string `json:"name"`
	State    string `json:"state"` // running, stalled, landing, landed, retiring
	Team     string `json:"team"`  // empty: everybody's
	Platform string `json:"platform"`
	Version  string `json:"version"`
}

// Info asks without a login.
func (c *Client) Info(ctx context.Context) (Info, error) {
	var info Info
	q := question{method: http.MethodGet, path: "/info", anonymous: true}
	if err := c.ask(ctx, q, &info); err != nil {
		return Info{}, err
	}
	if info.Version == "" {
		return info, &StatusError{What: q.what(), Status: http.StatusOK, Problem: "the answer names no version"}
	}
	return info, nil
}

// Pipeline reads the pipeline with the login.
func (c *Client) Pipeline(ctx context.Context) (Pipeline, error) {
	var pipeline Pipeline
	return pipeline, c.ask(ctx, c.of(http.MethodGet), &pipeline)
}

// Exposed says whether everybody may read the pipeline's jobs: it asks without
// a login.
func (c *Client) Exposed(ctx context.Context) (bool, error) {
	q := c.of(http.MethodGet, "jobs")
	q.anonymous = true
	var jobs []Job
	err := c.ask(ctx, q, &jobs)
	if errors.Is(err, ErrDenied) {
		return false, nil
	}
	return err == nil, err
}

// Jobs are those of the pipeline, in its own order.
func (c *Client) Jobs(ctx context.Context) ([]Job, error) {
	var jobs []Job
	err := c.ask(ctx, c.of(http.MethodGet, "jobs"), &jobs)
	return jobs, err
}

// Workers are those that the team's builds may use.
func (c *Client) Workers(ctx context.Context) ([]Worker, error) {
	var all, usable []Worker
	if err := c.ask(ctx, question{method: http.MethodGet, path: "/workers"}, &all); err != nil {
		return nil, err
	}
	for _, worker := range all {
		if worker.Team == "" || worker.Team == c.access.Team {
			usable = append(usable, worker)
		}
	}
	return usable, nil
}

// SetPaused pauses the pipeline or lets it go on. The role of the judge's own
// login need not allow it.
func (c *Client) SetPaused(ctx context.Context, paused bool) error {
	verb := "unpause"
	if paused {
		verb = "pause"
	}
	return c.ask(ctx, c.of(http.MethodPut, verb), nil)
}

// MaySet says whether the login could set the pipeline, and changes nothing:
// Concourse asks who may before it looks at what is to be set, and then refuses
// this request three times over: its version of the configuration is no number,
// its type is none that Concourse reads, and its body is no pipeline
// (atc/api/configserver/save.go).
func (c *Client) MaySet(ctx context.Context) (bool, error) {
	q := c.of(http.MethodPut, "config")
	q.header = http.Header{"X-Concourse-Config-Version": {"none"}, "Content-Type": {"text/plain"}}
	q.body = "nothing is to be set"
	err := c.ask(ctx, q, nil)
	var answer *StatusError
	switch {
	case errors.As(err, &answer) && (answer.Status == http.StatusBadRequest || answer.Status == http.StatusUnsupportedMediaType):
		return true, nil
	case errors.Is(err, ErrDenied):
		return false, nil
	case err == nil:
		return true, &StatusError{What: q.what(), Status: http.StatusOK, Problem: "a configuration that is none was taken"}
	}
	return false, err
}
