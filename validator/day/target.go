package day

import (
	"crypto/x509"
	"net/url"

	"bogops/validator/contest"
	"bogops/validator/target"
)

// NewTarget is where a team's platform is, by a checked contest file, and
// which roots its chain may end in.
func NewTarget(team contest.Team, c *contest.Contest, roots *x509.CertPool) target.Target {
	at, err := url.Parse(team.URL)
	if err != nil {
		panic("a checked contest file holds URLs that parse: " + err.Error())
	}
	return target.Target{
		ID: team.ID, URL: at, Token: string(team.Token), ReaderToken: string(team.ReaderToken), Contest: c.ID,
		Resolve: team.Resolve, HTTPPort: team.HTTPPort, Roots: roots, Control: c.Judge.Control,
	}
}
