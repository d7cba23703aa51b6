package concourse_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/infra/concourse/concoursetest"
)

// program writes an executable script.
func program(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/bash\n"+text), 0o755))
}

func run(t *testing.T, environment []string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", args...)
	command.Env = append(os.Environ(), environment...)
	out, err := command.CombinedOutput()
	return string(out), err
}

func TestANodeGetsItsSecretsFromTheParameterStoreAndHidesThem(t *testing.T) {
	dir := t.TempDir()
	program(t, dir+"/aws", `case "$*" in *missing*) echo "ParameterNotFound" >&2; exit 255 ;; esac
while [ $# -gt 0 ]; do [ "$1" != --name ] || printf 'secret of %s\n' "$2"; shift; done`)
	program(t, dir+"/concourse", `printf 'arguments: %s\n' "$*"; env | grep ^CONCOURSE_ | sort; stat -c '%a %n' "$RUNTIME_DIRECTORY"/*; cat "$RUNTIME_DIRECTORY"/*`)
	environment := func(path string) []string {
		return []string{
			"PATH=" + dir + ":" + os.Getenv("PATH"), "CONCOURSE=" + dir + "/concourse",
			"RUNTIME_DIRECTORY=" + t.TempDir(), "AWS_REGION=eu-west-3", "CONCOURSE_SECRETS=" + path,
		}
	}
	out, err := run(t, environment("/otters/ci"), "production/node.sh", "web")
	require.NoError(t, err, out)
	require.Contains(t, out, "arguments: web\n")
	require.Contains(t, out, "CONCOURSE_POSTGRES_PASSWORD=secret of /otters/ci/postgres-password\n")
	require.Contains(t, out, "CONCOURSE_ADD_LOCAL_USER=secret of /otters/ci/local-users\n")
	require.Regexp(t, `(?m)^600 .*/session-signing-key$`, out)
	require.Contains(t, out, "\nsecret of /otters/ci/session-signing-key\n")
	require.NotContains(t, out, "644 ")

	out, err = run(t, environment("/otters/ci"), "production/node.sh", "worker")
	require.NoError(t, err, out)
	require.Contains(t, out, "\nsecret of /otters/ci/worker-key\n")
	require.NotContains(t, out, "postgres", "a worker learns nothing of the web node's")

	for _, c := range []struct{ path, node, want string }{
		{"/missing", "web", "no parameter /missing/session-signing-key"},
		{"/missing", "worker", "no parameter /missing/worker-key"},
		{"", "web", "CONCOURSE_SECRETS is not set"},
		{"/otters/ci", "both", `got "both", wanted web or worker`},
	} {
		out, err = run(t, environment(c.path), "production/node.sh", c.node)
		require.Error(t, err)
		require.Contains(t, out, c.want)
		require.NotContains(t, out, "arguments:")
	}
}

// release makes an archive as the official ones are, and its checksum.
func release(t *testing.T) (file, sum string) {
	t.Helper()
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	archive := tar.NewWriter(compressed)
	text := []byte("#!/bin/bash\n")
	require.NoError(t, archive.WriteHeader(&tar.Header{Name: "concourse/bin/concourse", Mode: 0o755, Size: int64(len(text))}))
	_, err := archive.Write(text)
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	require.NoError(t, compressed.Close())
	file = filepath.Join(t.TempDir(), "release.tgz")
	require.NoError(t, os.WriteFile(file, packed.Bytes(), 0o600))
	hash := sha256.Sum256(packed.Bytes())
	return file, hex.EncodeToString(hash[:])
}

