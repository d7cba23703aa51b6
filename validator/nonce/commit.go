package nonce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

const (
	branch   = plumbing.ReferenceName("refs/heads/main")
	file     = "NONCE"
	infoRefs = "info/refs" // what dumb clients ask first
)

// commit writes a commit of one file into the bare repository at dir and makes
// it the branch's. Dumb clients learn of revisions from info/refs alone, so
// that file comes last, in one rename, when all it names is on disk.
func commit(dir, nonce string) (string, error) {
	store := open(dir)
	if err := store.Init(); err != nil {
		return "", err
	}
	// Once: it is written in place, and a reader in that moment would find no branch.
	if _, err := store.Reference(plumbing.HEAD); err != nil {
		if err := store.SetReference(plumbing.NewSymbolicReference(plumbing.HEAD, branch)); err != nil {
			return "", err
		}
	}
	tip, err := write(store, nonce)
	if err != nil {
		return "", err
	}
	if err := store.SetReference(plumbing.NewHashReference(branch, tip)); err != nil {
		return "", err
	}
	if err := settle(filepath.Join(dir, "objects"), filepath.Join(dir, "refs")); err != nil {
		return "", err
	}
	return tip.String(), publish(dir, fmt.Sprintf("%s\t%s\n", tip, branch))
}

// open returns the repository of dir as a place for objects and references.
// Nothing is cached: another process may have written to it.
func open(dir string) *filesystem.Storage {
	return filesystem.NewStorage(osfs.New(dir, osfs.WithBoundOS()), cache.NewObjectLRU(0))
}

// write stores the file, its tree and the commit on top of the branch.
func write(store *filesystem.Storage, nonce string) (plumbing.Hash, error) {
	blob := store.NewEncodedObject()
	blob.SetType(plumbing.BlobObject)
	w, err := blob.Writer()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if _, err := io.WriteString(w, nonce+"\n"); err != nil {
		return plumbing.ZeroHash, err
	}
	content, err := store.SetEncodedObject(blob)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	tree, err := put(store, &object.Tree{Entries: []object.TreeEntry{{Name: file, Mode: filemode.Regular, Hash: content}}})
	if err != nil {
		return plumbing.ZeroHash, err
	}
	judge := object.Signature{Name: "judge", Email: "judge@localhost", When: time.Now().UTC()}
	next := &object.Commit{Author: judge, Committer: judge, Message: "nonce " + nonce + "\n", TreeHash: tree}
	switch before, err := store.Reference(branch); {
	case err == nil:
		next.ParentHashes = []plumbing.Hash{before.Hash()}
	case !errors.Is(err, plumbing.ErrReferenceNotFound):
		return plumbing.ZeroHash, err
	}
	return put(store, next)
}

func put(store *filesystem.Storage, what interface {
	Encode(plumbing.EncodedObject) error
}) (plumbing.Hash, error) {
	encoded := store.NewEncodedObject()
	if err := what.Encode(encoded); err != nil {
		return plumbing.ZeroHash, err
	}
	return store.SetEncodedObject(encoded)
}

// settle syncs everything below dirs: a machine that loses its power must not
// advertise a revision whose objects are empty.
func settle(dirs ...string) error {
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return synced(path)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func synced(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// publish replaces info/refs in one step.
func publish(dir, refs string) error {
	info := filepath.Join(dir, "info")
	if err := os.MkdirAll(info, 0o755); err != nil {
		return err
	}
	next := filepath.Join(info, "refs.next")
	if err := os.WriteFile(next, []byte(refs), 0o644); err != nil {
		return err
	}
	if err := synced(next); err != nil {
		return err
	}
	if err := os.Rename(next, filepath.Join(info, "refs")); err != nil {
		return err
	}
	return errors.Join(synced(info), synced(dir), synced(filepath.Dir(dir)))
}

// read returns the nonce of a revision.
func read(dir, revision string) (string, error) {
	store := open(dir)
	at, err := object.GetCommit(store, plumbing.NewHash(revision))
	if err != nil {
		return "", err
	}
	content, err := at.File(file)
	if err != nil {
		return "", err
	}
	text, err := content.Contents()
	return strings.TrimSpace(text), err
}

// lock keeps others out of what name stands for, in this process and in all
// others, until the returned function is called, or this process dies. It asks again and again: a blocking flock could
// not be given up when ctx ends.
func (h *Host) lock(ctx context.Context, name string) (unlock func(), err error) {
	path := filepath.Join(h.dir, name)
	held, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = held.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), held.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), held.Close())
		case <-time.After(5 * time.Millisecond):
		}
	}
}
