package main

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"bogops/validator/concourse"
	"bogops/validator/contest"
	"bogops/validator/day"
	"bogops/validator/nonce"
	"bogops/validator/redeploy"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// openNonces is the repositories of all teams, in the day's directory: each is
// there from the start, since the teams set up their pipelines before anything
// is redeployed.
func openNonces(ctx context.Context, dir string, checked *contest.Contest) (*nonce.Host, error) {
	nonces, err := nonce.Open(filepath.Join(dir, "nonce"), string(checked.Seed))
	if err != nil {
		return nil, err
	}
	for _, team := range checked.Teams {
		if err := nonces.Prepare(ctx, team.ID); err != nil {
			return nil, err
		}
	}
	return nonces, nil
}

// beside serves the repositories on the wall's server. The wall itself has
// nothing below their prefix.
func beside(wall http.Handler, nonces *nonce.Host) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Not by a ServeMux: it cleans paths, and redirects to what it made of them.
		if strings.HasPrefix(r.URL.Path, nonce.Prefix) {
			nonces.ServeHTTP(w, r)
			return
		}
		wall.ServeHTTP(w, r)
	})
}

// line is a team's way from a commit to a running version; nil where the team
// gave no way into its Concourse.
func line(checked *contest.Contest, team contest.Team, t target.Target, client *concourse.Client, nonces *nonce.Host) *redeploy.Line {
	if client == nil {
		return nil
	}
	return &redeploy.Line{
		Client: client, Nonces: nonces, Team: team.ID, Target: t, Public: judgeItself(checked, t.Roots), Now: time.Now,
		Wait: redeploy.Wait{Check: scaled(checked, redeploy.MostPending), Start: scaled(checked, redeploy.MostPending)},
	}
}

// unshown is the redeployment of a team that gave no way into its Concourse. It
// fails, as one does whose login is refused: who gives nothing must not be better
// off.
func unshown(_ context.Context, nonce string, _ func(redeploy.Step)) redeploy.Proof {
	return redeploy.Proof{At: time.Now(), Nonce: nonce, Err: verdict.New(verdict.Unproven,
		"Concourse is not shown", "no way into it was given", "its URL and a login (contract, section 7)")}
}

// scaled is a duration of the real day in this contest's time.
func scaled(checked *contest.Contest, real time.Duration) time.Duration {
	return time.Duration(float64(real) * checked.Judge.TimeScale)
}

// judgeItself is the judge's own server as the teams' Concourse reaches it.
func judgeItself(checked *contest.Contest, roots *x509.CertPool) target.Target {
	at, err := url.Parse(checked.Judge.URL)
	if err != nil || checked.Judge.URL == "" {
		return target.Target{}
	}
	return target.Target{URL: at, Roots: roots}
}

// Between two redeployments of a team outside of campaigns, on the real day: it
// is proven now and then, and after a failure sooner, so that who has repaired
// a pipeline need not wait long to see it.
const (
	proveEvery = 20 * time.Minute
	proveAgain = 3 * time.Minute
)

// desk redeploys by l between the campaigns. The caller closes it.
func desk(checked *contest.Contest, l *redeploy.Line) *redeploy.Desk {
	return redeploy.NewDesk(l.Deploy, redeploy.DeskOptions{
		Every: scaled(checked, proveEvery), Again: scaled(checked, proveAgain), Within: scaled(checked, day.RedeployWithin), Now: time.Now,
	})
}

// undeployable says what keeps the judge from redeploying in this contest, and
// nothing where it can: an organiser must know before the day.
func undeployable(checked *contest.Contest) string {
	planned := false
	for _, c := range checked.Campaigns {
		planned = planned || len(c.Redeploys) > 0
	}
	for _, b := range checked.Bricks {
		planned = planned || b.ID == "concourse" && b.InPlay
	}
	if !planned {
		return ""
	}
	var without []string
	for _, team := range checked.Teams {
		if team.Concourse == nil {
			without = append(without, team.ID)
		}
	}
	var says []string
	if len(without) > 0 {
		says = append(says, "Not to be redeployed, since the contest file gives no way into their Concourse: "+strings.Join(without, ", "))
	}
	if checked.Judge.URL == "" && len(without) < len(checked.Teams) {
		says = append(says, "The contest file has no judge.url: no team can be told where its repository is, and where its Concourse does not find a commit nobody is to blame")
	}
	return strings.Join(says, "\n")
}
