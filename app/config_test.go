package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// environment is a getenv over a map; it always holds the judge's token.
func environment(pairs ...string) func(string) string {
	values := map[string]string{"BOGOPS_JUDGE_TOKEN": "the-judges-token"}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

func TestABadSettingIsRefusedWithOneExactSentence(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	missing := filepath.Join(dir, "missing")
	empty, spaced, short := file("empty", " \n"), file("spaced", "two words"), file("short", "abcd")
	for _, c := range []struct {
		args, env []string
		want      string
	}{
		{[]string{"--listen", "8443"}, nil, `--listen: "8443" given; want HOST:PORT, such as 127.0.0.1:8443`},
		{[]string{"--listen="}, nil, `--listen: "" given; want HOST:PORT, such as 127.0.0.1:8443`},
		{[]string{"--http-listen", "x"}, nil, `--http-listen: "x" given; want HOST:PORT, such as 127.0.0.1:8443`},
		{[]string{"--store", "s3://bucket"}, nil, `--store: "s3://bucket" given; want ceph:POOL or ceph:POOL/NAMESPACE, s3:BUCKET, file:DIR or mem:`},
		{[]string{"--store", "file:"}, nil, `--store: "file:" given; want ceph:POOL or ceph:POOL/NAMESPACE, s3:BUCKET, file:DIR or mem:`},
		{[]string{"--store", "mem:x"}, nil, `--store: "mem:x" given; want ceph:POOL or ceph:POOL/NAMESPACE, s3:BUCKET, file:DIR or mem:`},
		{nil, []string{"BOGOPS_STORE=data"}, `--store: "data" given; want ceph:POOL or ceph:POOL/NAMESPACE, s3:BUCKET, file:DIR or mem:`},
		{[]string{"--store", "ceph:"}, nil, `--store: "ceph:" given; want ceph:POOL or ceph:POOL/NAMESPACE, s3:BUCKET, file:DIR or mem:`},
		{[]string{"--store", "ceph:p/"}, nil, `--store: "ceph:p/" given; want ceph:POOL or ceph:POOL/NAMESPACE, s3:BUCKET, file:DIR or mem:`},
		{[]string{"--store", "ceph:p/n/m"}, nil, `--store: "ceph:p/n/m" given; want ceph:POOL or ceph:POOL/NAMESPACE, s3:BUCKET, file:DIR or mem:`},
		{[]string{"--store", "s3:"}, nil, `--store: "s3:" given; want ceph:POOL or ceph:POOL/NAMESPACE, s3:BUCKET, file:DIR or mem:`},
		{[]string{"--s3-endpoint", "http://u:p@h"}, nil, "--s3-endpoint: no such endpoint; want http://HOST:PORT or https://HOST:PORT, without a user"},
		{[]string{"--s3-endpoint", "h:80"}, nil, "--s3-endpoint: no such endpoint; want http://HOST:PORT or https://HOST:PORT, without a user"},
		{[]string{"--fallback", "file:x"}, nil, `--fallback: "file:x" given; want s3:BUCKET`},
		{[]string{"--store", "mem:", "--fallback", "s3:b"}, nil, "--fallback: given with --store mem; want it with --store ceph: only from Ceph there is a way to fall back"},
		{[]string{"--ceph-in-flight", "0"}, nil, "--ceph-in-flight: 0 given; want 4 to 1000"},
		{[]string{"--ceph-timeout", "1ms"}, nil, "--ceph-timeout: 1ms given; want whole seconds, as Ceph takes it, and at least 1s"},
		{[]string{"--lease", "1ms"}, nil, "--lease: 1ms given; want at least 500ms"},
		{[]string{"--trip-after", "0s"}, nil, "--trip-after: 0s given; want at least 500ms"},
		{[]string{"--back-after", "0s"}, nil, "--back-after: 0s given; want at least 500ms"},
		{[]string{"--ceph-key", "x"}, nil, `unknown flag --ceph-key, did you mean "--ceph-key-file"?`},
		{[]string{"--certs", "on"}, nil, `--certs: "on" given; want off, files or acme`},
		{[]string{"--certs", "files", "--cert-file", "c"}, nil, "--certs files wants --cert-file and --key-file"},
		{[]string{"--certs", "acme", "--names", "a"}, nil, "--certs acme wants --names, --acme-cache and --fleet-key-file"},
		{[]string{"--max-object", "big"}, nil, `--max-object: "big" given; want a size such as 256MiB`},
		{[]string{"--max-object", "0"}, nil, `--max-object: "0" given; want a size such as 256MiB`},
		{[]string{"--max-object=-1MiB"}, nil, `--max-object: "-1MiB" given; want a size such as 256MiB`},
		{[]string{"--max-process", "1MB"}, nil, `--max-process: "1MB" given; want a size such as 256MiB`},
		{[]string{"--max-process", "9999999TiB"}, nil, `--max-process: "9999999TiB" given; want a size such as 256MiB`},
		{[]string{"--max-connections=-1"}, nil, "--max-connections: -1 given; want at least 1"},
		{[]string{"--max-in-flight", "0"}, nil, "--max-in-flight: 0 given; want at least 1"},
		{[]string{"--body-budget", "79MiB"}, nil, "--body-budget: 82837504 bytes given; want at least 8MiB, and a fourth more than --max-process (67108864 bytes)"},
		{[]string{"--body-budget", "1MiB", "--max-process", "1KiB"}, nil, "--body-budget: 1048576 bytes given; want at least 8MiB, and a fourth more than --max-process (1024 bytes)"},
		{[]string{"--handicap=-1s"}, nil, "--handicap: -1s given; want no less than 0s"},
		{[]string{"--hsts=-1s"}, nil, "--hsts: -1s given; want no less than 0s"},
		{[]string{"--drain=-1s"}, nil, "--drain: -1s given; want no less than 0s"},
		{[]string{"--drain-delay=-1s"}, nil, "--drain-delay: -1s given; want no less than 0s"},
		{[]string{"--drain", "ten"}, nil, `--drain: expected duration but got "ten": time: invalid duration "ten"`},
		{[]string{"--audit-rate=-1"}, nil, "--audit-rate: -1 given; want 0 to 1000 objects a second"},
		{[]string{"--instance", "a b"}, nil, `--instance: "a b" given; want visible ASCII without spaces: it is sent in a header`},
		{[]string{"--app-version", "é"}, nil, `--app-version: "é" given; want visible ASCII without spaces: it is sent in a header`},
		{[]string{"--deployed-at", "today"}, nil, `--deployed-at: "today" given; want a time such as 2025-06-01T09:00:00Z`},
		{[]string{"--judge-token-file", missing}, nil, "--judge-token-file: open " + missing + ": no such file or directory; want a file that holds the token"},
		{[]string{"--writer-token-file", empty}, nil, "--writer-token-file: " + empty + " is empty; want the token in it"},
		{[]string{"--reader-token-file", spaced}, nil, "the reader's token holds a space or a character that is not visible ASCII"},
		{nil, []string{"BOGOPS_WRITER_TOKEN=" + strings.Repeat("x", 513)}, "the writer's token has 513 bytes; want at most 512"},
		{nil, []string{"BOGOPS_JUDGE_TOKEN="}, "no token for the judge: want --judge-token-file, or the token in BOGOPS_JUDGE_TOKEN"},
		{nil, []string{"BOGOPS_READER_TOKEN=the-judges-token"}, "two roles have the same token; want a different one for each"},
		{nil, []string{"BOGOPS_READER_TOKEN=x", "BOGOPS_WRITER_TOKEN=x"}, "two roles have the same token; want a different one for each"},
		{[]string{"--fleet-key-file", missing}, nil, "--fleet-key-file: open " + missing + ": no such file or directory; want a file that holds the key"},
		{[]string{"--fleet-key-file", short}, nil, "--fleet-key-file: " + short + " does not hold 64 hex digits (32 bytes)"},
		{[]string{"--lissten", "x"}, nil, `unknown flag --lissten, did you mean "--listen"?`},
		{[]string{"serve"}, nil, "unexpected argument serve"},
		{[]string{"--judge-token", "x"}, nil, `unknown flag --judge-token, did you mean "--judge-token-file"?`},
	} {
		_, err := parseConfig(c.args, environment(c.env...), io.Discard)
		require.EqualError(t, err, c.want, "%v %v", c.args, c.env)
		require.Equal(t, exitUsage, exitCode(err), "%v", c.args)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestAFlagWinsOverTheEnvironmentAndThatOverTheDefault(t *testing.T) {
	cfg, err := parseConfig(nil, environment(), io.Discard)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:8443", cfg.Listen)
	require.Equal(t, Size(1<<30), cfg.MaxObject)
	require.Equal(t, Size(64<<20), cfg.MaxProcess)
	require.Equal(t, 10*time.Second, cfg.Drain)
	require.Equal(t, "dev", cfg.AppVersion)
	require.NotEmpty(t, cfg.Instance)

	env := environment("BOGOPS_LISTEN=:1", "BOGOPS_NAMES=a,b", "BOGOPS_MAX_OBJECT=256MiB", "BOGOPS_ACME_PRODUCTION=true",
		"BOGOPS_HTTP_LISTEN=:80", "BOGOPS_DRAIN_DELAY=3s", "BOGOPS_APP_VERSION=r7+n")
	cfg, err = parseConfig([]string{"--listen", ":2"}, env, io.Discard)
	require.NoError(t, err)
	require.Equal(t, ":2", cfg.Listen)
	require.Equal(t, ":80", cfg.HTTPListen)
	require.Equal(t, []string{"a", "b"}, cfg.Names)
	require.Equal(t, Size(256<<20), cfg.MaxObject)
	require.True(t, cfg.ACMEProduction)
	require.Equal(t, 3*time.Second, cfg.DrainDelay)
	require.Equal(t, "r7+n", cfg.AppVersion)

	other, err := parseConfig(nil, env, io.Discard)
	require.NoError(t, err)
	require.NotEqual(t, cfg.Instance, other.Instance, "two instances have the same name")
}

func TestATokenFileWinsOverTheEnvironmentAndIsTrimmed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(path, []byte("from-the-file\n"), 0o600))
	cfg, err := parseConfig([]string{"--judge-token-file", path}, environment("BOGOPS_READER_TOKEN=r"), io.Discard)
	require.NoError(t, err)
	require.Equal(t, []string{"from-the-file"}, cfg.Secrets.Judge)
	require.Equal(t, []string{"r"}, cfg.Secrets.Reader)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(verb, cfg), "from-the-file", "a secret prints with %s", verb)
	}
}

