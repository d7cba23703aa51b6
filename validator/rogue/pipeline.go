package rogue

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"bogops/validator/concourse"
	"bogops/validator/concourse/concoursefake"
	"bogops/validator/nonce"
	"bogops/validator/probe"
	"bogops/validator/redeploy"
)

// pipeline is the Concourse of a rogue, with the judge's way into it. The
// contest began an hour ago. A rogue changes one thing of it, most of them once
// the judge has redeployed: then what is wrong shows in one check alone.
type pipeline struct {
	options concoursefake.Options
	access  concourse.Access
	judge   concourse.Options // the judge's own; the roots are filled in
	broken  func(from, to time.Time, kinds ...string) bool
	given   bool          // the team gave a way in
	mute    bool          // nothing listens
	within  time.Duration // one redeployment may take
	over    chan struct{} // closed: its time is over, whatever within says; nil: never closed
	told    func(redeploy.Step)
	wait    redeploy.Wait
	deploys bool // app-deploy does what it says
	later   func(ctx context.Context, c *running) error
}

// running is the Concourse of a rogue that runs.
type running struct {
	*concoursefake.Server
	way *probe.Concourse
}

func honestPipeline() *pipeline {
	return &pipeline{
		options: concoursefake.Options{State: concoursefake.Normed()},
		access:  concourse.Access{Team: "otters", Pipeline: "bogops", User: "judge", Password: "judge-password"},
		given:   true, within: time.Minute, deploys: true,
		wait: redeploy.Wait{Check: 30 * time.Second, Start: 30 * time.Second, Poll: 20 * time.Millisecond, Events: 100 * time.Millisecond},
	}
}

// start runs the Concourse beside the platform, and has the judge redeploy it
// once.
func (p *pipeline) start(ctx context.Context, s *site, server *Server) error {
	dir, err := os.MkdirTemp("", "rogue-nonces-")
	if err != nil {
		return err
	}
	server.close = append(server.close, func() { os.RemoveAll(dir) })
	nonces, err := nonce.Open(dir, "the seed of the rogues")
	if err != nil {
		return err
	}
	if err := nonces.Prepare(ctx, server.Target.ID); err != nil {
		return err
	}
	p.connect(s, server, nonces)
	if err := p.trust(s); err != nil {
		return err
	}
	fake, err := concoursefake.Start(p.options)
	if err != nil {
		return err
	}
	server.close = append(server.close, func() { fake.Close() })
	if p.mute {
		if err := fake.Close(); err != nil {
			return err
		}
	}
	p.access.URL, p.judge.Roots = fake.URL, s.authority.pool()
	if p.judge.Resolver == nil {
		p.judge.Resolve = fake.Resolve
	}
	way := &probe.Concourse{URL: fake.URL, Broken: p.broken, Secrets: []string{string(p.access.Password)}}
	server.Concourse = way
	if !p.given {
		return nil
	}
	way.Client = concourse.Open(p.access, p.judge)
	line := &redeploy.Line{
		Client: way.Client, Nonces: nonces, Team: server.Target.ID, Target: server.Target,
		Wait: p.wait,
	}
	way.Desk = redeploy.NewDesk(p.timed(line.Deploy), redeploy.DeskOptions{Every: time.Hour, Within: p.within})
	server.close = append(server.close, way.Desk.Close, way.Close)
	if err := redeployed(ctx, way.Desk); err != nil || p.later == nil {
		return err
	}
	return p.later(ctx, &running{fake, way})
}

// timed ends the time of a redeployment when p.over is closed: after an event,
// since a busy machine gets less far in the same seconds.
func (p *pipeline) timed(deploy redeploy.Deploy) redeploy.Deploy {
	return func(ctx context.Context, nonce string, _ func(redeploy.Step)) redeploy.Proof {
		o := overAt{ctx, make(chan struct{})}
		returned := make(chan struct{})
		var watch sync.WaitGroup
		watch.Go(func() {
			defer close(o.done)
			select {
			case <-p.over:
			case <-ctx.Done():
			case <-returned:
			}
		})
		defer watch.Wait()
		defer close(returned)
		return deploy(o, nonce, p.told)
	}
}

// overAt is a context whose deadline passes when done is closed, unless the one
// before it has ended.
type overAt struct {
	context.Context
	done chan struct{}
}

func (o overAt) Done() <-chan struct{} { return o.done }

func (o overAt) Err() error {
	select {
	case <-o.done:
		return cmp.Or(o.Context.Err(), context.DeadlineExceeded)
	default:
		return nil
	}
}

// connect gives the pipeline the judge's repository, and the platform to deploy.
func (p *pipeline) connect(s *site, server *Server, nonces *nonce.Host) {
	if r := p.options.State.Resource("nonce"); r != nil {
		r.Check = func(context.Context) ([]map[string]string, error) {
			_, revision := nonces.Current(server.Target.ID)
			return []map[string]string{{"ref": revision}}, nil
		}
	}
	if p.deploys {
		p.options.Deploy = func(context.Context, concoursefake.Run) concoursefake.Result {
			fresh, _ := nonces.Current(server.Target.ID)
			s.platform.deployed("5ea0773+" + fresh)
			return concoursefake.Result{}
		}
	}
}

// trust gives Concourse a certificate of the same authority as the platform's,
// unless it has one of its own.
func (p *pipeline) trust(s *site) error {
	if p.options.Certificate != nil {
		return nil
	}
	certificate, err := s.authority.leaf(nil, nil, concoursefake.Host)
	p.options.Certificate = &certificate
	return err
}

// redeployed waits until the desk has an outcome, good or bad.
func redeployed(ctx context.Context, desk *redeploy.Desk) error {
	desk.Begin()
	bound := time.NewTimer(2 * desk.Within())
	defer bound.Stop()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		if _, ended := desk.Latest(); ended {
			return nil
		}
		select {
		case <-ticker.C:
		case <-bound.C:
			return errors.New("the judge's redeployment did not end")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// deployed has the platform describe another version.
func (p *platform) deployed(version string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version = version
}

func (p *platform) running() string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.version
}

// onPipeline changes the Concourse before it runs.
func onPipeline(change func(*pipeline)) func(*site) error {
	return func(s *site) error {
		change(s.pipeline)
		return nil
	}
}

// bent changes the state that Concourse begins with.
func bent(change func(*concoursefake.State)) func(*site) error {
	return onPipeline(func(p *pipeline) { change(p.options.State) })
}

// later changes the state once the judge has redeployed.
func later(change func(*concoursefake.State)) func(*site) error {
	return onPipeline(func(p *pipeline) {
		p.later = func(_ context.Context, c *running) error {
			c.Bend(change)
			return nil
		}
	})
}

// answers stands in front of Concourse.
func answers(wrap func(http.Handler) http.Handler) func(*site) error {
	return onPipeline(func(p *pipeline) { p.options.Wrap = wrap })
}

// presents gives Concourse another certificate.
func presents(issue func(*site) (tls.Certificate, error)) func(*site) error {
	return func(s *site) error {
		certificate, err := issue(s)
		s.pipeline.options.Certificate = &certificate
		return err
	}
}

func selfSigned(host string) (tls.Certificate, error) {
	leaf, key, err := sign(leafTemplate(host), nil, nil, nil)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("a certificate signed by itself: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}, nil
}