func TestAnInstallationIsOfTheReleaseThatWasMeantAndHoldsNoSecret(t *testing.T) {
	file, sum := release(t)
	root := t.TempDir()
	settings := []string{
		"ROOT=" + root, "CONCOURSE_ARCHIVE=file://" + file, "CONCOURSE_VERSION=8.2.5", "CONCOURSE_SHA256=" + sum,
		"CONCOURSE_SECRETS=/otters/ci", "AWS_REGION=eu-west-3", "CONCOURSE_EXTERNAL_URL=https://ci.otters.example.net",
		"CONCOURSE_POSTGRES_HOST=db.example.net", "CONCOURSE_TSA_HOST=ci.otters.example.net:2222",
	}
	for _, node := range []string{"web", "worker"} {
		out, err := run(t, settings, "production/install.sh", node)
		require.NoError(t, err, out)
		require.FileExists(t, root+"/usr/local/concourse/bin/concourse")
		require.FileExists(t, root+"/etc/systemd/system/concourse-"+node+".service")
		require.FileExists(t, root+"/etc/concourse/"+node+".env")
		unit := read(root + "/etc/systemd/system/concourse-" + node + ".service")
		require.Contains(t, unit, "ExecStart=/usr/local/lib/concourse/node.sh "+node+"\n")
		require.FileExists(t, root+"/usr/local/lib/concourse/node.sh")
	}
	require.Equal(t, "CONCOURSE_SECRETS=/otters/ci\nAWS_REGION=eu-west-3\nCONCOURSE_TSA_HOST=ci.otters.example.net:2222\n", read(root+"/etc/concourse/site.env"))

	for _, c := range []struct{ setting, node, want string }{
		{"CONCOURSE_SHA256=" + strings.Repeat("0", 64), "web", "is not the one with SHA-256 0000"},
		{"CONCOURSE_SHA256=", "web", `CONCOURSE_SHA256 is "", wanted something like`},
		{"CONCOURSE_VERSION=latest", "web", `CONCOURSE_VERSION is "latest"`},
		{"CONCOURSE_EXTERNAL_URL=http://ci.example.net", "web", `CONCOURSE_EXTERNAL_URL is "http://ci.example.net"`},
		{"CONCOURSE_TSA_HOST=", "worker", `CONCOURSE_TSA_HOST is ""`},
		{"CONCOURSE_SECRETS=ci", "worker", `CONCOURSE_SECRETS is "ci"`},
		{"X=", "both", `got "both", wanted web or worker`},
	} {
		empty := t.TempDir()
		out, err := run(t, append(settings, c.setting, "ROOT="+empty), "production/install.sh", c.node)
		require.Error(t, err)
		require.Contains(t, out, c.want)
		require.NoFileExists(t, empty+"/usr/local/concourse/bin/concourse")
	}
}

func TestEverySettingOfProductionAndComposeIsKnownToConcourse(t *testing.T) {
	concoursetest.Needs(t)
	out, err := exec.CommandContext(t.Context(), "build/build.sh").Output()
	require.NoError(t, err)
	known := ""
	for _, node := range []string{"web", "worker"} {
		help, err := exec.CommandContext(t.Context(), strings.TrimSpace(string(out))+"/concourse", node, "--help").CombinedOutput()
		require.NoError(t, err)
		known += regexp.MustCompile(`-\s*\n\s*`).ReplaceAllString(string(help), "") // it is narrow
	}
	count := 0
	for _, file := range []string{"compose.yml", "production/web.env", "production/worker.env", "production/node.sh"} {
		for _, name := range regexp.MustCompile(`(?m)^\s*(CONCOURSE_[A-Z0-9_]+)[=:]`).FindAllStringSubmatch(read(file), -1) {
			require.Contains(t, known, "[$"+name[1]+"]", "%s: %s", file, name[1])
			count++
		}
	}
	require.Greater(t, count, 40)
}

func TestTheComposeFileIsOneAndAsksForThePassword(t *testing.T) {
	if _, err := exec.LookPath("docker-compose"); err != nil {
		concoursetest.Missing(t, "docker-compose is not installed")
	}
	config := func(password string) (string, error) {
		command := exec.CommandContext(t.Context(), "docker-compose", "-f", "compose.yml", "config")
		command.Env = append(os.Environ(), "BOGOPS_CI_PASSWORD="+password)
		out, err := command.CombinedOutput()
		return string(out), err
	}
	out, err := config("fish")
	require.NoError(t, err, out)
	for _, want := range []string{"command: web", "command: worker", "admin:fish", "127.0.0.1:8080:8080"} {
		require.Contains(t, out, want)
	}
	out, err = config("")
	require.Error(t, err)
	require.Contains(t, out, "export BOGOPS_CI_PASSWORD first")
}
