package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"bogops/validator/ceph"
	"bogops/validator/evidence"
	"bogops/validator/journal"
	"bogops/validator/probe"
	"bogops/validator/target"
)

// probeCmd checks one platform once: what a pipeline or a team runs.
type probeCmd struct {
	URL         string            `help:"The platform's URL."`
	Token       string            `help:"Bearer token with the role judge: the token, env:NAME or file:PATH."`
	File        string            `type:"path" help:"A contest file, in place of the flags that say where a platform is."`
	Team        string            `help:"The team of that file."`
	ReaderToken string            `help:"Bearer token with the role reader, likewise; without it the roles are not checked."`
	Level       string            `default:"bronze" enum:"bronze,silver,gold" help:"Level of the contract: bronze, silver or gold."`
	Brick       []string          `help:"Only these bricks: ceph, api, tls, concourse. By default api and tls, and the others where a way into them is given."`
	Contest     string            `help:"The contest's id that the platform must consent to; unchecked by default."`
	Control     string            `placeholder:"HOST:PORT" help:"Something that answers while this machine's network works: tells a platform that is down from a network that is."`
	CA          string            `placeholder:"FILE" type:"path" help:"PEM roots to trust in place of the public ones."`
	Resolve     map[string]string `placeholder:"NAME=ADDRESS:PORT" help:"Where a name is, in place of DNS."`
	HTTPPort    int               `name:"http-port" default:"80" help:"Port of plain HTTP."`
	LargeBytes  int64             `name:"large-bytes" default:"52428800" help:"Size of the largest object that is stored, in bytes."`
	Ceph        cephFlags         `embed:"" prefix:"ceph-" envprefix:"CEPH_" group:"The way into its Ceph"`
	Concourse   concourseFlags    `embed:"" prefix:"concourse-" envprefix:"CONCOURSE_" group:"The way into its Concourse"`
	Evidence    string            `placeholder:"DIR" help:"Keep the evidence of every check here."`
	JUnit       string            `name:"junit" placeholder:"FILE" help:"Write the results as JUnit XML too."`
	JSON        bool              `help:"Print the verdicts as JSON."`
}

func (c probeCmd) Run(env *environment) error {
	s, err := c.subject(env)
	if err != nil {
		return usage(err)
	}
	defer s.close()
	checks, err := c.checks(s)
	if err != nil {
		return usage(err)
	}
	t, with := s.target, s.with
	with.Now, with.LargeBytes, with.OneMachine = time.Now, c.LargeBytes, true
	with.Ceph, with.Concourse = map[string]*ceph.Cluster{t.ID: s.ceph}, map[string]*probe.Concourse{t.ID: s.concourse}
	if c.Evidence != "" {
		if with.Evidence, err = evidence.Open(c.Evidence); err != nil {
			return err
		}
	}
	verdicts := runAll(env.ctx, checks, t, with, progress(env.stderr, isTerminal(env.stderr)))
	if env.ctx.Err() != nil {
		return exitError{exitInconclusive, errors.New("probe: interrupted")}
	}
	if err := c.write(env, verdicts); err != nil {
		return err
	}
	if code := probe.ExitCode(verdicts); code != exitPass {
		return exitError{code: code}
	}
	return nil
}

// checks is what was asked for, and refuses what cannot be checked.
func (c probeCmd) checks(s subject) ([]probe.Probe, error) {
	if !slices.Contains(probe.Levels(), c.Level) {
		return nil, fmt.Errorf("--level %s: this judge has checks for %s", c.Level, strings.Join(probe.Levels(), ", "))
	}
	all := probe.All(c.Level)
	for _, brick := range c.Brick {
		if len(probe.Select(all, brick)) == 0 {
			return nil, fmt.Errorf("--brick %s: this judge has checks for ceph, api, tls and concourse", brick)
		}
	}
	if len(c.Brick) > 0 {
		return probe.Select(all, c.Brick...), nil
	}
	bricks := []string{"api", "tls"}
	if s.ceph.Mode != "none" {
		bricks = append(bricks, "ceph")
	}
	if s.concourse.Client != nil {
		bricks = append(bricks, "concourse")
	}
	return probe.Select(all, bricks...), nil
}

