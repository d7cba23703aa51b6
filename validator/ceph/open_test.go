package ceph_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/ceph"
	"bogops/validator/contest"
	"bogops/validator/target"
	"bogops/validator/verdict"
)

// script writes a program of the organiser.
func script(t *testing.T, lines string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "command")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+lines+"\n"), 0o700))
	return path
}

var piece = ceph.Object{Pool: "objects", Namespace: "space", Name: "a name; rm -rf"}

func TestACommandIsCalledWithThePieceAndPrintsItsBytes(t *testing.T) {
	section := &contest.Ceph{
		Mode: "exec", Command: []string{script(t, `printf '%s|' "$@"`), "first"},
		Status: []string{script(t, `echo "{\"said\": \"$*\"}"`)},
	}
	cluster := ceph.Open(section, ceph.Options{})
	got, err := cluster.Read(t.Context(), piece, 64, 100)
	require.NoError(t, err)
	require.Equal(t, "first|objects|space|a name; rm -rf|64|100|", string(got))
	got, err = cluster.Ask(t.Context(), ceph.Query{Prefix: "osd map", Args: []ceph.Arg{{Name: "pool", Value: "objects"}, {Name: "object", Value: "x"}}})
	require.NoError(t, err)
	require.JSONEq(t, `{"said": "osd map objects x --format=json"}`, string(got))
}

func TestWhatACommandDoesWrongHasItsClass(t *testing.T) {
	for _, c := range []struct {
		name, lines string
		class       error
		says        string
	}{
		{"fails", `echo "no such object" >&2; exit 1`, ceph.ErrFailed, "exit 1: no such object"},
		{"prints too much", `head -c 200 /dev/zero`, ceph.ErrFailed, "more than the 10 bytes"},
		{"cannot connect", `exit 255`, ceph.ErrUnreachable, "exit 255"},
		{"says much", `head -c 9999 /dev/zero | tr '\0' x >&2; exit 1`, ceph.ErrFailed, "xxx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ceph.Open(&contest.Ceph{Mode: "exec", Command: []string{script(t, c.lines)}}, ceph.Options{}).Read(t.Context(), piece, 0, 10)
			require.ErrorIs(t, err, c.class)
			require.ErrorContains(t, err, c.says)
			require.Less(t, len(err.Error()), 4096)
		})
	}
	for name, program := range map[string]string{"is not there": filepath.Join(t.TempDir(), "none"), "says that the judge is at fault": script(t, "exit 110")} {
		t.Run(name, func(t *testing.T) {
			_, err := ceph.Open(&contest.Ceph{Mode: "exec", Command: []string{program}}, ceph.Options{}).Read(t.Context(), piece, 0, 10)
			require.Error(t, err)
			require.Equal(t, verdict.JudgeError, verdict.Of(ceph.Settle(t.Context(), target.Target{}, err, "bytes")))
		})
	}
}

func TestWhatCommandsSayHasNoSecretsInIt(t *testing.T) {
	says := []string{script(t, `echo "bad key AQDn-the-key-of-the-judge" >&2; exit 1`)}
	cluster := ceph.Open(&contest.Ceph{
		Mode: "exec", Key: "AQDn-the-key-of-the-judge", Command: says, Status: says, StopOSD: says, Sentinel: contest.Sentinel{Command: says},
	}, ceph.Options{})
	_, read := cluster.Read(t.Context(), piece, 0, 10)
	_, asked := cluster.Ask(t.Context(), ceph.Query{Prefix: "status"})
	for name, err := range map[string]error{"read": read, "asked": asked, "removed": cluster.Remove(t.Context(), piece), "stopped": cluster.OSD(t.Context(), "stop")} {
		require.ErrorContains(t, err, "bad key", name)
		require.NotContains(t, err.Error(), "AQDn", name)
	}
}

func TestACommandThatHangsIsEndedWithWhatItStarted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := ceph.Open(&contest.Ceph{Mode: "exec", Command: []string{script(t, "sleep 300 & wait")}}, ceph.Options{}).Read(ctx, piece, 0, 10)
	require.ErrorIs(t, err, ceph.ErrUnreachable)
	require.Less(t, time.Since(begin), 100*time.Second, "it did not wait for the end of the program")
}

