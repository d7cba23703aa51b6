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
	buffer := make([]byte, 1<<20)
	u := unpacker{root: root, log: log, self: os.Geteuid(), dirs: map[string]bool{".": true}}
	for {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := u.place(entry, entries, buffer); err != nil {
			return fmt.Errorf("unpack %q: %w", entry.Name, err)
		}
	}
}

type unpacker struct {
	root *os.Root
	log  io.Writer
	self int
	dirs map[string]bool // known to be there: most files are in the directory of the one before
}

// whiteout and opaque are the names by which a layer removes.
const whiteout, opaque = ".wh.", ".wh..wh..opq"

func (u *unpacker) place(entry *tar.Header, content io.Reader, buffer []byte) error {
	// Not cleaned away but refused: a layer that says .. wants something.
	name := path.Clean(strings.TrimLeft(entry.Name, "/"))
	if name == ".." || strings.HasPrefix(name, "../") {
		return errors.New("the name leads out of the image")
	}
	dir, base := path.Split(name)
	dir = path.Clean(dir)
	if !u.dirs[dir] {
		if err := u.root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		u.dirs[dir] = true
	}
	if base == opaque {
		return u.empty(dir)
	}
	if gone, ok := strings.CutPrefix(base, whiteout); ok {
		return u.root.RemoveAll(path.Join(dir, gone))
	}
	return u.make(name, entry, content, buffer)
}

func (u *unpacker) make(name string, entry *tar.Header, content io.Reader, buffer []byte) error {
	mode := entry.FileInfo().Mode()
	switch entry.Typeflag {
	case tar.TypeDir:
		if err := u.directory(name); err != nil {
			return err
		}
	case tar.TypeReg:
		if err := u.file(name, content, buffer); err != nil {
			return err
		}
	case tar.TypeSymlink:
		if err := u.clear(name); err != nil {
			return err
		}
		if err := u.root.Symlink(entry.Linkname, name); err != nil {
			return err
		}
		return u.own(name, entry)
	case tar.TypeLink:
		if err := u.clear(name); err != nil {
			return err
		}
		return u.root.Link(path.Clean(strings.TrimLeft(entry.Linkname, "/")), name)
	default:
		fmt.Fprintf(u.log, "registry-image: left out %s, which is a device or a pipe\n", name)
		return nil
	}
	if err := u.own(name, entry); err != nil {
		return err
	}
	// After the owner: a change of owner takes the set-user-ID bit away.
	if err := u.root.Chmod(name, mode&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky)); err != nil {
		return err
	}
	if entry.Typeflag == tar.TypeDir {
		return nil // its time changes with each file that follows
	}
	return u.root.Chtimes(name, time.Time{}, entry.ModTime)
}

// directory may be there already; anything else of its name goes.
func (u *unpacker) directory(name string) error {
	err := u.root.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		if there, statErr := u.root.Lstat(name); statErr != nil || there.IsDir() {
			return statErr
		}
		if err := u.clear(name); err != nil {
			return err
		}
		err = u.root.Mkdir(name, 0o755)
	}
	return err
}

func (u *unpacker) file(name string, content io.Reader, buffer []byte) error {
	const fresh = os.O_CREATE | os.O_EXCL | os.O_WRONLY
	file, err := u.root.OpenFile(name, fresh, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if err := u.clear(name); err != nil {
			return err
		}
		file, err = u.root.OpenFile(name, fresh, 0o600)
	}
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{file}, content, buffer)
	return errors.Join(err, file.Close())
}

// clear takes away what a lower layer had of that name.
func (u *unpacker) clear(name string) error {
	if name == "." {
		return errors.New("the image's root is no directory")
	}
	if _, err := u.root.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	clear(u.dirs)
	return u.root.RemoveAll(name)
}

// empty takes away all that lower layers had in dir.
func (u *unpacker) empty(dir string) error {
	opened, err := u.root.Open(dir)
	if err != nil {
		return err
	}
	names, err := opened.Readdirnames(-1)
	if err = errors.Join(err, opened.Close()); err != nil {
		return err
	}
	clear(u.dirs)
	for _, name := range names {
		if err := u.root.RemoveAll(path.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) own(name string, entry *tar.Header) error {
	if u.self != 0 || entry.Uid == 0 && entry.Gid == 0 {
		return nil // it is ours already, or cannot be given away
	}
	return u.root.Lchown(name, entry.Uid, entry.Gid)
}
