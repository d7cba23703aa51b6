package main

import (
	"crypto/x509"
	"maps"
	"time"

	"bogops/validator/ceph"
	"bogops/validator/chaos"
	"bogops/validator/concourse"
	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/target"
)

// openConcourse is the judge's way into a team's Concourse, on a day whose
// journal is kept. The caller closes it.
func openConcourse(team contest.Team, roots *x509.CertPool, kept *journal.Journal) *probe.Concourse {
	way := probe.OpenConcourse(team.Concourse, concourse.Options{Roots: roots, Resolve: team.Resolve, Now: time.Now})
	way.Broken = chaos.Windows(kept.Entries, team.ID)
	return way
}

// faults are those that the judge can do to a team on the real day: those that a
// command of the team does, and a pipeline that its own login pauses. Who takes a
// worker away, or pushes a version that never gets ready, is not agreed yet.
func faults(cluster *ceph.Cluster, pipeline *probe.Concourse, t target.Target) map[string]chaos.Action {
	all := map[string]chaos.Action{}
	maps.Copy(all, chaos.TeamFaults(cluster))
	if pipeline.Client != nil {
		maps.Copy(all, chaos.PipelineFaults(chaos.Pipeline{Client: pipeline.Client, Version: chaos.VersionOf(t)}))
	}
	return all
}
