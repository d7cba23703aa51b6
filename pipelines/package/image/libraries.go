package image

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bogops/pipelines/package/artefact"
)

// Libraries returns the shared libraries that a program names, those that these
// name in turn, and the loader that finds them all, under the paths where this
// machine has them. A program without libraries has none: that is the usual
// one. That with Ceph has librados and what it stands on.
func Libraries(program []byte) ([]artefact.File, error) {
	loader, needed, searched, err := asks(program)
	if err != nil {
		return nil, err
	}
	if loader == "" {
		return nil, nil
	}
	found := map[string]bool{}
	var files []artefact.File
	add := func(path string) (more, in []string, err error) {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read a library: %w", err)
		}
		found[path] = true
		files = append(files, artefact.File{Name: strings.TrimPrefix(path, "/"), Mode: 0o755, Content: content})
		_, more, in, err = asks(content)
		return more, in, err
	}
	if _, _, err := add(loader); err != nil {
		return nil, err
	}
	type wanted struct {
		name string
		in   []string // where its asker would look first
	}
	var queue []wanted
	for _, name := range needed {
		queue = append(queue, wanted{name, searched})
	}
	for ; len(queue) > 0; queue = queue[1:] {
		path, err := search(queue[0].name, queue[0].in)
		if err != nil {
			return nil, err
		}
		if found[path] {
			continue
		}
		more, in, err := add(path)
		if err != nil {
			return nil, err
		}
		for _, name := range more {
			queue = append(queue, wanted{name, in})
		}
	}
	return files, nil
}

// asks reads what an ELF file wants: its loader, empty without one, the names of
// its libraries, and the directories that it has them looked for in.
func asks(content []byte) (loader string, needed, searched []string, err error) {
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return "", nil, nil, fmt.Errorf("want an ELF file: %w", err)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			path := make([]byte, segment.Filesz)
			if _, err := segment.ReadAt(path, 0); err != nil {
				return "", nil, nil, fmt.Errorf("read the loader's name: %w", err)
			}
			loader = strings.TrimRight(string(path), "\x00")
		}
	}
	if needed, err = file.ImportedLibraries(); err != nil {
		return "", nil, nil, fmt.Errorf("read the libraries' names: %w", err)
	}
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		list, err := file.DynString(tag)
		if err != nil {
			continue // a static file has no such list
		}
		for _, entry := range list {
			searched = append(searched, strings.Split(entry, ":")...)
		}
	}
	return loader, needed, searched, nil
}

// search finds a library where Debian's loader does without a cache of its own:
// the image has none.
func search(name string, first []string) (string, error) {
	usual := []string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"}
	for _, dir := range append(first, usual...) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("library %s: want it in one of %s", name, strings.Join(usual, ", "))
}
