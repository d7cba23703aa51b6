package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/certs"
)

func TestEverySettingOfTheCertificatesReachesThem(t *testing.T) {
	key := filepath.Join(t.TempDir(), "fleet.key")
	require.NoError(t, os.WriteFile(key, []byte(strings.Repeat("01", 32)), 0o600))
	cfg, err := parseConfig([]string{
		"--certs", "acme", "--names", "a.test,b.test", "--cert-file", "cert", "--key-file", "key",
		"--acme-directory", "https://ca.test/dir", "--acme-root", "root", "--acme-cache", "cache", "--acme-local", "local",
		"--acme-email", "who@a.test", "--acme-production", "--fleet-key-file", key, "--instance", "i-7",
	}, environment(), io.Discard)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	require.Equal(t, certs.Config{
		Mode: "acme", Names: []string{"a.test", "b.test"}, CertFile: "cert", KeyFile: "key",
		Directory: "https://ca.test/dir", RootFile: "root", CacheDir: "cache", LocalDir: "local", Email: "who@a.test",
		Production: true, FleetKey: bytes.Repeat([]byte{1}, 32), Instance: "i-7", Logger: log,
	}, certificateConfig(cfg, log))
}

func TestAMissingDirectoryForTheSharedCacheEndsTheStartWithOneSentence(t *testing.T) {
	dir := t.TempDir()
	key, missing := filepath.Join(dir, "fleet.key"), filepath.Join(dir, "missing")
	require.NoError(t, os.WriteFile(key, []byte(strings.Repeat("01", 32)), 0o600))
	args := []string{"--listen", "127.0.0.1:0", "--store", "mem:", "--certs", "acme", "--names", "a.test",
		"--acme-directory", "https://127.0.0.1:1/dir", "--acme-cache", missing, "--fleet-key-file", key}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	err := run(ctx, args, environment(), io.Discard)
	require.EqualError(t, err, "--certs acme: certs: the shared certificate cache does not answer: stat "+missing+
		": no such file or directory; want an existing directory that the whole fleet shares")
	require.NoDirExists(t, missing)
}
