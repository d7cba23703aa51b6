package concourse

import (
	"context"
	"errors"
	"io"
)

// Options describe a Concourse to start.
type Options struct {
	// Dir is where everything of it goes; it must be missing or empty.
	Dir string
	// Bin is the directory with the programs concourse, fly and init. "" is what
	// build/build.sh of the source tree around the working directory makes: some
	// minutes the first time, nothing afterwards.
	Bin string
	// Types is the directory of the base resource types. "" is what
	// types/build.sh of the source tree makes, cached likewise.
	Types string
	// TLS makes Concourse itself serve HTTPS; nil is HTTP.
	TLS *TLS
	// Fast gives up what only matters beyond a crash of the machine: PostgreSQL
	// does not wait for the disk.
	Fast bool
	// Keep leaves it there when the process ends. Otherwise it is stopped then,
	// however the process ends.
	Keep bool
	// Log gets what the scripts say on their way; nil is nowhere.
	Log io.Writer
}

// TLS says how Concourse comes to its certificate: from files, or by ACME
// (RFC 8555) from an authority. The port inside is 443.
type TLS struct {
	// Name is the host of the external URL, https://Name.
	Name string
	// Certificate and Key are PEM files; both or neither.
	Certificate, Key string
	// Directory is the URL of an ACME directory on the host's loopback, and
	// DirectoryRoot the PEM file with the root of its own HTTPS certificate.
	// The authority has to find Address under Name on port 443. Concourse
	// orders on the first handshake.
	Directory, DirectoryRoot string
}

// Login is a local user of Concourse.
type Login struct{ User, Password string }

// Start makes a Concourse and returns when it serves: the API answers, a worker
// runs, a check and a task can run, and what is scheduled is looked at every
// second. Whoever starts one stops it; where it could not be started nothing of
// it is left. It wants root.
func Start(ctx context.Context, o Options) (*Server, error) {
	return nil, errors.New("concourse: Start is not there yet")
}
