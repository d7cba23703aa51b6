// Command bench measures the platform beside what the field uses: on one disk,
// in one run, round after round, every figure a ratio. It starts all servers
// itself, on loopback, and stops them. `make bench` calls it; docs/benchmarks.md
// keeps a table that it printed.
//
// Files are never deleted between rounds: on ext4 that makes the creation of
// the next ones several times slower, for the ceiling as for the candidate. So
// every round writes to directories of its own, and all go at the end.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

type settings struct {
	App       string        `default:"bin/app" help:"The app's program."`
	Versitygw string        `help:"The program of versitygw. Empty: it is left out."`
	Out       string        `default:"bench" help:"Where the report, the profiles and the servers' logs go."`
	Disk      string        `help:"Directory on the disk to measure. Empty: one below --out."`
	Rounds    int           `default:"3" help:"How often everything is measured."`
	Time      time.Duration `default:"5s" help:"How long each server is loaded in each round."`
	Only      []string      `help:"Experiments to run: put, get, list, memory, overload; with --ceph store, http, memory. Empty: all."`
	Ceph      bool          `help:"Measure what stores in Ceph, on clusters of its own, in place of what stores on a disk."`
	Objects   int           `default:"100000" help:"How many objects the store of the listing holds."`
	Large     int64         `default:"67108864" help:"Size of the large objects of the experiment on memory, in bytes."`

	Serve string `hidden:"" help:"Be the bare net/http server instead, on this directory."`
	TLS   string `hidden:"" help:"Directory of its certificate; empty: plain HTTP."`
	Sync  bool   `hidden:"" help:"Its PUT syncs file and directory."`
}

// experiment compares servers at one kind of work.
type experiment struct {
	name string
	run  func(ctx context.Context, b *bench, into *report) error
}

func experiments(s settings) []experiment {
	if s.Ceph {
		return []experiment{{"store", cephStore}, {"http", cephHTTP}, {"memory", cephMemory}}
	}
	return []experiment{{"put", puts}, {"get", gets}, {"list", lists}, {"memory", memory}, {"overload", overload}}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var s settings
	kong.Parse(&s, kong.Name("bench"), kong.Description("Measures the platform beside what the field uses."))
	err := error(nil)
	if s.Serve != "" {
		err = serveBare(ctx, s)
	} else {
		err = measure(ctx, s, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, s settings, stdout io.Writer) (err error) {
	b, err := newBench(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	result := &report{}
	for _, e := range experiments(s) {
		if len(s.Only) > 0 && !slices.Contains(s.Only, e.name) {
			continue
		}
		begun := time.Now()
		fmt.Fprintf(os.Stderr, "bench: %s\n", e.name)
		if failure := e.run(ctx, b, result); failure != nil {
			// What was measured before is still worth reading.
			err = fmt.Errorf("%s: %w; the logs are in %s", e.name, failure, s.Out)
			break
		}
		fmt.Fprintf(os.Stderr, "bench: %s took %.0f s\n", e.name, time.Since(begun).Seconds())
	}
	text := strings.Join([]string{b.machine(ctx), result.markdown()}, "\n")
	path := filepath.Join(s.Out, "report.md")
	_, said := fmt.Fprintf(stdout, "%s\nwritten to %s\n", text, path)
	return errors.Join(err, os.WriteFile(path, []byte(text), 0o644), said)
}
