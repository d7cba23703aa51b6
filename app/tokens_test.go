package main

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/api"
)

func TestARoleMayHaveSeveralTokensAndOtherFilesStayAsTheyWere(t *testing.T) {
	require.Equal(t, []string{"a", "b"}, tokensIn("a\r\n\n  b \na\n"))
	dir := t.TempDir()
	path := filepath.Join(dir, "judge")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	cfg := Config{JudgeTokenFile: path}
	write(strings.Repeat("x\n", 20) + "y\n")
	got, err := cfg.readTokens(environment())
	require.NoError(t, err)
	require.Equal(t, []string{"x", "y"}, got.Judge)
	var many strings.Builder
	for i := range maxTokens + 1 {
		many.WriteString(strings.Repeat("z", i+1) + "\n")
	}
	write(many.String())
	_, err = cfg.readTokens(environment())
	require.EqualError(t, err, "--judge-token-file: "+path+" holds 17 tokens; want at most 16")
	write("a\nb\n")
	_, err = cfg.readTokens(environment("BOGOPS_WRITER_TOKEN=b"))
	require.EqualError(t, err, "two roles have the same token; want a different one for each")
}

// TestFilesThatHoldNoGoodTokensLeaveTheLastGoodOnes spoils one file in one way
// at a time.
func TestFilesThatHoldNoGoodTokensLeaveTheLastGoodOnes(t *testing.T) {
	dir := t.TempDir()
	judges, readers := filepath.Join(dir, "judge"), filepath.Join(dir, "reader")
	for name, spoil := range map[string]func() error{
		"empty":      func() error { return os.WriteFile(judges, nil, 0o600) },
		"missing":    func() error { return os.Remove(judges) },
		"bad":        func() error { return os.WriteFile(judges, []byte("5ecret with a space"), 0o600) },
		"ambiguous":  func() error { return os.WriteFile(judges, []byte("reader-5ecret\n"), 0o600) },
		"a folder":   func() error { return os.WriteFile(readers, []byte("x\x00-5ecret"), 0o600) },
		"other role": func() error { return os.Remove(readers) },
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(judges, []byte("judge-5ecret\n"), 0o600))
			require.NoError(t, os.WriteFile(readers, []byte("reader-5ecret\n"), 0o600))
			cfg := Config{JudgeTokenFile: judges, ReaderTokenFile: readers}
			var err error
			cfg.Secrets, err = cfg.readTokens(environment())
			require.NoError(t, err)
			var said strings.Builder
			r := &rotation{cfg: cfg, getenv: environment(), tokens: api.NewTokens(cfg.Secrets.roles()), last: cfg.Secrets,
				log: slog.New(slog.NewJSONHandler(&said, nil))}
			require.NoError(t, spoil())
			r.look(false)
			r.look(false)
			r.look(false)
			require.Equal(t, cfg.Secrets, r.last)
			require.Equal(t, 1, strings.Count(said.String(), "last good ones stay valid"), "it is told once: %s", said.String())
			require.NotContains(t, said.String(), "5ecret")
			r.look(true)
			require.Equal(t, 2, strings.Count(said.String(), "last good ones stay valid"), "who sends a signal is answered")
		})
	}
}

func TestHalfATokenIsNeverTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "judge")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	write("the-old-one\n")
	cfg := Config{JudgeTokenFile: path}
	var err error
	cfg.Secrets, err = cfg.readTokens(environment())
	require.NoError(t, err)
	r := &rotation{cfg: cfg, getenv: environment(), tokens: api.NewTokens(cfg.Secrets.roles()), last: cfg.Secrets, log: slog.New(slog.DiscardHandler)}
	write("the-n") // read while it is being written
	r.look(false)
	require.Equal(t, []string{"the-old-one"}, r.last.Judge)
	write("the-new-one\n")
	r.look(false)
	require.Equal(t, []string{"the-old-one"}, r.last.Judge)
	r.look(false)
	require.Equal(t, []string{"the-new-one"}, r.last.Judge)
	write("the-next-one\n")
	r.look(true)
	require.Equal(t, []string{"the-next-one"}, r.last.Judge, "a signal says that the file is whole")
}

func TestTokensRotateInARunningProcessWithAnUploadInFlight(t *testing.T) {
	path := filepath.Join(t.TempDir(), "judge")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	write(judge + "\n")
	app := start(t, nil, "--store", "mem:", "--judge-token-file", path)
	status := func(token string) int {
		got, _, err := callAs(http.DefaultClient, token, "GET", app.url+"/v1/objects/none", nil)
		require.NoError(t, err)
		return got
	}
	becomes := func(token string, want int) {
		t.Helper()
		require.Eventually(t, func() bool { return status(token) == want }, 20*time.Second, 10*time.Millisecond)
	}
	const next = "the-next-5ecret"
	require.Equal(t, 404, status(judge))
	require.Equal(t, 401, status(next))
	slow := beginUpload(t, app)

	// Both are valid while clients change over; the change is found by itself.
	write(judge + "\n" + next + "\n")
	becomes(next, 404)
	require.Equal(t, 404, status(judge))

	// The old one is removed, at once by the signal.
	write(next + "\n")
	require.NoError(t, syscall.Kill(app.pid, syscall.SIGHUP))
	becomes(judge, 401)
	require.Equal(t, 404, status(next))

	// What was let in by the old token goes on to its end.
	got, _ := slow.finish(t)
	require.Equal(t, 201, got)

	// A file that becomes empty locks nobody out.
	write("")
	require.NoError(t, syscall.Kill(app.pid, syscall.SIGHUP))
	require.Eventually(t, func() bool { return strings.Contains(app.out.String(), "last good ones stay valid") }, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, 404, status(next))
	require.NotContains(t, app.out.String(), "5ecret")
}
