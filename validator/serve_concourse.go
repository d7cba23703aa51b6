package main

import (
	"crypto/x509"
	"time"

	"bogops/validator/chaos"
	"bogops/validator/concourse"
	"bogops/validator/contest"
	"bogops/validator/journal"
	"bogops/validator/probe"
)

// openConcourse is the judge's way into a team's Concourse, on a day whose
// journal is kept. The caller closes it.
func openConcourse(team contest.Team, roots *x509.CertPool, kept *journal.Journal) *probe.Concourse {
	way := probe.OpenConcourse(team.Concourse, concourse.Options{Roots: roots, Resolve: team.Resolve, Now: time.Now})
	way.Broken = chaos.Windows(kept.Entries, team.ID)
	return way
}
