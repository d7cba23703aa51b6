package main

import (
	"errors"
	"fmt"
	"strings"

	"bogops/validator/ceph"
	"bogops/validator/concourse"
	"bogops/validator/contest"
	"bogops/validator/day"
	"bogops/validator/probe"
	"bogops/validator/target"
)

// subject is one platform with the ways into what stands behind it.
type subject struct {
	target    target.Target
	ceph      *ceph.Cluster
	concourse *probe.Concourse
	with      probe.Env // what the contest says of checking; zero: nothing
}

func (s subject) close() {
	s.ceph.Close()
	s.concourse.Close()
}

// subject is what the flags name: a team of a contest file, or a URL.
func (c probeCmd) subject(env *environment) (subject, error) {
	if c.File != "" || c.Team != "" {
		return c.ofTeam(env)
	}
	if c.URL == "" {
		return subject{}, errors.New("missing flags: --url and --token, or --file and --team")
	}
	t, err := c.target(env)
	if err != nil {
		return subject{}, err
	}
	cluster, err := c.Ceph.open(env, t)
	if err != nil {
		return subject{}, err
	}
	pipeline, err := c.Concourse.open(env, t)
	return subject{t, cluster, pipeline, probe.Env{Rehearsal: c.CA != ""}}, err
}

// ofTeam takes all from the team's section, so that nothing of it is spelled
// twice.
func (c probeCmd) ofTeam(env *environment) (subject, error) {
	if c.File == "" || c.Team == "" {
		return subject{}, errors.New("want --file and --team together")
	}
	if c.URL+c.Token+c.ReaderToken+c.Contest+c.CA != "" || len(c.Resolve) > 0 || c.Ceph.given() || c.Concourse.given() {
		return subject{}, errors.New("want either --file and --team or the flags that say the same, and not both")
	}
	checked, err := contest.Load(c.File, env.getenv)
	if err != nil {
		return subject{}, err
	}
	roots, err := trusted(checked.Trust)
	if err != nil {
		return subject{}, err
	}
	var ids []string
	for _, team := range checked.Teams {
		ids = append(ids, team.ID)
		if team.ID != c.Team {
			continue
		}
		t := day.NewTarget(team, checked, roots)
		if c.Control != "" {
			t.Control = c.Control
		}
		return subject{
			target:    t,
			ceph:      ceph.Open(team.Ceph, ceph.Options{Roots: roots, Resolve: t.Address}),
			concourse: probe.OpenConcourse(team.Concourse, concourse.Options{Roots: roots, Resolve: team.Resolve}),
			with: probe.Env{
				Rehearsal: checked.Trust.RehearsalRoot != "", MinValidity: checked.Trust.MinValidity, TimeScale: checked.Judge.TimeScale,
			},
		}, nil
	}
	return subject{}, fmt.Errorf("--team %s: %s has %s", c.Team, c.File, strings.Join(ids, ", "))
}
