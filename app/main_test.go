package main

import (
	"bufio"
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
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startHere runs the program in this process; the returned function tells it
// to stop, as a signal would.
func startHere(t *testing.T, args ...string) (*instance, context.CancelFunc) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	i := &instance{t: t, out: newOutput(), done: make(chan error, 1)}
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		i.out.follow(read)
	}()
	go func() {
		env := environment("BOGOPS_JUDGE_TOKEN="+judge, "BOGOPS_READER_TOKEN="+reader)
		err := run(ctx, append([]string{"--listen", "127.0.0.1:0"}, args...), env, write)
		write.Close()
		<-followed
		i.done <- err
	}()
	t.Cleanup(func() { stop(); _ = i.end() })
	i.await()
	return i, stop
}

func TestAServerStoresAndReadsUntilItIsTold(t *testing.T) {
	app, stop := startHere(t, "--store", "mem:", "--team", "loutres", "--contest", "c1", "--instance", "i-7",
		"--app-version", "r1+n1", "--zone", "a", "--deployed-at", "2025-06-01T11:00:00+02:00", "--max-object", "256MiB")
	status, _, err := call(http.DefaultClient, "GET", app.url+"/healthz", nil)
	require.NoError(t, err)
	require.Equal(t, 200, status)
	status, _, err = call(http.DefaultClient, "PUT", app.url+"/v1/objects/k", strings.NewReader("hello"))
	require.NoError(t, err)
	require.Equal(t, 201, status)
	status, body, err := call(http.DefaultClient, "GET", app.url+"/v1/objects/k?process=upper", nil)
	require.NoError(t, err)
	require.Equal(t, 200, status)
	require.Equal(t, "HELLO", body)

	_, body, err = call(http.DefaultClient, "GET", app.url+"/.well-known/bogops.json", nil)
	require.NoError(t, err)
	for _, want := range []string{`"team":"loutres"`, `"contest":"c1"`, `"instance":"i-7"`, `"version":"r1+n1"`, `"zone":"a"`,
		`"deployed_at":"2025-06-01T09:00:00Z"`, `"store":"memory"`, `"object_bytes":268435456`, `"process_bytes":67108864`} {
		require.Contains(t, body, want)
	}

	answer, err := http.Get(app.url + "/healthz")
	require.NoError(t, err)
	answer.Body.Close()
	require.Empty(t, answer.Header.Get("Strict-Transport-Security"), "asked over plain HTTP")

	stop()
	require.NoError(t, app.end())
	_, _, err = call(http.DefaultClient, "GET", app.url+"/healthz", nil)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestTheHandicapDelaysObjectsAndNothingElse(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:", "--handicap", "100ms")
	began := time.Now()
	_, _, err := call(http.DefaultClient, "GET", app.url+"/v1/objects/k", nil)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond)

	app, _ = startHere(t, "--store", "mem:", "--handicap", "1h")
	patient := &http.Client{Timeout: 30 * time.Second}
	for _, path := range []string{"/healthz", "/readyz", "/.well-known/bogops.json"} {
		status, _, err := call(patient, "GET", app.url+path, nil)
		require.NoError(t, err)
		require.Equal(t, 200, status, path)
	}
}

// upload is a PUT of ten bytes of which half have been sent.
type upload struct {
	conn net.Conn
	in   *bufio.Reader
}

func beginUpload(t *testing.T, app *instance) *upload {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(app.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = io.WriteString(conn, "PUT /v1/objects/slow HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\nAuthorization: Bearer "+judge+"\r\n\r\n")
	require.NoError(t, err)
	u := &upload{conn, bufio.NewReader(conn)}
	// The interim answer proves that the handler reads the body now.
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} {
		line, err := u.in.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, want, line)
	}
	_, err = io.WriteString(conn, "01234")
	require.NoError(t, err)
	return u
}

