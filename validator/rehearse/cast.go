package rehearse

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"bogops/infra/acme"
	"bogops/infra/ceph"
	"bogops/infra/fleet"
	judge "bogops/validator/ceph"
	"bogops/validator/contest"
	"bogops/validator/day"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/redeploy"
)

// A member is one platform of the rehearsal.
type member struct {
	team     contest.Team
	handicap time.Duration // the documented way in which it is slower
	arrives  time.Duration // after the start of the day

	host      string
	tls, http *reservation
	platform  *platform
	cluster   *ceph.Cluster  // nil: the platform keeps its objects in files
	way       *judge.Cluster // the judge's way into it

	clusterLog *os.File

	workshop workshop         // what it develops with, where Concourse is in play
	pipeline *probe.Concourse // the judge's way into its Concourse; nil: not in play
	line     redeploy.Deploy  // the judge's way from a commit to the platform
}

// cast is everybody on stage: the authority and the three platforms.
type cast struct {
	authority *acme.Server
	members   []*member
	contest   *contest.Contest
	roots     *x509.CertPool
	logs      []*os.File
	withCeph  bool
	forge     *forge // nil: Concourse is not in play
	seed      contest.Secret
}

// assemble starts the authority and prepares every platform without starting
// any: their ports refuse connections, and the wall begins all red. With a
// source, Concourse is in play.
func assemble(ctx context.Context, app, source, work, logs string, withCeph bool) (*cast, error) {
	authority, err := acme.Start(ctx, acme.Options{Located: source != ""})
	if err != nil {
		return nil, fmt.Errorf("start the certificate authority: %w", err)
	}
	c := &cast{authority: authority, roots: x509.NewCertPool(), members: company(), withCeph: withCeph, seed: contest.Secret(randomHex(32))}
	if !c.roots.AppendCertsFromPEM(authority.RootPEM()) {
		return c, errors.New("the authority's root is not a certificate")
	}
	root := filepath.Join(work, "acme-root.pem")
	if err := os.WriteFile(root, authority.ServerRootPEM(), 0o600); err != nil {
		return c, err
	}
	group, starting := errgroup.WithContext(ctx)
	if withCeph {
		group.Go(func() error { return c.raise(starting, work, logs) })
	}
	if source != "" {
		group.Go(func() error { return c.openForge(starting, source, work, logs) })
	}
	if err := group.Wait(); err != nil {
		return c, err
	}
	for _, m := range c.members {
		if err := c.furnish(m, app, work, logs, root); err != nil {
			return c, err
		}
	}
	if c.forge != nil {
		return c, c.forge.admit(ctx, c)
	}
	return c, nil
}

// company lists the platforms. The Pandas' app answers each object request
// later than it could: that is how the two teams differ in the load.
func company() []*member {
	return []*member{
		{team: contest.Team{ID: "loutres", Name: "Loutres", Full: "The Cuddling Sea Otter Pups", Colour: "blue", Shape: "circle", Mascot: "otter"}, arrives: 3 * time.Second},
		{team: contest.Team{ID: "pandas", Name: "Pandas", Full: "The Laughing Red Panda Cubs", Colour: "orange", Shape: "diamond", Mascot: "panda"}, arrives: 10 * time.Second, handicap: 60 * time.Millisecond},
		{team: contest.Team{ID: "temoin", Name: "Témoin", Full: "The witness", Colour: "grey", Shape: "square", Mascot: "lighthouse", Witness: true}},
	}
}

// contestID is what the rehearsed platforms consent to be loaded for.
const contestID = "rehearsal"

