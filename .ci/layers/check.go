package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// check reads every Go file below root and returns one sentence per rule that
// is broken, each beginning with the file and, where it has one, the line.
func check(root string) ([]string, error) {
	var findings []string
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != root && skipped(entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		file, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		file = filepath.ToSlash(file)
		if dir := path.Dir(file); !seen[dir] {
			seen[dir] = true
			findings = append(findings, badName(dir, path.Base(dir))...)
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		found, err := checkFile(file, source)
		findings = append(findings, found...)
		return err
	})
	return findings, err
}

// skipped are directories that the go command does not build either. The
// tools below .ci are checked by their own run of vet and staticcheck.
func skipped(dir string) bool {
	return strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_") ||
		dir == "testdata" || dir == "node_modules" || dir == "bin"
}

// checkFile applies every rule to one file, named by its path below the root.
func checkFile(file string, source []byte) ([]string, error) {
	isTest := strings.HasSuffix(file, "_test.go")
	findings := badName(file, strings.TrimSuffix(path.Base(file), ".go"))
	if lines := bytes.Count(source, []byte("\n")); lines > maxLines && !isTest {
		findings = append(findings, fmt.Sprintf("%s: got %d lines, want at most %d: split it by ideas", file, lines, maxLines))
	}
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, file, source, parser.SkipObjectResolution)
	if err != nil {
		return findings, err
	}
	for _, spec := range tree.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return findings, fmt.Errorf("%s: import %s: %w", file, spec.Path.Value, err)
		}
		for _, why := range barred(path.Dir(file), imported, isTest) {
			findings = append(findings, fmt.Sprintf("%s: imports %s: %s", files.Position(spec.Pos()), imported, why))
		}
	}
	for _, decl := range tree.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			findings = append(findings, fmt.Sprintf("%s: has func init: what a program does is written in its run", files.Position(fn.Pos())))
		}
	}
	return findings, nil
}

// barred returns the reason of every fence that keeps the package in dir from
// importing imported.
func barred(dir, imported string, isTest bool) []string {
	if within(imported, module+"/"+dir) {
		return nil
	}
	var reasons []string
	for _, f := range fences {
		if isTest && !f.Tests || !matches(f.In, dir) || matches(f.Spare, dir) {
			continue
		}
		if matchesImport(f.Bars, imported) && !matchesImport(f.But, imported) {
			reasons = append(reasons, f.Why)
		}
	}
	return reasons
}

// matchesImport is matches for an import path: ours go by their path below the
// module too.
func matchesImport(patterns []string, imported string) bool {
	if ours, ok := strings.CutPrefix(imported, module+"/"); ok && matches(patterns, ours) {
		return true
	}
	return matches(patterns, imported)
}

// matches reports whether name is of one of the patterns.
func matches(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if pattern == "..." || pattern == name {
			return true
		}
		if base, ok := strings.CutSuffix(pattern, "/..."); ok && within(name, base) {
			return true
		}
	}
	return false
}

// within reports whether name is base or lies below it.
func within(name, base string) bool {
	return name == base || strings.HasPrefix(name, base+"/")
}

// badName finds a name that says nothing, on its own or as a part: http_util.
func badName(file, base string) []string {
	for word := range strings.SplitSeq(base, "_") {
		if vague[strings.ToLower(word)] {
			return []string{fmt.Sprintf("%s: is named %q: name it by the one idea that it holds", file, word)}
		}
	}
	return nil
}
