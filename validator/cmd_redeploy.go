package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"bogops/validator/concourse"
	"bogops/validator/contest"
	"bogops/validator/day"
	"bogops/validator/nonce"
	"bogops/validator/redeploy"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// redeployCmd is one unscored redeployment of one team: what an organiser runs
// in the morning to see that the way from a commit to live is open.
//
// It commits into the directory that serve uses. Where serve runs, serve hands
// the commit out; where nothing listens at --listen, this command does, for as
// long as it runs.
type redeployCmd struct {
	Contest string        `required:"" placeholder:"FILE" help:"The contest file."`
	Team    string        `required:"" placeholder:"ID" help:"The team."`
	Job     string        `default:"app-deploy" help:"The job that redeploys."`
	Dir     string        `default:"contest" help:"Directory of the judge, as serve has it: the nonce repositories lie in it."`
	Listen  string        `default:"127.0.0.1:8080" help:"Where serve listens. The repositories are served there meanwhile when serve does not run."`
	Within  time.Duration `default:"15m" help:"How long it may take from the commit to live."`
	JSON    bool          `help:"Print the outcome as JSON."`
}

// redeployed is what the command prints.
type redeployed struct {
	Team    string           `json:"team"`
	Job     string           `json:"job"`
	Status  verdict.Status   `json:"status"`
	Message string           `json:"message"`
	Outcome redeploy.Outcome `json:"outcome"`
	Version string           `json:"version,omitempty"`
	Live    int              `json:"live"`
	Of      int              `json:"of"`
	Seconds float64          `json:"seconds,omitempty"` // from the trigger to live
	Steps   []redeploy.Step  `json:"steps"`
}

func (c redeployCmd) Run(env *environment) error {
	l, close, err := c.line(env)
	if err != nil {
		return err
	}
	defer close()
	stop, err := c.serve(env.ctx, l)
	if err != nil {
		return err
	}
	defer stop()
	result, err := c.redeploy(env, l)
	if c.JSON {
		if err := writeJSON(env, result); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(env.stdout, result.Message)
	}
	if code := redeployExit(err); code != exitPass {
		return exitError{code: code}
	}
	return nil
}

// line opens the team's way; close closes its connections.
func (c redeployCmd) line(env *environment) (l *redeploy.Line, close func(), err error) {
	checked, err := contest.Load(c.Contest, env.getenv)
	if err != nil {
		return nil, nil, usage(err)
	}
	roots, err := trusted(checked.Trust)
	if err != nil {
		return nil, nil, usage(err)
	}
	if c.Within <= 0 {
		return nil, nil, usage(fmt.Errorf("--within %s: want a time such as 15m", c.Within))
	}
	i := slices.IndexFunc(checked.Teams, func(t contest.Team) bool { return t.ID == c.Team })
	if i < 0 {
		return nil, nil, usage(fmt.Errorf("--team %s: %s has %s", c.Team, c.Contest, strings.Join(ids(checked.Teams), ", ")))
	}
	team := checked.Teams[i]
	if team.Concourse == nil {
		return nil, nil, usage(fmt.Errorf("--team %s: %s gives no way into its Concourse, want teams[%d].concourse", c.Team, c.Contest, i))
	}
	nonces, err := openNonces(env.ctx, c.Dir, checked)
	if err != nil {
		return nil, nil, exitError{exitJudge, err}
	}
	s := team.Concourse
	client := concourse.Open(concourse.Access{
		URL: s.URL, Team: s.Team, Pipeline: s.Pipeline, User: s.User, Password: s.Password, Token: s.Token,
	}, concourse.Options{Roots: roots, Resolve: team.Resolve, Now: time.Now})
	l = line(checked, team, day.NewTarget(team, checked, roots), client, nonces)
	l.Job = c.Job
	return l, client.Close, nil
}

func ids(teams []contest.Team) []string {
	var all []string
	for _, t := range teams {
		all = append(all, t.ID)
	}
	return all
}

// serve sees to it that the repositories are served at --listen, by serve or by
// this command until stop is called.
func (c redeployCmd) serve(ctx context.Context, l *redeploy.Line) (stop func(), err error) {
	listener, err := net.Listen("tcp", c.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err := c.served(ctx, l); err != nil {
			return nil, exitError{exitJudge, err}
		}
		return func() {}, nil
	}
	if err != nil {
		return nil, usage(fmt.Errorf("--listen %s: %w", c.Listen, err))
	}
	server := &http.Server{Handler: beside(http.NotFoundHandler(), l.Nonces), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // it ends by being closed
	}()
	return func() {
		_ = server.Close()
		<-ended
	}, nil
}

// served asks what listens already whether it hands out these repositories.
func (c redeployCmd) served(ctx context.Context, l *redeploy.Line) error {
	client := target.NewClient(target.Target{URL: &url.URL{Scheme: "http", Host: c.Listen}})
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	reply, err := client.Do(ctx, target.Request{Method: http.MethodGet, Path: l.Nonces.Path(l.Team) + "/info/refs"})
	_, revision := l.Nonces.Current(l.Team)
	if err != nil || revision == "" || !strings.HasPrefix(string(reply.Body), revision) {
		return fmt.Errorf("--listen %s: something listens there that does not serve the repositories in %s: want the --dir of the serve that runs, or another --listen that %s leads to", c.Listen, c.Dir, nonce.Prefix)
	}
	return nil
}

// redeploy runs the redeployment and tells its steps as they come.
func (c redeployCmd) redeploy(env *environment, l *redeploy.Line) (redeployed, error) {
	ctx, cancel := context.WithTimeout(env.ctx, c.Within)
	defer cancel()
	result := redeployed{Team: c.Team, Job: c.Job}
	told := func(s redeploy.Step) {
		result.Steps = append(result.Steps, s)
		fmt.Fprintf(env.stderr, "%s  %-9s %s\n", s.At.Format(time.TimeOnly), s.Kind, s.Detail)
	}
	done, err := l.Turn(ctx)
	if err == nil {
		defer done()
		result.Outcome, err = l.Run(ctx, rand.Text(), told)
	}
	if err == nil {
		proof := l.AwaitLive(ctx, result.Outcome, told)
		result.Version, result.Live, result.Of, result.Seconds = proof.Version, proof.Live, proof.Of, proof.Took.Seconds()
		err = proof.Err
	}
	result.Status = verdict.Of(err)
	if err != nil {
		result.Message = fmt.Sprintf("%s: %s: %v", c.Team, result.Status, err)
		return result, err
	}
	result.Message = fmt.Sprintf("%s: live: %s on %d of %d fresh connections, %.0f s after the trigger", c.Team, result.Version, result.Live, result.Of, result.Seconds)
	return result, nil
}

// redeployExit is what the command exits with. As in a campaign, what counts for
// a team fails it.
func redeployExit(err error) int {
	status := verdict.Of(err)
	_, counts := status.Share()
	switch {
	case status == verdict.OK:
		return exitPass
	case counts:
		return exitTeamFails
	case status == verdict.JudgeError:
		return exitJudge
	}
	return exitInconclusive
}
