package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"bogops/infra/rollout"
	"bogops/infra/rollout/local"
)

// access is which fleet is meant. The token is never on the command line, which
// every user of the machine can see.
type access struct {
	Fleet string `required:"" env:"FLEET_URL" help:"URL of the fleet's control API. The token is taken from $$FLEET_TOKEN alone."`
}

func (a access) open(w *world) (rollout.Fleet, error) {
	token := strings.TrimSpace(w.getenv("FLEET_TOKEN"))
	if token == "" {
		return nil, usagef("FLEET_TOKEN is not set; want the fleet's token there")
	}
	f, err := local.New(a.Fleet, token, nil)
	if err != nil {
		return nil, usageError{err}
	}
	return f, nil
}

// limits are those of a roll-out.
type limits struct {
	Holder      string        `default:"rollout" env:"FLEET_HOLDER" help:"Who rolls out, such as the build: told to whoever is refused meanwhile."`
	ReadyWithin time.Duration `default:"2m" help:"How long a new instance may take to be ready."`
	Looks       int           `default:"3" help:"How often in a row an instance must be seen ready."`
	Every       time.Duration `default:"500ms" help:"Time between two looks."`
	Lease       time.Duration `default:"30s" help:"How long the fleet waits for a roll-out that is not heard of before it returns to its release."`
	Wait        time.Duration `default:"45s" help:"How long to wait for another roll-out to end, such as one that was killed."`
}

func (l limits) options(w *world) (rollout.Options, error) {
	if l.Looks < 1 || l.Every <= 0 || l.ReadyWithin <= 0 || l.Wait < 0 || l.Lease < time.Second || l.Lease > 10*time.Minute {
		return rollout.Options{}, usagef("--looks %d, --every %s, --ready-within %s, --wait %s, --lease %s given; want at least one look, times over 0s, a lease of 1s to 10m",
			l.Looks, l.Every, l.ReadyWithin, l.Wait, l.Lease)
	}
	return rollout.Options{
		Holder: l.Holder, ReadyWithin: l.ReadyWithin, Looks: l.Looks, Every: l.Every,
		Lease: l.Lease, Wait: l.Wait, Told: w.teller(),
	}, nil
}

// deployCmd uploads a package and rolls it out.
type deployCmd struct {
	access `embed:""`
	limits `embed:""`

	Package string `required:"" type:"existingfile" help:"The package: a tar.gz with app, start.sh, VERSION, sbom.cdx.json and SHA256SUMS."`
	Version string `xor:"version" help:"Version that instances describe themselves as: the package's revision, and perhaps + and a nonce. By default the revision."`
	Nonce   string `xor:"version" help:"Makes the version: the package's revision, +, and this."`
}

func (c deployCmd) Run(w *world) error {
	o, err := c.options(w)
	if err != nil {
		return err
	}
	p, err := rollout.OpenPackage(c.Package)
	if err != nil {
		return usageError{err}
	}
	version, err := c.version(p)
	if err != nil {
		return err
	}
	f, err := c.open(w)
	if err != nil {
		return err
	}
	return rollout.Deploy(w.ctx, f, p, version, o)
}

// version makes the version and refuses one that the package is not.
func (c deployCmd) version(p rollout.Package) (string, error) {
	version := c.Version
	switch {
	case c.Nonce != "":
		version = p.Revision + "+" + c.Nonce
	case version == "":
		version = p.Revision
	}
	if revision, _, _ := strings.Cut(version, "+"); revision != p.Revision {
		return "", usagef("--version %s given; want %s, the revision in the package, and perhaps + and a nonce", version, p.Revision)
	}
	if len(version) > 200 || strings.ContainsFunc(version, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", usagef("version %.80q given; want up to 200 visible ASCII characters: it is sent in a header", version)
	}
	return version, nil
}

// rollbackCmd returns to the release before.
type rollbackCmd struct {
	access `embed:""`
	limits `embed:""`
}

func (c rollbackCmd) Run(w *world) error {
	o, err := c.options(w)
	if err != nil {
		return err
	}
	f, err := c.open(w)
	if err != nil {
		return err
	}
	return rollout.Back(w.ctx, f, o)
}

// statusCmd shows the fleet.
type statusCmd struct {
	access `embed:""`
	JSON   bool `help:"As JSON."`
}

func (c statusCmd) Run(w *world) error {
	f, err := c.open(w)
	if err != nil {
		return err
	}
	s, err := f.Describe(w.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		encoder := json.NewEncoder(w.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(s)
	}
	show(w, s)
	return nil
}

func show(w *world, s rollout.State) {
	fmt.Fprintf(w.stdout, "release   %s\nprevious  %s\nwanted    %d\n", named(s.Release), named(s.Previous), s.Size)
	if s.Holder != "" {
		fmt.Fprintf(w.stdout, "roll-out  by %s\n", s.Holder)
	}
	for _, i := range s.Instances {
		state := i.Phase.String()
		if i.Ready {
			state = "ready"
		}
		fmt.Fprintf(w.stdout, "%s  %s  %s  %s\n", i.ID, state, i.Release.Version, i.Reason)
	}
}

func named(r *rollout.Release) string {
	if r == nil {
		return "none"
	}
	return r.Version + " (package " + r.Package + ")"
}
