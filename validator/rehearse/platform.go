package rehearse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"bogops/infra/fleet"
	"bogops/infra/rollout"
	"bogops/infra/rollout/local"
	"bogops/validator/chaos"
)

// platform is one team's whole platform on this machine: instances of the
// reference app that share a store, behind a balancer, and a group that
// replaces an instance which died. Roll-outs reach it as any fleet, by its
// control API.
type platform struct {
	fleet.Options
	args   []string // of every instance, beside its name and version
	group  *fleet.Group
	server *http.Server // of the control API
	at     string       // host:port of it
	served chan struct{}
	fleet  *local.Fleet
}

// start opens the platform's ports and boots all instances; where no App is
// given none, until the first deployment.
func (p *platform) start(ctx context.Context, version string, tls, http *reservation) error {
	var err error
	if p.TLS, err = tls.open(); err != nil {
		return err
	}
	if p.HTTP, err = http.open(); err != nil {
		return errors.Join(err, p.TLS.Close())
	}
	if p.App != "" {
		p.Version = version
	}
	p.Token = randomHex(16)
	p.Args = func(instance, version string) []string {
		return append(slices.Clone(p.args), "--instance", instance, "--app-version", version)
	}
	if p.group, err = fleet.Start(ctx, p.Options); err != nil {
		return fmt.Errorf("platform %s: %w", p.ID, err)
	}
	return p.control()
}

// control serves the group's control API to this machine.
func (p *platform) control() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.server, p.served = &http.Server{Handler: p.group.Handler(), ReadHeaderTimeout: 10 * time.Second}, make(chan struct{})
	go func() {
		defer close(p.served)
		_ = p.server.Serve(listener) // ends by stop
	}()
	p.at = listener.Addr().String()
	p.fleet, err = local.New("http://"+p.at, p.Token, nil)
	return err
}

// stop ends the group and every instance at once.
func (p *platform) stop() error {
	if p.server != nil {
		_ = p.server.Close()
		<-p.served
	}
	if p.group == nil {
		return nil
	}
	return p.group.Stop()
}

// victim picks the instance that a fault hits: the oldest.
func (p *platform) victim() (id string, err error) {
	id, ok := p.group.Oldest()
	if !ok {
		return "", fmt.Errorf("%w: platform %s has no running instance", chaos.ErrRefused, p.ID)
	}
	return id, nil
}

// readyWithin bounds how long a new instance of a roll-out may take.
const readyWithin = 20 * time.Second

// roll replaces every instance by one of the new version, one at a time. When a
// new one does not get ready in time it goes back to the version before.
func (p *platform) roll(ctx context.Context, version string, readyWithin time.Duration) error {
	return rollout.Roll(ctx, p.fleet, rollout.Release{Package: fleet.BuiltIn, Version: version}, rollout.Options{
		Holder: "rehearsal", ReadyWithin: readyWithin, Every: 200 * time.Millisecond,
		Told: func(line string) { fmt.Fprintf(p.Log, "roll-out: %s\n", line) },
	})
}
