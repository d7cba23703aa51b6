package main

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// unpack puts a layer into root, over what the layers below it left. Nothing
// can get out of root: not by .. and not through a link, which os.Root refuses.
// A file whose name begins with .wh. takes another one away
// (https://github.com/opencontainers/image-spec, layer.md).
func unpack(log io.Writer, root *os.Root, layer io.Reader) error {
	entries := tar.NewReader(bufio.NewReaderSize(layer, 1<<20))
	u := unpacker{root: root, log: log, self: os.Geteuid(), buffer: make([]byte, 1<<20)}
	defer u.leave()
	for {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := u.place(entry, entries); err != nil {
			return fmt.Errorf("unpack %q: %w", entry.Name, err)
		}
	}
}

type unpacker struct {
	root   *os.Root
	log    io.Writer
	self   int
	buffer []byte

	// The directory of the entry before, which most entries share: to walk there
	// from the root for each file takes most of the time of a large layer.
	dir string
	at  *os.Root
}

// enter opens the directory that an entry lies in, and makes it where it has no
// entry of its own.
func (u *unpacker) enter(dir string) error {
	if u.at != nil && u.dir == dir {
		return nil
	}
	u.leave()
	if err := u.root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	at, err := u.root.OpenRoot(dir)
	u.dir, u.at = dir, at
	return err
}

func (u *unpacker) leave() {
	if u.at != nil {
		u.at.Close()
	}
	u.at = nil
}

// whiteout and opaque are the names by which a layer removes.
const whiteout, opaque = ".wh.", ".wh..wh..opq"

func (u *unpacker) place(entry *tar.Header, content io.Reader) error {
	// Not cleaned away but refused: a layer that says .. wants something.
	name := path.Clean(strings.TrimLeft(entry.Name, "/"))
	if name == ".." || strings.HasPrefix(name, "../") {
		return errors.New("the name leads out of the image")
	}
	dir, base := path.Split(name)
	if err := u.enter(path.Clean(dir)); err != nil {
		return err
	}
	if base == opaque {
		return u.empty()
	}
	if gone, ok := strings.CutPrefix(base, whiteout); ok {
		return u.at.RemoveAll(gone)
	}
	return u.make(base, entry, content)
}

func (u *unpacker) make(base string, entry *tar.Header, content io.Reader) error {
	switch entry.Typeflag {
	case tar.TypeDir:
		return u.directory(base, entry)
	case tar.TypeReg:
		return u.file(base, entry, content)
	case tar.TypeSymlink:
		if err := u.clear(base); err != nil {
			return err
		}
		if err := u.at.Symlink(entry.Linkname, base); err != nil {
			return err
		}
		return u.own(base, entry)
	case tar.TypeLink:
		if err := u.clear(base); err != nil {
			return err
		}
		return u.root.Link(path.Clean(strings.TrimLeft(entry.Linkname, "/")), path.Join(u.dir, base))
	}
	fmt.Fprintf(u.log, "registry-image: left out %s, which is a device or a pipe\n", entry.Name)
	return nil
}

// permissions come after the owner: a change of owner takes the set-user-ID bit
// away.
func permissions(entry *tar.Header) fs.FileMode {
	return entry.FileInfo().Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
}

// directory may be there already; anything else of its name goes. Its time
// changes with each file that follows, so it is left as it is.
func (u *unpacker) directory(base string, entry *tar.Header) error {
	err := u.at.Mkdir(base, 0o755)
	if errors.Is(err, fs.ErrExist) {
		there, statErr := u.at.Lstat(base)
		if statErr != nil {
			return statErr
		}
		if err = nil; !there.IsDir() {
			if err := u.clear(base); err != nil {
				return err
			}
			err = u.at.Mkdir(base, 0o755)
		}
	}
	if err != nil {
		return err
	}
	if err := u.own(base, entry); err != nil {
		return err
	}
	return u.at.Chmod(base, permissions(entry))
}

func (u *unpacker) file(base string, entry *tar.Header, content io.Reader) error {
	const fresh = os.O_CREATE | os.O_EXCL | os.O_WRONLY
	file, err := u.at.OpenFile(base, fresh, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if err := u.clear(base); err != nil {
			return err
		}
		file, err = u.at.OpenFile(base, fresh, 0o600)
	}
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{file}, content, u.buffer)
	if err == nil {
		err = u.own(base, entry)
	}
	if err == nil {
		err = file.Chmod(permissions(entry))
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	return u.at.Chtimes(base, time.Time{}, entry.ModTime)
}

// clear takes away what a lower layer had of that name.
func (u *unpacker) clear(base string) error {
	if base == "" || base == "." {
		return errors.New("the image's root is no directory")
	}
	return u.at.RemoveAll(base)
}

// empty takes away all that lower layers had in the directory.
func (u *unpacker) empty() error {
	opened, err := u.at.Open(".")
	if err != nil {
		return err
	}
	names, err := opened.Readdirnames(-1)
	if err = errors.Join(err, opened.Close()); err != nil {
		return err
	}
	for _, name := range names {
		if err := u.at.RemoveAll(name); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) own(base string, entry *tar.Header) error {
	if u.self != 0 || entry.Uid == 0 && entry.Gid == 0 {
		return nil // it is ours already, or cannot be given away
	}
	return u.at.Lchown(base, entry.Uid, entry.Gid)
}
