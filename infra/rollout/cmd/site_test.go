package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/fleet"
)

// asCommand makes the command of this test's binary.
const asCommand = "BOGOPS_ROLLOUT_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

const (
	host       = "otters.example.net"
	fleetToken = "token-of-the-fleet"
	judgeToken = "token-of-the-judge-of-this-test"
)

// builtApp builds the reference server, once for all tests.
var builtApp = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bogops-rollout-app-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "app")
	defer os.RemoveAll(dir) // the bytes are kept
	if output, err := exec.Command("go", "build", "-o", path, "bogops/app").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	text, err := os.ReadFile(path)
	return string(text), err
})

// site is a real platform: a group on a directory of objects, its balancer, its
// control API.
type site struct {
	group   *fleet.Group
	address string // of the balancer
	control string // URL
	roots   *x509.CertPool
	log     *diary
}

// diary is a log that tests may read while it is written.
type diary struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(p)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

func open(t *testing.T) *site {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts real servers")
	}
	dir := t.TempDir()
	s := &site{log: &diary{}}
	chain, key := s.certify(t, dir)
	objects := filepath.Join(dir, "objects")
	require.NoError(t, os.Mkdir(objects, 0o700))
	var listeners [2]net.Listener
	for i := range listeners {
		var err error
		listeners[i], err = net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
	}
	s.address = listeners[0].Addr().String()
	var err error
	s.group, err = fleet.Start(t.Context(), fleet.Options{
		ID: "otters", Dir: filepath.Join(dir, "fleet"), Size: 2, ServerName: host, Token: fleetToken,
		TLS: listeners[0], HTTP: listeners[1], Log: s.log, Env: []string{"BOGOPS_JUDGE_TOKEN=" + judgeToken},
		Args: func(instance, version string) []string {
			return []string{
				"--store", "file:" + objects, "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
				"--certs", "files", "--cert-file", chain, "--key-file", key, "--names", host,
				"--drain", "10s", "--drain-delay", "2s", "--instance", instance, "--app-version", version,
			}
		},
	})
	require.NoError(t, err)
	server := httptest.NewServer(s.group.Handler())
	s.control = server.URL
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, s.group.Stop())
		if t.Failed() {
			t.Log(s.log.String())
		}
	})
	return s
}

// certify makes a certificate for the host and its files.
func (s *site) certify(t *testing.T, dir string) (chain, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	chain, key = filepath.Join(dir, "chain.pem"), filepath.Join(dir, "key.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	require.NoError(t, os.WriteFile(chain, certificate, 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	s.roots = x509.NewCertPool()
	require.True(t, s.roots.AppendCertsFromPEM(certificate))
	return chain, key
}

// pack writes a package of the real app with that start script.
func pack(t *testing.T, revision, start string) string {
	t.Helper()
	app, err := builtApp()
	require.NoError(t, err)
	files := map[string]string{"app": app, "start.sh": "#!/bin/sh\nset -eu\n" + start + "\n", "VERSION": revision + "\n", "sbom.cdx.json": "{}\n"}
	var sums strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(files[name])), name)
	}
	files["SHA256SUMS"] = sums.String()
	path := filepath.Join(t.TempDir(), "bogops-app-"+revision+".tar.gz")
	file, err := os.Create(path)
	require.NoError(t, err)
	zipped, err := gzip.NewWriterLevel(file, gzip.NoCompression)
	require.NoError(t, err)
	archive := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		require.NoError(t, archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(files[name]))}))
		_, err := io.WriteString(archive, files[name])
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	require.NoError(t, zipped.Close())
	require.NoError(t, file.Close())
	return path
}

// honest is the start script that pipelines put into packages, in short.
const honest = `exec "$(dirname "$0")/app" "$@"`

// command runs the command line and returns its exit code and what it printed.
func (s *site) command(args ...string) (code int, printed string) {
	var out diary
	getenv := func(name string) string { return map[string]string{"FLEET_TOKEN": fleetToken}[name] }
	code = run(context.Background(), append(args, "--fleet", s.control), getenv, &out, &out)
	return code, out.String()
}

// deploy rolls a package out and wants that to work.
func (s *site) deploy(t *testing.T, file string, more ...string) string {
	t.Helper()
	code, printed := s.command(append([]string{"deploy", "--package", file, "--holder", t.Name(), "--every", "200ms"}, more...)...)
	require.Equal(t, exitDone, code, printed)
	return printed
}

// client opens a fresh connection for each request.
func (s *site) client() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.roots}, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.address)
		},
	}}
}
