//go:build tools

// Package tools names the programs that build.sh builds, so that go.mod and
// go.sum hold all that they need. Concourse's releases are no Go modules: this
// is the newest commit that the module proxy has, between 7.5 and 7.6.
package tools

import (
	_ "github.com/concourse/concourse/cmd/concourse"
	_ "github.com/concourse/concourse/fly"
)