func TestSizesAreBinary(t *testing.T) {
	for text, want := range map[string]Size{"1": 1, "7B": 7, "1KiB": 1024, "256MiB": 256 << 20, "1GiB": 1 << 30, "2TiB": 2 << 40} {
		var got Size
		require.NoError(t, got.UnmarshalText([]byte(text)))
		require.Equal(t, want, got, text)
	}
}

func TestHelpNamesTheEnvironmentOfEveryFlag(t *testing.T) {
	var out bytes.Buffer
	_, err := parseConfig([]string{"--help"}, environment(), &out)
	require.True(t, errors.Is(err, errHelp))
	for _, flag := range []string{"listen", "http-listen", "store", "certs", "cert-file", "key-file", "names", "acme-directory",
		"acme-root", "acme-cache", "acme-local", "acme-email", "acme-production", "fleet-key-file", "team", "contest", "instance", "zone",
		"app-version", "judge-token-file", "writer-token-file", "reader-token-file", "max-object", "max-process", "max-connections", "max-in-flight", "body-budget", "hsts", "handicap",
		"drain", "drain-delay", "admin-listen", "audit-rate", "store-alone", "ceph-conf", "ceph-monitors", "ceph-user", "ceph-key-file", "ceph-in-flight", "ceph-timeout",
		"s3-endpoint", "s3-region", "s3-path-style", "s3-create", "s3-roots", "fallback", "new-pool", "lease", "trip-after", "back-after"} {
		require.Contains(t, out.String(), "--"+flag)
		require.Contains(t, out.String(), "$"+environmentName(flag))
	}
	require.NotContains(t, out.String(), "the-judges-token")
}

