package main

import (
	"errors"
	"fmt"
	"net/url"

	"bogops/validator/concourse"
	"bogops/validator/contest"
	"bogops/validator/probe"
	"bogops/validator/target"
)

// concourseFlags is the `concourse` section of a contest file, for one probe.
type concourseFlags struct {
	URL      string `placeholder:"URL" help:"Where Concourse is."`
	Team     string `help:"Team in Concourse."`
	Pipeline string `default:"bogops" help:"Its pipeline."`
	User     string `help:"Login with the role pipeline-operator."`
	Password string `help:"Its password: env:NAME or file:PATH."`
}

func (f concourseFlags) given() bool { return f.URL != "" }

// open returns the way that the flags give, and one into nowhere without them.
func (f concourseFlags) open(env *environment, t target.Target) (*probe.Concourse, error) {
	if !f.given() {
		if f.Team+f.User+f.Password != "" {
			return nil, errors.New("a flag of Concourse stands without --concourse-url")
		}
		return probe.OpenConcourse(nil, concourse.Options{}), nil
	}
	at, err := url.Parse(f.URL)
	if err != nil || !isSite(at) {
		return nil, fmt.Errorf("--concourse-url %q: want https://NAME, without a path", f.URL)
	}
	if f.Team == "" || f.User == "" || f.Password == "" {
		return nil, errors.New("--concourse-url wants --concourse-team, --concourse-user and --concourse-password beside it")
	}
	password, err := resolved(env, "--concourse-password", f.Password)
	if err != nil {
		return nil, err
	}
	if password == f.Password {
		return nil, errors.New("--concourse-password: want env:NAME or file:PATH: secrets do not stand on a command line")
	}
	section := &contest.Concourse{URL: f.URL, Team: f.Team, Pipeline: f.Pipeline, User: f.User, Password: contest.Secret(password)}
	return probe.OpenConcourse(section, concourse.Options{Roots: t.Roots, Resolve: t.Resolve}), nil
}
