package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// state is what survives a restart of the group's process.
type state struct {
	Release  *Release `json:"release"`  // what replacements boot; null before the first deployment
	Previous *Release `json:"previous"` // what was the release before
	Size     int      `json:"size"`
	Counter  int      `json:"counter"` // of instances, so that no name is used twice
}

// restore reads the state of an earlier group, or makes the first one.
func (g *Group) restore() error {
	g.file = filepath.Join(g.o.Dir, "state.json")
	text, err := os.ReadFile(g.file)
	if errors.Is(err, os.ErrNotExist) {
		g.state = state{Size: g.o.Size}
		return g.state.write(g.file)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &g.state); err != nil {
		return fmt.Errorf("%s does not hold a group's state: %w", g.file, err)
	}
	if s := g.state.Size; s < 1 || s > g.o.MaxSize {
		return fmt.Errorf("%s: size %d; want 1 to %d", g.file, s, g.o.MaxSize)
	}
	return nil
}

// change makes a change that lasts: it is on the disk before anybody sees it.
func (g *Group) change(what func(*state)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changeLocked(what)
}

// changeLocked is change for who holds g.mu.
func (g *Group) changeLocked(what func(*state)) error {
	next := g.state
	what(&next)
	if err := next.write(g.file); err != nil {
		return fmt.Errorf("keep the state: %w", err)
	}
	g.state = next
	return nil
}

func (s state) write(path string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return replaceFile(path, append(text, '\n'))
}

// replaceFile writes a file whole or not at all, whatever ends in the middle.
func replaceFile(path string, text []byte) error {
	dir := filepath.Dir(path)
	draft, err := os.CreateTemp(dir, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name()) // gone by then, unless something failed
	_, err = draft.Write(text)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err := os.Rename(draft.Name(), path); err != nil {
		return err
	}
	return syncPath(dir)
}

// syncTree brings a directory and all that is in it to the disk.
func syncTree(root string) error {
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syncPath(path)
	})
}

// syncPath brings a file, or what a directory lists, to the disk.
func syncPath(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