func TestTheVersionSaysWhetherThisBuildCanStoreInCeph(t *testing.T) {
	var out bytes.Buffer
	_, err := parseConfig([]string{"--version"}, environment("BOGOPS_JUDGE_TOKEN="), &out)
	require.ErrorIs(t, err, errHelp)
	want := "app dev, cannot store in Ceph: built without the tag ceph\n"
	if withCeph {
		want = "app dev, can store in Ceph\n"
	}
	require.Equal(t, want, out.String())

	_, err = parseConfig(nil, environment("BOGOPS_VERSION=true"), &out)
	require.NoError(t, err, "the environment asks no question")
}

func TestAStoreInCephIsRefusedWhereTheBuildCannotHaveOne(t *testing.T) {
	cfg, err := parseConfig([]string{"--store", "ceph:objects/loutres", "--ceph-conf", "c"}, environment("BOGOPS_CEPH_KEY= key5ecret\n"), io.Discard)
	if !withCeph {
		require.EqualError(t, err, `--store: "ceph:objects/loutres" given, and this binary was built without Ceph; want one that was built with -tags ceph, which make build sets where librados-dev is installed`)
		return
	}
	require.NoError(t, err)
	require.Equal(t, "key5ecret", cfg.Secrets.CephKey)
	require.NotContains(t, fmt.Sprintf("%+v", cfg), "5ecret")
	u, err := splitStore(cfg.Store)
	require.NoError(t, err)
	require.Equal(t, storeURL{"ceph", "objects", "loutres"}, u)
	_, err = parseConfig([]string{"--store", "ceph:objects"}, environment(), io.Discard)
	require.EqualError(t, err, "--store ceph wants --ceph-conf or --ceph-monitors")
}
