//go:build ceph

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	infra "bogops/infra/ceph"
	"bogops/infra/ceph/cephtest"
)

// reference runs the reference platform on the cluster and returns its URL.
func reference(t *testing.T, cluster *infra.Cluster) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "app")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "ceph", "-o", binary, "bogops/app").CombinedOutput()
	require.NoError(t, err, "%s", built)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	app := exec.Command(binary, "--listen", address, "--store", "ceph:objects", "--ceph-conf", cluster.Conf(), "--ceph-key-file", cluster.Keyring("objects"), "--contest", "test")
	app.Env = append(os.Environ(), "BOGOPS_JUDGE_TOKEN="+judgeToken)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	app.Stdout, app.Stderr = log, log
	require.NoError(t, app.Start())
	t.Cleanup(func() {
		_ = app.Process.Signal(syscall.SIGTERM)
		_ = app.Wait()
	})
	url := "http://" + address
	require.Eventually(t, func() bool {
		answer, err := http.Get(url + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, 30*time.Second, 100*time.Millisecond)
	return url
}

const judgeToken = "a-token-of-the-judge"

// program writes a script of the organiser that runs a tool of Ceph.
func program(t *testing.T, name, line string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\nset -e\n"+line+"\n"), 0o700))
	return path
}

func TestTheReferenceIsProvenInARealCephUntilTheKeyIsWithdrawn(t *testing.T) {
	cluster := cephtest.Own(t, infra.Options{})
	url := reference(t, cluster)
	as := func(tool, user string) string {
		return fmt.Sprintf("%s -c %s -n client.%s -k %s", tool, cluster.Conf(), user, cluster.Keyring(user))
	}
	remove := program(t, "remove", "exec "+as("rados", "objects")+` -p "$1" -N "$2" rm "$3"`)
	read := program(t, "read", as("rados", "judge")+` -p "$1" -N "$2" get "$3" - | tail -c "+$(($4 + 1))" | head -c "$5"`)
	status := program(t, "status", "exec "+as("ceph", "judge")+` "$@"`)
	metrics, err := cluster.Metrics(t.Context())
	require.NoError(t, err)
	kept := filepath.Join(t.TempDir(), "evidence")
	probing := []string{"probe", "--brick", "ceph", "--url", url, "--token", judgeToken, "--control", strings.TrimPrefix(url, "http://"), "--evidence", kept, "--ceph-pool", "objects"}
	rados := append(probing[:len(probing):len(probing)], "--ceph-monitors", strings.Join(cluster.Monitors(), ";"), "--ceph-key", "file:"+cluster.Keyring("judge"), "--ceph-metrics", metrics)
	key, err := os.ReadFile(cluster.Keyring("judge"))
	require.NoError(t, err)

	code, stdout, stderr := validator(t, nil, append(rados, "--ceph-sentinel", remove)...)
	require.Equal(t, exitPass, code, stdout+stderr)
	require.Contains(t, stdout, "256 KiB read back in Ceph: pool objects")
	require.Contains(t, stdout, "no longer served")
	require.Contains(t, stdout, "[R: on 1 machine(s)", "three hosts of CRUSH on one machine carry the mark")
	require.NotContains(t, stdout, "UNPROVEN")
	proven := proofIn(t, kept)
	require.Equal(t, cluster.FSID(), proven.FSID)
	require.Len(t, proven.Put, 64)
	require.Equal(t, proven.Put, proven.Got)
	require.Len(t, proven.Pieces[0].OSDs, 3)
	require.NotEmpty(t, proven.Pieces[0].PG)
	require.NotEmpty(t, proven.Pieces[0].Name)
	withoutSecret(t, kept, strings.TrimSpace(strings.SplitN(string(key), "key =", 2)[1]))

	code, stdout, stderr = validator(t, nil, append(probing, "--ceph-command", read, "--ceph-status", status)...)
	require.Equal(t, exitPass, code, "by a command: "+stdout+stderr)
	require.Contains(t, stdout, "256 KiB read back in Ceph")
	code, stdout, _ = validator(t, nil, append(probing, "--ceph-command", read)...)
	require.Equal(t, exitInconclusive, code, stdout, "a command alone proves nothing: the monitors were not asked")

	_, err = cluster.Ceph(t.Context(), "auth", "del", "client.judge")
	require.NoError(t, err)
	code, stdout, stderr = validator(t, nil, rados...)
	require.Equal(t, exitInconclusive, code, stdout+stderr)
	require.Regexp(t, `UNPROVEN +ceph/roundtrip .*refuses the judge's credentials`, stdout)
	require.NotContains(t, stdout, "OK          ceph/roundtrip")
}

// proof is what the evidence must hold of a round trip.
type proof struct {
	FSID, Pool string
	Put        string `json:"put_sha256"`
	Got        string `json:"got_sha256"`
	Pieces     []struct {
		Name string
		PG   string `json:"pgid"`
		OSDs []int  `json:"acting"`
	}
}

func proofIn(t *testing.T, dir string) proof {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var document struct {
			Verdict  struct{ Check string }
			Attempts []struct {
				Facts []struct {
					Name  string
					Value json.RawMessage
				}
			}
		}
		require.NoError(t, json.Unmarshal(text, &document))
		if document.Verdict.Check != "ceph/roundtrip" {
			continue
		}
		for _, fact := range document.Attempts[0].Facts {
			if fact.Name == "proof" {
				var p proof
				require.NoError(t, json.Unmarshal(fact.Value, &p))
				return p
			}
		}
	}
	t.Fatal("no evidence holds a proof")
	return proof{}
}

func withoutSecret(t *testing.T, dir, secret string) {
	t.Helper()
	require.NotEmpty(t, secret)
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		require.NotContains(t, string(text), secret)
		return err
	}))
}