// furnish gives a platform its ports, directories, keys and command line.
func (c *cast) furnish(m *member, app, work, logs, acmeRoot string) error {
	var err error
	m.host = m.team.ID + ".example.net"
	if m.tls, err = reserve(); err != nil {
		return err
	}
	if m.http, err = reserve(); err != nil {
		return err
	}
	dir := filepath.Join(work, m.team.ID)
	for _, sub := range []string{"objects", "certificates"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	fleetKey := filepath.Join(dir, "fleet.key")
	if err := os.WriteFile(fleetKey, []byte(randomHex(32)), 0o600); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(logs, m.team.ID+".log"))
	if err != nil {
		return err
	}
	c.logs = append(c.logs, log)
	m.team.Token, m.team.ReaderToken = contest.Secret(randomHex(16)), contest.Secret(randomHex(16))
	m.team.URL = "https://" + m.host
	m.team.Resolve = map[string]string{m.host: m.tls.address}
	m.team.HTTPPort = m.http.port()
	m.platform = &platform{
		Options: fleet.Options{
			ID: m.team.ID, Dir: filepath.Join(dir, "fleet"), App: app, Size: 2, Log: log, ServerName: m.host,
			Env: append(os.Environ(), "BOGOPS_JUDGE_TOKEN="+string(m.team.Token), "BOGOPS_READER_TOKEN="+string(m.team.ReaderToken)),
		},
		args: append(m.storeArgs(dir),
			"--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
			"--certs", "acme", "--names", m.host, "--acme-directory", c.authority.Directory(), "--acme-root", acmeRoot,
			"--acme-cache", filepath.Join(dir, "certificates"), "--fleet-key-file", fleetKey,
			"--team", m.team.ID, "--contest", contestID, "--zone", "local-a", "--handicap", m.handicap.String(), "--drain", "10s", "--drain-delay", "2s",
		),
	}
	c.authority.Route(m.host, m.tls.address, m.http.address)
	return nil
}

// enter opens a platform's ports and starts it, and waits until it is whole.
// Where Concourse is in play the machines are empty until the team's pipeline
// fills them.
func (c *cast) enter(ctx context.Context, m *member, say func(string, ...any)) error {
	if c.forge != nil {
		m.platform.App = ""
	}
	if err := m.platform.start(ctx, "v1+rehearsal", m.tls, m.http); err != nil {
		return err
	}
	if c.forge != nil {
		if err := c.forge.setPipeline(ctx, m, c.authority.RootPEM()); err != nil {
			return err
		}
		if err := m.develop(ctx, c.forge, say); err != nil {
			return err
		}
	}
	waiting, cancel := context.WithTimeout(ctx, wholeWithin)
	defer cancel()
	if err := m.platform.group.AwaitWhole(waiting); err != nil {
		return fmt.Errorf("%s: %w: see its log", m.team.ID, err)
	}
	return nil
}

// wholeWithin bounds how long a platform may take to get its certificate.
const wholeWithin = 40 * time.Second

// arrive lets the teams start their platforms at their moments of the day.
func (c *cast) arrive(ctx context.Context, say func(string, ...any)) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, m := range c.members {
		if m.team.Witness {
			continue
		}
		timer := time.NewTimer(time.Until(c.contest.Start.Add(m.arrives)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return group.Wait()
		}
		say("%s start their platform", m.team.Name)
		group.Go(func() error { return c.enter(ctx, m, say) })
	}
	return group.Wait()
}

// teams is the cast as the judge sees it.
func (c *cast) teams(entries func() []journal.Entry) []day.Team {
	var list []day.Team
	for _, m := range c.members {
		list = append(list, c.judged(m, entries))
	}
	return list
}

func (c *cast) member(id string) *member {
	for _, m := range c.members {
		if m.team.ID == id {
			return m
		}
	}
	return nil
}

// leave stops everything, in any state. The error tells what did not go.
func (c *cast) leave() error {
	var err error
	for _, m := range c.members {
		if m.platform != nil {
			err = errors.Join(err, m.platform.stop())
			m.tls.release()
			m.http.release()
		}
	}
	err = errors.Join(err, c.forge.close(), c.raze())
	if c.authority != nil {
		_ = c.authority.Close()
	}
	for _, log := range c.logs {
		_ = log.Close()
	}
	return err
}
