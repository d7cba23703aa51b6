package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// cache is a directory as cmd/go keeps it: XX/ACTION-a says which output an
// action had, XX/OUTPUT-d is that output.
type cache string

type entry struct {
	output []byte
	size   int64
	time   time.Time
}

func (c cache) path(id []byte, kind string) string {
	name := hex.EncodeToString(id)
	return filepath.Join(string(c), name[:2], name+"-"+kind)
}

// layout is the text of an entry: everything has its width.
const layout = "v1 %x %x %20d %20d\n"

func (c cache) entry(action []byte) (entry, error) {
	text, err := os.ReadFile(c.path(action, "a"))
	if err != nil {
		return entry{}, err
	}
	var id, output []byte
	var size, nanos int64
	if _, err := fmt.Sscanf(string(text), "v1 %x %x %d %d\n", &id, &output, &size, &nanos); err != nil {
		return entry{}, err
	}
	there, err := os.Stat(c.path(output, "d"))
	if err != nil {
		return entry{}, err
	}
	if there.Size() != size {
		return entry{}, errors.New("the output is not whole")
	}
	return entry{output, size, time.Unix(0, nanos)}, nil
}

// keep writes an entry and its output, in this order for whoever reads: the
// output is there before something names it.
func (c cache) keep(action, output, body []byte) error {
	if err := write(c.path(output, "d"), body); err != nil {
		return err
	}
	return write(c.path(action, "a"), fmt.Appendf(nil, layout, action, output, len(body), time.Now().UnixNano()))
}

// write replaces a file, of which a build may be reading the old one.
func write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

// link makes an entry of from one of c's too, without a copy where both are on
// one file system.
func (c cache) link(from cache, action, output []byte) error {
	for _, path := range []struct {
		id   []byte
		kind string
	}{{output, "d"}, {action, "a"}} {
		source, target := from.path(path.id, path.kind), c.path(path.id, path.kind)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		err := os.Link(source, target)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			text, readErr := os.ReadFile(source)
			if err = readErr; err == nil {
				err = write(target, text)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
