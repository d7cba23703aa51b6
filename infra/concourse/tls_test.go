package concourse_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/infra/acme"
	"bogops/infra/concourse"
)

// trusting is a client that trusts one root, and finds every name at address.
func trusting(t *testing.T, root []byte, address string) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(root))
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

func info(t *testing.T, by *http.Client, at string) string {
	t.Helper()
	answer, err := by.Get(at + "/api/v1/info")
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, string(text))
	return string(text)
}

func TestItsOwnACMEGetsACertificateFromAnAuthority(t *testing.T) {
	t.Parallel()
	authority, err := acme.Start(t.Context(), acme.Options{Located: true})
	require.NoError(t, err)
	t.Cleanup(func() { authority.Close() })
	root := filepath.Join(t.TempDir(), "root.pem")
	require.NoError(t, os.WriteFile(root, authority.ServerRootPEM(), 0o600))
	const name = "ci.otters.bogops.test"
	s := own(t, concourse.Options{TLS: &concourse.TLS{Name: name, Directory: authority.Directory(), DirectoryRoot: root}})
	authority.Route(name, s.Address(), "")
	require.Equal(t, "https://"+name, s.URL())

	by := trusting(t, authority.RootPEM(), s.Address())
	require.Contains(t, info(t, by, s.URL()), `"external_url":"https://`+name+`"`)
	user, password := s.Admin()
	status, _ := loginBy(t, by, s.URL(), user, password).do(http.MethodGet, "workers", "")
	require.Equal(t, http.StatusOK, status)
	execute(t, s, task(t, s, "nothing"))
	require.Equal(t, 1, authority.Orders())

	_, err = by.Get("https://other.bogops.test/api/v1/info")
	require.Error(t, err)
	require.Equal(t, 1, authority.Orders())
}

func TestACertificateFromFilesIsServed(t *testing.T) {
	t.Parallel()
	const name = "ci.pandas.bogops.test"
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	files := concourse.TLS{Name: name, Certificate: filepath.Join(dir, "crt"), Key: filepath.Join(dir, "key")}
	require.NoError(t, os.WriteFile(files.Certificate, certificate, 0o600))
	require.NoError(t, os.WriteFile(files.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))

	s := own(t, concourse.Options{TLS: &files})
	require.Contains(t, info(t, trusting(t, certificate, s.Address()), s.URL()), `"external_url":"https://`+name+`"`)
	_, err = http.Get("https://" + s.Address() + "/api/v1/info")
	require.ErrorContains(t, err, "certificate")
}