// target checks the flags that say where the platform is.
func (c probeCmd) target(env *environment) (target.Target, error) {
	t := target.Target{Contest: c.Contest, Resolve: c.Resolve, HTTPPort: c.HTTPPort, Control: c.Control, Roots: target.MozillaRoots()}
	at, err := url.Parse(c.URL)
	if err != nil || !isSite(at) {
		return t, fmt.Errorf("--url %q: want https://NAME or http://NAME:PORT, without a path", c.URL)
	}
	t.URL, t.ID = at, at.Hostname()
	if err := c.addresses(); err != nil {
		return t, err
	}
	if t.Token, err = secret(env, "--token", c.Token); err != nil {
		return t, err
	}
	if t.Token == "" {
		return t, errors.New("--token is empty: want the token, env:NAME or file:PATH")
	}
	if t.ReaderToken, err = secret(env, "--reader-token", c.ReaderToken); err != nil {
		return t, err
	}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return t, fmt.Errorf("--ca: %w", err)
		}
		if t.Roots = x509.NewCertPool(); !t.Roots.AppendCertsFromPEM(pem) {
			return t, fmt.Errorf("--ca %s: want certificates in PEM", c.CA)
		}
	}
	return t, nil
}

// addresses checks the flags that name one: a mistake there would look like a
// network that is down.
func (c probeCmd) addresses() error {
	if c.Control != "" && !isAddress(c.Control) {
		return fmt.Errorf("--control %q: want HOST:PORT", c.Control)
	}
	for name, address := range c.Resolve {
		if !isAddress(address) {
			return fmt.Errorf("--resolve %s=%s: want NAME=ADDRESS:PORT", name, address)
		}
	}
	if c.HTTPPort < 1 || c.HTTPPort > 65535 {
		return fmt.Errorf("--http-port %d: want a port, 1 to 65535", c.HTTPPort)
	}
	if c.LargeBytes < 1 {
		return fmt.Errorf("--large-bytes %d: want at least 1", c.LargeBytes)
	}
	return nil
}

// isSite says whether u names a whole site: a path would be dropped in silence.
func isSite(u *url.URL) bool {
	if u.Port() != "" && !isAddress(u.Host) {
		return false
	}
	return u.Hostname() != "" && (u.Scheme == "https" || u.Scheme == "http") && u.User == nil &&
		(u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.Fragment == ""
}

func isAddress(address string) bool {
	host, port, err := net.SplitHostPort(address)
	n, notANumber := strconv.ParseUint(port, 10, 16)
	return err == nil && host != "" && notANumber == nil && n > 0
}

// secret is what a flag names, if a header can carry it.
func secret(env *environment, flag, value string) (string, error) {
	found, err := resolved(env, flag, value)
	if err == nil && strings.ContainsFunc(found, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("%s: want one line of visible ASCII without spaces", flag)
	}
	return found, err
}

// resolved follows env:NAME and file:PATH; anything else is the secret itself.
func resolved(env *environment, flag, value string) (string, error) {
	if name, ok := strings.CutPrefix(value, "env:"); ok {
		found := env.getenv(name)
		if found == "" {
			return "", fmt.Errorf("%s: the environment has no %s", flag, name)
		}
		return found, nil
	}
	if path, ok := strings.CutPrefix(value, "file:"); ok {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("%s: %w", flag, err)
		}
		found := strings.TrimSpace(string(content))
		if found == "" {
			return "", fmt.Errorf("%s: %s is empty, want the token in it", flag, path)
		}
		return found, nil
	}
	return value, nil
}

// atOnce is how many checks of one platform run at the same time.
const atOnce = 6

// runAll runs the checks side by side and returns the verdicts in their order.
// It calls done at the start and as each of them ends, one call at a time.
func runAll(ctx context.Context, checks []probe.Probe, t target.Target, with probe.Env, done func(ended, of int)) []journal.Verdict {
	verdicts := make([]journal.Verdict, len(checks))
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	var counting sync.Mutex
	ended := 0
	done(ended, len(checks))
	for i, p := range checks {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			verdicts[i] = probe.Run(ctx, p, t, with)
			counting.Lock()
			defer counting.Unlock()
			ended++
			done(ended, len(checks))
		})
	}
	all.Wait()
	return verdicts
}

// write prints the verdicts in the forms that were asked for.
func (c probeCmd) write(env *environment, verdicts []journal.Verdict) error {
	if c.JUnit != "" {
		file, err := os.Create(c.JUnit)
		if err != nil {
			return fmt.Errorf("--junit: %w", err)
		}
		if err := errors.Join(probe.WriteJUnit(file, verdicts), file.Close()); err != nil {
			return fmt.Errorf("--junit %s: %w", c.JUnit, err)
		}
	}
	if c.JSON {
		return writeJSON(env, verdicts)
	}
	return probe.WriteText(env.stdout, verdicts)
}
