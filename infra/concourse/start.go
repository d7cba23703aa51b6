package concourse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
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
	// types/build.sh of the source tree makes.
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
	// The authority has to find Address under Name on port 443, and to name
	// orders that it finalized (infra/acme: Located). Concourse orders on the
	// first handshake.
	Directory, DirectoryRoot string
}

// Login is a local user of Concourse.
type Login struct{ User, Password string }

// Start makes a Concourse and returns when it serves, which takes some five
// seconds on an idle machine of two cores: the API answers, a worker runs, a
// task has run, and what is scheduled is looked at every second. Whoever starts
// one stops it; where it could not be started nothing of it is left. It wants
// root.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Dir == "" {
		return nil, errors.New("concourse: Options.Dir is empty, wanted a directory to make Concourse in")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, log: o.Log}
	if s.log == nil {
		s.log = io.Discard
	}
	if there, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(there) > 0 {
		return nil, fmt.Errorf("concourse: %s holds something already, wanted a directory that is empty or not there", dir)
	}
	if s.environment, err = o.variables(ctx, dir); err != nil {
		return nil, err
	}
	if err := unpack(dir); err != nil {
		return nil, err
	}
	if !o.Keep {
		if s.guard, err = s.watch(); err != nil {
			return nil, err
		}
	}
	if _, err = s.run(ctx, "", "start"); err == nil {
		err = s.open()
	}
	if err != nil {
		s.Stop() // what went wrong first is what is worth knowing
		return nil, err
	}
	return s, nil
}

// variables are what ci.sh reads at the first start.
func (o Options) variables(ctx context.Context, dir string) ([]string, error) {
	bin, types, err := o.parts(ctx, filepath.Join(dir, "types"))
	if err != nil {
		return nil, err
	}
	variables := []string{"BOGOPS_CONCOURSE_BIN=" + bin, "BOGOPS_CONCOURSE_TYPES=" + types}
	fast := ""
	if o.Fast {
		fast = "1"
	}
	t := TLS{}
	if o.TLS != nil {
		t = *o.TLS
	}
	return append(variables, "BOGOPS_CONCOURSE_FAST="+fast, "BOGOPS_CONCOURSE_NAME="+t.Name,
		"BOGOPS_CONCOURSE_CERT="+t.Certificate, "BOGOPS_CONCOURSE_KEY="+t.Key,
		"BOGOPS_CONCOURSE_ACME="+t.Directory, "BOGOPS_CONCOURSE_ACME_ROOT="+t.DirectoryRoot), nil
}

// A guard is a process that destroys Concourse when this one is gone: it waits
// for the end of a pipe, which the kernel closes for the dead.
type guard struct {
	process *exec.Cmd
	pipe    io.Closer
}

func (s *Server) watch() (*guard, error) {
	process := s.script(context.Background(), "guard")
	pipe, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("concourse: guard of %s: %w", s.dir, err)
	}
	return &guard{process, pipe}, nil
}

// end lets the guard go after Concourse has been destroyed.
func (g *guard) end() error {
	if g == nil || g.process.ProcessState != nil {
		return nil
	}
	g.pipe.Close()
	return g.process.Wait()
}
