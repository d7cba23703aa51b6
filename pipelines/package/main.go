// Command package makes what a pipeline deploys from the revision that is checked
// out: the app's package, the same program as a container image, and the tools
// that roll it out. The same revision, built by the same Go, gives the same
// bytes.
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"
)

// options are the command line.
type options struct {
	Repo  string            `default:"." type:"existingdir" help:"The checked out repository, with its whole history."`
	Out   string            `default:"dist" type:"path" help:"Directory for what is made."`
	Tags  string            `help:"Build tags of the app: ceph for one that can store in Ceph, which then is linked with librados."`
	Judge bool              `help:"Make the judge's image, and nothing else."`
	Tool  map[string]string `placeholder:"NAME=PACKAGE" help:"A program that goes into the archive of tools; may be repeated."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var o options
	kong.Parse(&o, kong.Name("package"), kong.Description("Make what a pipeline deploys from the revision that is checked out."))
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

// run makes everything, and only then lays it out: what is there is whole. It
// prints one line with the SHA-256 of each file, as sha256sum does.
func run(ctx context.Context, o options, stdout io.Writer) error {
	at, err := readRevision(ctx, o.Repo)
	if err != nil {
		return err
	}
	products, err := at.make(ctx, o)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return fmt.Errorf("make the directory for what is made: %w", err)
	}
	// What an earlier run made would be taken for this revision's.
	earlier, err := filepath.Glob(filepath.Join(o.Out, "bogops-*-[0-9]*.tar*"))
	if err != nil {
		return err
	}
	for _, path := range earlier {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove what an earlier run made: %w", err)
		}
	}
	for _, p := range products {
		if err := os.WriteFile(filepath.Join(o.Out, p.name), p.content, 0o644); err != nil {
			return fmt.Errorf("lay out %s: %w", p.name, err)
		}
		fmt.Fprintf(stdout, "%x  %s\n", sha256.Sum256(p.content), p.name)
	}
	return nil
}

func (r revision) make(ctx context.Context, o options) ([]product, error) {
	if o.Judge {
		judge, err := build(ctx, o.Repo, "./validator", "", r)
		if err != nil {
			return nil, err
		}
		return r.packJudge(judge)
	}
	app, err := build(ctx, o.Repo, "./app", o.Tags, r)
	if err != nil {
		return nil, err
	}
	products, err := r.pack(app)
	if err != nil {
		return nil, err
	}
	tools, err := r.packTools(ctx, o)
	return append(products, tools...), err
}
