package main

import (
	"errors"
	"time"
)

// access is which fleet is meant. The token is never on the command line, which
// every user of the machine can see.
type access struct {
	Fleet string `required:"" env:"FLEET_URL" help:"URL of the fleet's control API."`
	Token string `hidden:"" required:"" env:"FLEET_TOKEN" help:"The fleet's token; by the environment."`
}

// limits are those of a roll-out.
type limits struct {
	Holder      string        `default:"rollout" env:"FLEET_HOLDER" help:"Who rolls out, such as the build: told to whoever is refused meanwhile."`
	ReadyWithin time.Duration `default:"2m" help:"How long a new instance may take to be ready."`
	Looks       int           `default:"3" help:"How often in a row an instance must be seen ready."`
	Every       time.Duration `default:"500ms" help:"Time between two looks."`
}

// deployCmd uploads a package and rolls it out.
type deployCmd struct {
	access `embed:""`
	limits `embed:""`

	Package string `required:"" type:"existingfile" help:"The package: a tar.gz with app, start.sh, VERSION, sbom.cdx.json and SHA256SUMS."`
	Version string `xor:"version" help:"Version that instances describe themselves as: the package's revision, and perhaps + and a nonce."`
	Nonce   string `xor:"version" help:"Makes the version: the package's revision, +, and this."`
}

func (c deployCmd) Run(w *world) error { return errNotYet }

// rollbackCmd returns to the release before.
type rollbackCmd struct {
	access `embed:""`
	limits `embed:""`
}

func (c rollbackCmd) Run(w *world) error { return errNotYet }

// statusCmd shows the fleet.
type statusCmd struct {
	access `embed:""`
	JSON   bool `help:"As JSON."`
}

func (c statusCmd) Run(w *world) error { return errNotYet }

// planCmd shows the difference between the group file and what runs.
type planCmd struct {
	access `embed:""`
	Group  string `default:"infra/fleet/group.yml" type:"existingfile" help:"The group file."`
}

func (c planCmd) Run(w *world) error { return errNotYet }

// applyCmd makes that difference go away.
type applyCmd struct {
	access `embed:""`
	Group  string        `default:"infra/fleet/group.yml" type:"existingfile" help:"The group file."`
	Within time.Duration `default:"3m" help:"How long the fleet may take; after that it is set back."`
}

func (c applyCmd) Run(w *world) error { return errNotYet }

var errNotYet = errors.New("not there yet")
