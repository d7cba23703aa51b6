package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/goccy/go-yaml"

	"bogops/infra/rollout"
)

// group is what a group file asks for.
type group struct {
	Size int `yaml:"size"` // instances wanted
}

func readGroup(path string) (group, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return group{}, usageError{err}
	}
	var g group
	if err := yaml.UnmarshalWithOptions(text, &g, yaml.Strict()); err != nil {
		return group{}, usagef("%s: %w", path, err)
	}
	if g.Size < 1 {
		return group{}, usagef("%s: size: %d given; want at least 1", path, g.Size)
	}
	return g, nil
}

// planCmd shows the difference between the group file and what runs.
type planCmd struct {
	access `embed:""`
	Group  string `default:"infra/fleet/group.yml" type:"existingfile" help:"The group file."`
}

func (c planCmd) Run(w *world) error {
	_, _, _, err := compare(w, c.access, c.Group)
	return err
}

// compare tells the difference and returns both sides.
func compare(w *world, a access, path string) (rollout.Fleet, rollout.State, group, error) {
	wanted, err := readGroup(path)
	if err != nil {
		return nil, rollout.State{}, group{}, err
	}
	f, err := a.open(w)
	if err != nil {
		return nil, rollout.State{}, group{}, err
	}
	s, err := f.Describe(w.ctx)
	if err != nil {
		return nil, rollout.State{}, group{}, err
	}
	if s.Most > 0 && wanted.Size > s.Most {
		return nil, s, group{}, usagef("%s: size: %d given; want 1 to %d for this fleet", path, wanted.Size, s.Most)
	}
	switch ready := readyOf(s); {
	case s.Size != wanted.Size:
		fmt.Fprintf(w.stdout, "size: %d -> %d\n", s.Size, wanted.Size)
	case s.Release == nil:
		fmt.Fprintf(w.stdout, "size: %d, as wanted; nothing is deployed yet\n", s.Size)
	case ready != s.Size:
		fmt.Fprintf(w.stdout, "size: %d, as wanted; %d are ready\n", s.Size, ready)
	default:
		fmt.Fprintln(w.stdout, "no difference")
	}
	return f, s, wanted, nil
}

func readyOf(s rollout.State) int {
	ready := 0
	for _, i := range s.Instances {
		if i.Ready && i.Phase == rollout.Running {
			ready++
		}
	}
	return ready
}

// applyCmd makes that difference go away.
type applyCmd struct {
	access `embed:""`
	Group  string        `default:"infra/fleet/group.yml" type:"existingfile" help:"The group file."`
	Within time.Duration `default:"3m" help:"How long the fleet may take; after that it is set back."`
}

func (c applyCmd) Run(w *world) error {
	f, before, wanted, err := compare(w, c.access, c.Group)
	if err != nil {
		return err
	}
	if before.Size != wanted.Size {
		if err := f.Resize(w.ctx, wanted.Size); err != nil {
			return fmt.Errorf("apply: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(w.ctx, c.Within)
	defer cancel()
	err = arrived(ctx, f)
	if err == nil {
		fmt.Fprintf(w.stdout, "%d instances, as wanted\n", wanted.Size)
		return nil
	}
	err = fmt.Errorf("apply: %w", err)
	if before.Size == wanted.Size {
		return err
	}
	fmt.Fprintf(w.stdout, "setting the size back to %d\n", before.Size)
	back, stop := context.WithTimeout(context.WithoutCancel(w.ctx), 30*time.Second)
	defer stop()
	if undone := f.Resize(back, before.Size); undone != nil {
		return fmt.Errorf("%w\n%w: %w", err, rollout.ErrNotBack, undone)
	}
	return err
}

// arrived waits until as many run as are wanted, all ready. Before the first
// deployment nothing can run.
func arrived(ctx context.Context, f rollout.Fleet) error {
	for {
		s, err := f.Describe(ctx)
		if err != nil {
			return err
		}
		if s.Release == nil || len(s.Instances) == s.Size && readyOf(s) == s.Size {
			return nil
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%d of %d instances are ready", readyOf(s), s.Size), context.Cause(ctx))
		}
	}
}
