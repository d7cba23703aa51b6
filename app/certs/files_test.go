package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOffHasNoTLSAndIsReady(t *testing.T) {
	source, err := Open(t.Context(), Config{Mode: "off"})
	require.NoError(t, err)
	require.Nil(t, source.TLSConfig())
	require.NoError(t, source.Ready())
	require.Empty(t, source.Ends())
	require.NoError(t, source.Close())
}

func TestFilesAreServedAgainWhenTheyChange(t *testing.T) {
	cert, key := certificateFiles(t)
	first := writePair(t, cert, key, "otter.test", time.Hour)
	source := openFilesQuickly(t, Config{CertFile: cert, KeyFile: key, Names: []string{"otter.test"}})
	require.Equal(t, first, served(t, source, "otter.test").Leaf.SerialNumber)
	require.NoError(t, source.Ready())
	require.Equal(t, map[string]time.Time{"otter.test": served(t, source, "otter.test").Leaf.NotAfter}, source.Ends())

	second := writePair(t, cert, key, "otter.test", time.Hour)
	require.Eventually(t, func() bool {
		return served(t, source, "otter.test").Leaf.SerialNumber.Cmp(second) == 0
	}, 5*time.Second, time.Millisecond)
}

func TestAPairThatDoesNotFitLeavesTheLastGoodOne(t *testing.T) {
	cert, key := certificateFiles(t)
	first := writePair(t, cert, key, "otter.test", time.Hour)
	f, err := openFiles(t.Context(), Config{CertFile: cert, KeyFile: key, Logger: quiet}, defaultPace())
	require.NoError(t, err)
	defer func() { require.NoError(t, f.close()) }()
	last, err := f.read()
	require.NoError(t, err)

	require.Error(t, f.use(pair{last.cert, []byte("half a key")}))
	require.Equal(t, first, f.held.Load().Leaf.SerialNumber)
}

func TestExpiredFilesAreServedButNotReady(t *testing.T) {
	cert, key := certificateFiles(t)
	writePair(t, cert, key, "otter.test", -time.Hour)
	source := openFilesQuickly(t, Config{CertFile: cert, KeyFile: key})
	require.NotNil(t, served(t, source, "otter.test"))
	require.ErrorContains(t, source.Ready(), "expired on")
}

func TestFilesThatCannotServeAreRefusedAtOnce(t *testing.T) {
	cert, key := certificateFiles(t)
	_, err := Open(t.Context(), Config{Mode: "files", CertFile: cert, KeyFile: key})
	require.ErrorIs(t, err, os.ErrNotExist)

	writePair(t, cert, key, "otter.test", time.Hour)
	_, err = Open(t.Context(), Config{Mode: "files", CertFile: cert, KeyFile: key, Names: []string{"panda.test"}})
	require.ErrorContains(t, err, "valid for otter.test, not panda.test")

	_, err = Open(t.Context(), Config{Mode: "files", CertFile: key, KeyFile: cert})
	require.Error(t, err)
}

func TestPort80RedirectsAndKeepsMethodPathAndQuery(t *testing.T) {
	for _, c := range []struct{ names, host, want string }{
		{"otter.test", "otter.test:8080", "https://otter.test/v1/a%2Fb?x=1"},
		{"otter.test", "OTTER.test.", "https://otter.test/v1/a%2Fb?x=1"},
		{"otter.test", "10.0.0.7", "https://otter.test/v1/a%2Fb?x=1"},
		{"", "[::1]:80", "https://[::1]/v1/a%2Fb?x=1"},
	} {
		cfg := Config{Mode: "off"}
		if c.names != "" {
			cfg.Names = []string{c.names}
		}
		source, err := Open(t.Context(), cfg)
		require.NoError(t, err)
		answer := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodPut, "/v1/a%2Fb?x=1", nil)
		request.Host = c.host
		source.HTTPHandler(nil).ServeHTTP(answer, request)
		require.Equal(t, http.StatusPermanentRedirect, answer.Code)
		require.Equal(t, c.want, answer.Header().Get("Location"))
	}
}

func openFilesQuickly(t *testing.T, cfg Config) *Source {
	cfg.Mode = "files"
	quick := defaultPace()
	quick.reload = time.Millisecond
	source, err := open(t.Context(), cfg, quick)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, source.Close()) })
	return source
}

// served returns what a client that asks for name is given.
func served(t *testing.T, source *Source, name string) *tls.Certificate {
	cert, err := source.TLSConfig().GetCertificate(&tls.ClientHelloInfo{ServerName: name, SupportedProtos: []string{"h2"}})
	require.NoError(t, err)
	return cert
}

func certificateFiles(t *testing.T) (cert, key string) {
	dir := t.TempDir()
	return filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
}

// writePair replaces the two files and returns the new serial number.
func writePair(t *testing.T, cert, key, name string, left time.Duration) *big.Int {
	made := selfSigned(t, name, left)
	der, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	require.NoError(t, err)
	replace := func(file, kind string, der []byte) {
		content := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
		require.NoError(t, os.WriteFile(file+".new", content, 0o600))
		require.NoError(t, os.Rename(file+".new", file))
	}
	replace(cert, "CERTIFICATE", made.Certificate[0])
	replace(key, "PRIVATE KEY", der)
	return made.Leaf.SerialNumber
}

// selfSigned makes a certificate with an hour behind it and left before it.
func selfSigned(t *testing.T, name string, left time.Duration) *tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial,
		DNSNames:     []string{name},
		NotBefore:    time.Now().Add(-2 * time.Hour),
		NotAfter:     time.Now().Add(left),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
