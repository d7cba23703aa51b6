package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each case plants one thing in a copy of this very tree, in a file of its own:
// exactly that may be found in it, so a rule that never fires fails here.
func TestEveryPlantedFaultIsFoundAndNothingElse(t *testing.T) {
	cases := []struct {
		name, file, source string
		want               string // a part of the one finding; empty: none wanted
	}{
		{"app imports validator", "app/planted.go", imports("bogops/validator/verdict"), "app and validator share CHALLENGE.md"},
		{"a test of app imports validator", "app/store/planted_test.go", imports("bogops/validator/verdict"), "app and validator share CHALLENGE.md"},
		{"validator imports app", "validator/verdict2/planted.go", imports("bogops/app/store"), "app and validator share CHALLENGE.md"},
		{"infra imports the judge", "infra/acme/planted.go", imports("bogops/validator/verdict"), "knows neither"},
		{"processing imports the store", "app/process/planted.go", imports("bogops/app/store"), "maps bytes to bytes"},
		{"the day computes points", "validator/day/planted.go", imports("bogops/validator/score"), "never computes points"},
		{"gin outside the API", "app/planted.go", imports("github.com/gin-gonic/gin"), "gin stays in app/api"},
		{"gin's rendering outside the API", "validator/planted.go", imports("github.com/gin-gonic/gin/render"), "gin stays in app/api"},
		{"gin inside the API", "app/api/planted.go", imports("github.com/gin-gonic/gin"), ""},
		{"go-git where nothing hosts nonces", "validator/planted.go", imports("github.com/go-git/go-git/v5"), "go-git stays"},
		{"go-ceph behind its tag in a wrong place", "app/planted.go", "//go:build ceph\n\n" + imports("github.com/ceph/go-ceph/rados"), "go-ceph needs cgo"},
		{"go-ceph in its store", "app/store/radosstore/planted.go", imports("github.com/ceph/go-ceph/rados"), ""},
		{"the AWS SDK in main", "app/planted.go", imports("github.com/aws/aws-sdk-go-v2/aws"), "the AWS SDK stays"},
		{"the AWS SDK in the S3 store", "app/store/s3store/planted.go", imports("github.com/aws/aws-sdk-go-v2/service/s3"), ""},
		{"the AWS SDK in the resource type s3", "infra/concourse/types/s3/planted.go", imports("github.com/aws/aws-sdk-go-v2/service/s3"), ""},
		{"images in the app", "app/planted.go", imports("github.com/google/go-containerregistry/pkg/v1"), "images are made"},
		{"the promise imports a store", "app/store/planted.go", imports("bogops/app/certs"), "depends on nothing of ours"},
		{"the rules for stores import a store", "app/store/storetest/planted.go", imports("bogops/app/store/memstore"), "know the promise and no store"},
		{"a store imports another", "app/store/filestore/planted.go", imports("bogops/app/store/memstore"), "neither the other stores"},
		{"a store imports the API", "app/store/memstore/planted.go", imports("bogops/app/api"), "neither the other stores"},
		{"a store's external test imports the store", "app/store/memstore/planted_test.go", imports("bogops/app/store/memstore"), ""},
		{"the API names a store", "app/api/planted.go", imports("bogops/app/store/memstore"), "so it names none"},
		{"a test of the API uses a store", "app/api/planted_test.go", imports("bogops/app/store/memstore"), ""},
		{"certificates import the store", "app/certs/planted.go", imports("bogops/app/store"), "must not depend on the store"},
		{"the journal imports the score", "validator/journal/planted.go", imports("bogops/validator/score"), "agrees on"},
		{"the score opens connections", "validator/score/planted.go", imports("net/http"), "pure function"},
		{"the score reads files", "validator/score/planted.go", imports("os"), "pure function"},
		{"the score imports a probe", "validator/score/planted.go", imports("bogops/validator/target"), "pure function"},
		{"the board talks to a platform", "validator/board/planted.go", imports("bogops/validator/target"), "touches no platform"},
		{"the load computes points", "validator/load/planted.go", imports("bogops/validator/score"), "never computes points"},
		{"a file named util", "app/util.go", "package main\n", "is named \"util\""},
		{"a file with helpers in its name", "app/http_helpers_test.go", "package main\n", "is named \"helpers\""},
		{"a directory named common", "validator/common/planted.go", "package common\n", "is named \"common\""},
		{"func init", "app/planted.go", "package main\n\nfunc init() {}\n", "app/planted.go:3:1: has func init"},
		{"a method named init", "app/planted.go", "package main\n\ntype t struct{}\n\nfunc (t) init() {}\n", ""},
		{"a file of 301 lines", "app/planted.go", "package main\n" + strings.Repeat("\n", 300), "got 301 lines"},
		{"a file of 300 lines", "app/planted.go", "package main\n" + strings.Repeat("\n", 299), ""},
		{"a long test", "app/planted_test.go", "package main\n" + strings.Repeat("\n", 900), ""},
	}
	tree := copyOfTree(t)
	before, err := check(tree)
	require.NoError(t, err)
	files := make([]string, len(cases))
	for i, c := range cases {
		files[i] = strings.Replace(c.file, "planted", fmt.Sprintf("planted%d", i), 1)
		plant(t, filepath.Join(tree, filepath.FromSlash(files[i])), c.source)
	}
	after, err := check(tree)
	require.NoError(t, err)

	added, explained := without(after, before), 0
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found := about(files[i], added)
			explained += len(found)
			if c.want == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			require.Contains(t, found[0], strings.Replace(c.want, "planted", fmt.Sprintf("planted%d", i), 1))
		})
	}
	require.Len(t, added, explained, "something else was found")
}

func TestAFileThatDoesNotParseIsAnErrorAndNotAPass(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "torn.go"), []byte("package"), 0o644))
	_, err := check(root)
	require.ErrorContains(t, err, "torn.go")
}

func imports(path string) string { return "package planted\n\nimport _ \"" + path + "\"\n" }

func plant(t *testing.T, file, source string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(source), 0o644))
}

// about returns the findings that name file, or the directory that it is alone
// in.
func about(file string, findings []string) []string {
	var found []string
	for _, f := range findings {
		if strings.HasPrefix(f, file+":") || strings.HasPrefix(f, path.Dir(file)+":") {
			found = append(found, f)
		}
	}
	return found
}

// copyOfTree copies the Go files of the repository, so that nothing is ever
// planted in the real one.
func copyOfTree(t *testing.T) string {
	t.Helper()
	const root = "../.."
	tree := t.TempDir()
	require.NoError(t, filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != root && skipped(entry.Name()) {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		below, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		to := filepath.Join(tree, below)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, source, 0o644)
	}))
	return tree
}

// without returns what is in all and not in some.
func without(all, some []string) []string {
	known := map[string]bool{}
	for _, s := range some {
		known[s] = true
	}
	var rest []string
	for _, s := range all {
		if !known[s] {
			rest = append(rest, s)
		}
	}
	return rest
}
