package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/fleet"
)

// identity is a certificate for host, and the root that it ends in.
type identity struct {
	root           string // PEM
	pool           *x509.CertPool
	certFile, file string
}

func newIdentity(t *testing.T) identity {
	t.Helper()
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		return k
	}
	rootKey, leafKey, now := key(), key(), time.Now()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a root of the tests"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(48 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	require.NoError(t, err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{host}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(80 * 24 * time.Hour),
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, leafKey.Public(), rootKey)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(leafKey)
	require.NoError(t, err)
	dir := t.TempDir()
	id := identity{certFile: filepath.Join(dir, "cert.pem"), file: filepath.Join(dir, "key.pem"), pool: x509.NewCertPool()}
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	id.root = string(block("CERTIFICATE", rootDER))
	require.True(t, id.pool.AppendCertsFromPEM([]byte(id.root)))
	require.NoError(t, os.WriteFile(id.certFile, block("CERTIFICATE", leafDER), 0o600))
	require.NoError(t, os.WriteFile(id.file, block("PRIVATE KEY", keyDER), 0o600))
	return id
}

// args are those of the reference platform on files.
func (id identity) args(dir, instance, version string) []string {
	return []string{
		"--store", "file:" + dir, "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
		"--certs", "files", "--cert-file", id.certFile, "--key-file", id.file, "--names", host,
		"--team", "otters", "--contest", "a-rehearsal", "--instance", instance, "--app-version", version,
		"--drain", "10s", "--drain-delay", "2s",
	}
}

// platform is what a client sees of the fleet.
type platform struct {
	address string
	pool    *x509.CertPool
}

// machines are the fleet and its balancer.
func (s *stage) machines() (platformSettings, fleetSettings map[string]any) {
	s.t.Helper()
	id := newIdentity(s.t)
	secure, plain := listen(s.t), listen(s.t)
	objects := s.t.TempDir()
	group, err := fleet.Start(s.t.Context(), fleet.Options{
		ID: "otters", Dir: s.t.TempDir(), Size: 2, ServerName: host, TLS: secure, HTTP: plain, Token: s.secrets["fleet_token"], Log: logged{s.t},
		Env:  []string{"BOGOPS_JUDGE_TOKEN=" + s.secrets["judge_token"]},
		Args: func(instance, version string) []string { return id.args(objects, instance, version) },
	})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, group.Stop()) })
	s.fleet, s.platform = group, &platform{secure.Addr().String(), id.pool}
	_, port, err := net.SplitHostPort(s.inside(plain.Addr().String()))
	require.NoError(s.t, err)
	return map[string]any{
		"kind": "local", "url": "https://" + host, "http_port": port, "roots": id.root,
		"resolve": host + "=" + s.inside(secure.Addr().String()),
	}, map[string]any{"url": "http://" + s.inside(serve(s.t, group.Handler()))}
}

// version asks what the platform describes itself as, on a fresh connection.
func (p *platform) version(ctx context.Context) (string, error) {
	transport := &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: p.pool},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, p.address)
		},
	}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/.well-known/bogops.json", nil)
	if err != nil {
		return "", err
	}
	reply, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	var told struct{ Version string }
	if err := json.NewDecoder(reply.Body).Decode(&told); err != nil {
		return "", err
	}
	if reply.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %d", reply.StatusCode)
	}
	return told.Version, nil
}

// runs wants the platform to be of one version on every connection.
func (p *platform) runs(t *testing.T, version string) {
	t.Helper()
	for range 10 {
		got, err := p.version(t.Context())
		require.NoError(t, err)
		require.Equal(t, version, got)
	}
}

// load asks all the time, each time on a fresh connection, until end, which says
// how often it asked and what went wrong.
func (p *platform) load(t *testing.T) (end func() (asked int, wrong []string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var all sync.WaitGroup
	asked, wrong := 0, []string{}
	for range 2 {
		all.Go(func() {
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				at := time.Now()
				_, err := p.version(ctx)
				mu.Lock()
				asked++
				if err != nil && ctx.Err() == nil {
					wrong = append(wrong, fmt.Sprintf("%s: %s", at.Format("15:04:05.000"), strings.TrimSpace(err.Error())))
				}
				mu.Unlock()
			}
		})
	}
	t.Cleanup(func() { cancel(); all.Wait() })
	return func() (int, []string) {
		cancel()
		all.Wait()
		return asked, wrong
	}
}
