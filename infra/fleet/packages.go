package fleet

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"
)

// Package is one that the group has unpacked and checked.
type Package struct {
	Name     string    `json:"name"`
	Revision string    `json:"revision"` // of the sources, as the package says
	SHA256   string    `json:"sha256"`   // hex, of the archive
	Bytes    int64     `json:"bytes"`    // of the archive
	At       time.Time `json:"at"`       // of its arrival
}

// packages keeps packages, each in a directory under its name: what is known of
// it, and what was unpacked. A directory is there whole or not at all, also after
// the machine lost its power, and never changes.
type packages struct {
	dir   string
	limit int64
	keep  int

	mu  sync.Mutex
	all []Package // oldest first
}

// packageName is what a package may be called.
var packageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$`)

// errDigest is a body that is not what its sender said.
var errDigest = errors.New("the body does not match its digest")

// errTaken is a name that holds other bytes already.
var errTaken = errors.New("there is another package of that name")

// errTooLarge is a body over the limit.
var errTooLarge = errors.New("the package is too large")

// errNoPackage is a name that no package has.
var errNoPackage = errors.New("there is no such package")

const (
	draftPrefix = ".coming-"
	aboutFile   = "about.json"
	filesDir    = "files"
)

// openPackages finds what an earlier group kept, and throws away its drafts.
func openPackages(o Options) (*packages, error) {
	p := &packages{dir: filepath.Join(o.Dir, "packages"), limit: o.MaxPackage, keep: o.Keep}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		path := filepath.Join(p.dir, entry.Name())
		var about Package
		text, err := os.ReadFile(filepath.Join(path, aboutFile))
		if err != nil || json.Unmarshal(text, &about) != nil || about.Name != entry.Name() {
			if err := os.RemoveAll(path); err != nil {
				return nil, err
			}
			continue
		}
		p.all = append(p.all, about)
	}
	slices.SortFunc(p.all, func(a, b Package) int { return a.At.Compare(b.At) })
	return p, nil
}

// list returns what is kept, oldest first.
func (p *packages) list() []Package {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}

func (p *packages) get(name string) (Package, bool) {
	for _, one := range p.list() {
		if one.Name == name {
			return one, true
		}
	}
	return Package{}, false
}

// command is what an instance of a package is started by.
func (p *packages) command(name string) (*exec.Cmd, error) {
	if _, there := p.get(name); !there {
		return nil, fmt.Errorf("%w: %q", errNoPackage, name)
	}
	dir := filepath.Join(p.dir, name, filesDir)
	start, err := startFile(dir)
	if err != nil {
		return nil, err
	}
	command := exec.Command(start)
	command.Dir = dir
	return command, nil
}

// put takes a package in, whole or not at all. The same bytes again are no
// error: fresh is false then.
func (p *packages) put(name string, body io.Reader, want [sha256.Size]byte) (about Package, fresh bool, err error) {
	draft, err := os.MkdirTemp(p.dir, draftPrefix)
	if err != nil {
		return Package{}, false, err
	}
	defer os.RemoveAll(draft) // gone by then, where all went well
	archive, bytes, err := p.receive(filepath.Join(draft, "archive"), body, want)
	if err != nil {
		return Package{}, false, err
	}
	defer archive.Close()
	about = Package{Name: name, SHA256: fmt.Sprintf("%x", want), Bytes: bytes, At: time.Now().UTC()}
	if have, there := p.get(name); there {
		return have, false, same(have, about)
	}
	files := filepath.Join(draft, filesDir)
	if err := os.Mkdir(files, 0o700); err != nil {
		return Package{}, false, err
	}
	if about.Revision, err = unpack(archive, files, 4*p.limit); err != nil {
		return Package{}, false, err
	}
	if err := os.Remove(archive.Name()); err != nil {
		return Package{}, false, err
	}
	text, err := json.Marshal(about)
	if err != nil {
		return Package{}, false, err
	}
	if err := os.WriteFile(filepath.Join(draft, aboutFile), text, 0o600); err != nil {
		return Package{}, false, err
	}
	if err := syncTree(draft); err != nil {
		return Package{}, false, err
	}
	return p.settle(about, draft)
}

// receive writes body to a file and compares its digest.
func (p *packages) receive(path string, body io.Reader, want [sha256.Size]byte) (*os.File, int64, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, 0, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, sum), io.LimitReader(body, p.limit+1))
	switch {
	case err != nil:
	case n > p.limit:
		err = fmt.Errorf("%w: want at most %d bytes", errTooLarge, p.limit)
	case [sha256.Size]byte(sum.Sum(nil)) != want:
		err = fmt.Errorf("%w: SHA-256 %x given, %x received in %d bytes", errDigest, want, sum.Sum(nil), n)
	default:
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, n, nil
}

// settle gives a checked draft its name.
func (p *packages) settle(about Package, draft string) (Package, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, have := range p.all {
		if have.Name == about.Name { // another sender was quicker
			return have, false, same(have, about)
		}
	}
	kept := filepath.Join(p.dir, about.Name)
	if err := os.Rename(draft, kept); err != nil {
		return Package{}, false, err
	}
	if err := syncPath(p.dir); err != nil {
		return Package{}, false, errors.Join(err, os.RemoveAll(kept))
	}
	p.all = append(p.all, about)
	return about, true, nil
}

func same(have, given Package) error {
	if have.SHA256 == given.SHA256 {
		return nil
	}
	return fmt.Errorf("%w: %s has SHA-256 %s; %s given", errTaken, have.Name, have.SHA256, given.SHA256)
}

// prune removes the oldest packages over the number to keep, except those that
// are used.
func (p *packages) prune(used map[string]bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed error
	spare := len(p.all) - p.keep
	p.all = slices.DeleteFunc(p.all, func(one Package) bool {
		if spare <= 0 || used[one.Name] {
			return false
		}
		spare--
		failed = errors.Join(failed, os.RemoveAll(filepath.Join(p.dir, one.Name)))
		return true
	})
	return failed
}
