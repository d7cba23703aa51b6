// Package resource is the protocol between Concourse and a resource type: three
// programs that read JSON, write JSON and say the rest on standard error
// (https://concourse-ci.org/implementing-resource-types.html).
package resource

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// Source is what a pipeline says about a resource.
type Source interface {
	// Check says in one sentence what is missing or wrong.
	Check() error
	// Secrets are what must not be seen in a build's output.
	Secrets() []string
}

// Metadata is a pair that a build shows beside a version.
type Metadata struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Result is what a get or a put ends with.
type Result[V any] struct {
	Version  V          `json:"version"`
	Metadata []Metadata `json:"metadata"`
}

// Type is a resource type whose source is S, whose versions are V, and whose
// params are G for get and P for put. What its functions write to log is shown
// in the build, without the secrets of the source.
type Type[S Source, V, G, P any] struct {
	Name string
	// Check returns the versions from the given one on, oldest first, or the
	// newest where none is given.
	Check func(ctx context.Context, log io.Writer, source S, from *V) ([]V, error)
	// In puts a version into dir.
	In func(ctx context.Context, log io.Writer, source S, version V, params G, dir string) (Result[V], error)
	// Out makes a version from what lies in dir. Without it put is refused.
	Out func(ctx context.Context, log io.Writer, source S, params P, dir string) (Result[V], error)
}

// Main is the program behind /opt/resource/{check,in,out}: it goes by the name
// that it is called by. It does not return.
func (t Type[S, V, G, P]) Main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	args := append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...)
	err := t.Run(ctx, args, os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// Run is one call: args are "check", or "in" and "out" with a directory. An
// error has been said on log already.
func (t Type[S, V, G, P]) Run(ctx context.Context, args []string, stdin io.Reader, stdout, log io.Writer) error {
	hidden := &redactor{next: log}
	answer, err := t.answer(ctx, args, stdin, hidden)
	if err == nil {
		err = json.NewEncoder(stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintf(hidden, "%s: %v\n", t.Name, err)
	}
	hidden.flush()
	return err
}

func (t Type[S, V, G, P]) answer(ctx context.Context, args []string, stdin io.Reader, log *redactor) (any, error) {
	verb, dir, err := call(args)
	if err != nil {
		return nil, err
	}
	var asked struct {
		Source, Params json.RawMessage
		Version        *V
	}
	if err := json.NewDecoder(stdin).Decode(&asked); err != nil {
		return nil, fmt.Errorf("%s reads from standard input: %w, wanted an object with source", verb, err)
	}
	var source S
	if err := strict("source", asked.Source, &source); err != nil {
		return nil, err
	}
	log.hide(source.Secrets())
	if err := source.Check(); err != nil {
		return nil, err
	}
	switch verb {
	case "check":
		versions, err := t.Check(ctx, log, source, asked.Version)
		if versions == nil {
			versions = []V{} // null is no list
		}
		return versions, err
	case "in":
		var params G
		if err := strict("params", asked.Params, &params); err != nil {
			return nil, err
		}
		if asked.Version == nil {
			return nil, fmt.Errorf("in got no version")
		}
		return shown(t.In(ctx, log, source, *asked.Version, params, dir))
	default:
		if t.Out == nil {
			return nil, fmt.Errorf("put is not possible with this type")
		}
		var params P
		if err := strict("params", asked.Params, &params); err != nil {
			return nil, err
		}
		return shown(t.Out(ctx, log, source, params, dir))
	}
}

// shown keeps the list of metadata a list.
func shown[V any](r Result[V], err error) (Result[V], error) {
	if r.Metadata == nil {
		r.Metadata = []Metadata{}
	}
	return r, err
}

func call(args []string) (verb, dir string, err error) {
	switch {
	case len(args) == 1 && args[0] == "check":
		return args[0], "", nil
	case len(args) == 2 && (args[0] == "in" || args[0] == "out"):
		dir, err := filepath.Abs(args[1])
		return args[0], dir, err
	}
	return "", "", fmt.Errorf("called as %q, wanted check, in DIR or out DIR", args)
}