func TestAWayThatWasNotGivenIsUnproven(t *testing.T) {
	for _, section := range []*contest.Ceph{nil, {Mode: "rgw", Endpoint: "https://gateway.test", Bucket: "b", AccessKey: "a", SecretKey: "s"}} {
		cluster := ceph.Open(section, ceph.Options{})
		_, err := cluster.Read(t.Context(), piece, 0, 10)
		require.ErrorIs(t, err, ceph.ErrNoWay)
		_, err = cluster.Health(t.Context())
		require.ErrorIs(t, err, ceph.ErrNoWay)
		require.Equal(t, verdict.Unproven, verdict.Of(ceph.Settle(t.Context(), target.Target{}, err, "bytes")))
	}
}

func TestTheManagersMetricsTellTheHealth(t *testing.T) {
	page := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if page == "" {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
			return
		}
		fmt.Fprint(w, page)
	}))
	defer server.Close()
	cluster := ceph.Open(&contest.Ceph{Mode: "exec", Command: []string{"cat"}, Metrics: server.URL + "/metrics"}, ceph.Options{})
	for text, want := range map[string]string{
		"# HELP ceph_health_status x\nceph_health_status 0.0\n": "HEALTH_OK", "ceph_health_status 1.0\n": "HEALTH_WARN", "ceph_health_status 2\n": "HEALTH_ERR",
	} {
		page = text
		got, err := cluster.Metrics(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", "up 1\n", "ceph_health_status 7\n"} {
		page = text
		_, err := cluster.Metrics(t.Context())
		require.ErrorIs(t, err, ceph.ErrFailed, text)
	}
	server.Close()
	_, err := cluster.Metrics(t.Context())
	require.ErrorIs(t, err, ceph.ErrUnreachable)
}

func TestTheGatewayIsReadWithItsKeysAndItsRefusalsHaveClasses(t *testing.T) {
	answer := func(w http.ResponseWriter, code string, status int) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code></Error>`, code)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.Contains(r.Header.Get("Authorization"), "Credential=AKJUDGE/"):
			answer(w, "InvalidAccessKeyId", 403)
		case r.URL.Path == "/bucket/there":
			fmt.Fprint(w, "0123456789")
		case r.URL.Path == "/bucket/absent":
			answer(w, "NoSuchKey", 404)
		default:
			answer(w, "SlowDown", 503)
		}
	}))
	defer server.Close()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	section := contest.Ceph{Mode: "rgw", Endpoint: server.URL, Bucket: "bucket", AccessKey: "AKJUDGE", SecretKey: "very-secret"}
	gateway := ceph.Open(&section, ceph.Options{Roots: roots}).Gateway
	got, err := gateway.Object(t.Context(), "bucket", "there", 5)
	require.NoError(t, err)
	require.Equal(t, "01234", string(got))
	for key, class := range map[string]error{"absent": ceph.ErrNotFound, "slow": ceph.ErrFailed} {
		_, err = gateway.Object(t.Context(), "bucket", key, 5)
		require.ErrorIs(t, err, class)
	}
	section.AccessKey = "AKOTHER"
	_, err = ceph.Open(&section, ceph.Options{Roots: roots}).Gateway.Object(t.Context(), "bucket", "there", 5)
	require.ErrorIs(t, err, ceph.ErrDenied)
	require.NotContains(t, err.Error(), "AKOTHER")
	server.Close()
	_, err = gateway.Object(t.Context(), "bucket", "there", 5)
	require.ErrorIs(t, err, ceph.ErrUnreachable)
}

func TestSilenceOfBothClusterAndControlIsTheJudgesOwn(t *testing.T) {
	control := httptest.NewServer(http.NotFoundHandler())
	at := strings.TrimPrefix(control.URL, "http://")
	settled := func(t2 target.Target) verdict.Status {
		return verdict.Of(ceph.Settle(t.Context(), t2, ceph.ErrUnreachable, "bytes"))
	}
	require.Equal(t, verdict.Unproven, settled(target.Target{Control: at}))
	require.Equal(t, verdict.Unproven, settled(target.Target{}), "the platform answers, so the network works")
	control.Close()
	require.Equal(t, verdict.JudgeError, settled(target.Target{Control: at}))
}