// finish sends the rest and returns the status and whether the server closes.
func (u *upload) finish(t *testing.T) (status int, closes bool) {
	t.Helper()
	_, err := io.WriteString(u.conn, "56789")
	require.NoError(t, err)
	answer, err := http.ReadResponse(u.in, nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, answer.Close
}

func TestADrainBeginsNotReadyAndServesAsEverForItsDelay(t *testing.T) {
	app := start(t, nil, "--store", "mem:", "--drain-delay", "1h") // killed in the midst of it
	require.NoError(t, app.cmd.Process.Signal(syscall.SIGTERM))
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	require.Eventually(t, func() bool {
		status, body, err := call(fresh, "GET", app.url+"/readyz", nil)
		return err == nil && status == 503 && strings.Contains(body, "draining")
	}, 30*time.Second, 5*time.Millisecond)
	status, _, err := call(fresh, "GET", app.url+"/healthz", nil)
	require.NoError(t, err, "refused before the delay was over")
	require.Equal(t, 200, status)
	status, _, err = call(fresh, "PUT", app.url+"/v1/objects/k", strings.NewReader("hello"))
	require.NoError(t, err)
	require.Equal(t, 201, status)
}

func TestADrainFinishesTheUploadInFlightAndRefusesNewConnections(t *testing.T) {
	app, stop := startHere(t, "--store", "mem:", "--drain-delay", "100ms")
	slow := beginUpload(t, app)
	stop()
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	require.Eventually(t, func() bool {
		_, _, err := call(fresh, "GET", app.url+"/healthz", nil)
		return err != nil
	}, 20*time.Second, 10*time.Millisecond)
	select {
	case err := <-app.done:
		require.FailNow(t, "the server ended with an upload in flight", "%v", err)
	default:
	}
	status, closes := slow.finish(t)
	require.Equal(t, 201, status)
	require.True(t, closes, "the client is not told to go elsewhere")
	require.NoError(t, app.end())
}

func TestADrainEndsWhenItsTimeIsOver(t *testing.T) {
	app, stop := startHere(t, "--store", "mem:", "--drain", "50ms")
	beginUpload(t, app)
	stop()
	require.NoError(t, app.end())
	require.Contains(t, app.out.String(), "requests were cut")
}

func TestSIGTERMDrainsARealProcessAndItEndsWith0(t *testing.T) {
	dir := t.TempDir()
	app := start(t, nil, "--store", "file:"+dir)
	slow := beginUpload(t, app)
	require.NoError(t, app.cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { return strings.Contains(app.out.String(), `"draining"`) }, 20*time.Second, 5*time.Millisecond)
	status, _ := slow.finish(t)
	require.Equal(t, 201, status)
	require.Equal(t, 0, app.exitCode(), app.out.String())

	again := start(t, nil, "--store", "file:"+dir)
	_, body, err := call(http.DefaultClient, "GET", again.url+"/v1/objects/slow", nil)
	require.NoError(t, err)
	require.Equal(t, "0123456789", body)
}

func TestWhatCannotStartSaysWhyInOneSentenceAndExits(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	address := taken.Addr().String()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--store", "ftp:x"}, 64, `app: --store: "ftp:x" given; want ceph:POOL or ceph:POOL/NAMESPACE, s3:BUCKET, file:DIR or mem:`},
		{[]string{"--store", "mem:", "--listen", address}, 1, "app: --listen " + address + ": "},
		{[]string{"--store", "mem:", "--http-listen", address}, 1, "app: --http-listen " + address + ": "},
		{[]string{"--store", "file:" + file + "/below"}, 1, "app: --store file:" + file + "/below: "},
		{[]string{"--store", "mem:", "--certs", "files", "--cert-file", file, "--key-file", file}, 1, "app: --certs files: "},
	} {
		app := start(t, nil, c.args...)
		require.Empty(t, app.url, "it listens with %v", c.args)
		require.Equal(t, c.code, app.exitCode(), app.out.String())
		lines := strings.Split(strings.TrimSpace(app.out.String()), "\n")
		require.Contains(t, lines[len(lines)-1], c.want)
		require.NotContains(t, app.out.String(), "goroutine")
	}
}

func TestHTTPSIsServedWithBothProtocolsAndPort80Redirects(t *testing.T) {
	dir := t.TempDir()
	roots := writeCertificate(t, dir, "bog.test")
	app, _ := startHere(t, "--store", "mem:", "--certs", "files", "--names", "bog.test", "--http-listen", "127.0.0.1:0",
		"--cert-file", filepath.Join(dir, "cert.pem"), "--key-file", filepath.Join(dir, "key.pem"))
	for protocol, h2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		client := &http.Client{Transport: &http.Transport{
			ForceAttemptHTTP2: h2,
			TLSClientConfig:   &tls.Config{RootCAs: roots, ServerName: "bog.test"},
		}}
		answer, err := client.Get(app.url + "/readyz")
		require.NoError(t, err)
		answer.Body.Close()
		require.Equal(t, 200, answer.StatusCode)
		require.Equal(t, protocol, answer.Proto)
		require.Equal(t, "max-age=31536000", answer.Header.Get("Strict-Transport-Security"))
		client.CloseIdleConnections()
	}
	r, err := http.NewRequest("PUT", "http://"+app.http+"/v1/objects/a%2Fb?x=1", nil)
	require.NoError(t, err)
	r.Host = "bog.test"
	answer, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(t, err)
	answer.Body.Close()
	require.Equal(t, 308, answer.StatusCode)
	require.Equal(t, "https://bog.test/v1/objects/a%2Fb?x=1", answer.Header.Get("Location"))
}

func TestADrainFinishesAnUploadOverHTTP2(t *testing.T) {
	dir := t.TempDir()
	roots := writeCertificate(t, dir, "bog.test")
	app, stop := startHere(t, "--store", "mem:", "--certs", "files", "--names", "bog.test",
		"--cert-file", filepath.Join(dir, "cert.pem"), "--key-file", filepath.Join(dir, "key.pem"))
	client := &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, ServerName: "bog.test"},
	}}
	body, rest := io.Pipe()
	status := make(chan int, 1)
	go func() {
		code, _, _ := call(client, "PUT", app.url+"/v1/objects/slow", body)
		status <- code
	}()
	_, err := io.WriteString(rest, "01234")
	require.NoError(t, err)
	code, _, err := call(client, "GET", app.url+"/healthz", nil) // same connection: the PUT came before
	require.NoError(t, err)
	require.Equal(t, 200, code)
	stop()
	require.Eventually(t, func() bool { return strings.Contains(app.out.String(), `"draining"`) }, 20*time.Second, 5*time.Millisecond)
	_, err = io.WriteString(rest, "56789")
	require.NoError(t, err)
	require.NoError(t, rest.Close())
	require.Equal(t, 201, <-status)
	require.NoError(t, app.end())
	require.NotContains(t, app.out.String(), "requests were cut")
}

// writeCertificate writes a self-signed certificate for name and its key.
func writeCertificate(t *testing.T, dir, name string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for file, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600))
	}
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return pool
}
