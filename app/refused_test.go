package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wantMalformed reads one answer that is a problem like all others, and the
// connection's end.
func wantMalformed(t *testing.T, in *bufio.Reader, status int) (id string) {
	t.Helper()
	answer, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	require.Equal(t, status, answer.StatusCode)
	require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
	var problem struct {
		Type, Title, Detail, Instance string
		Status                        int
	}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&problem))
	require.Equal(t, status, problem.Status)
	require.NotEmpty(t, problem.Type)
	require.NotEmpty(t, problem.Title)
	require.NotEmpty(t, problem.Detail)
	require.NotEmpty(t, problem.Instance)
	require.Equal(t, answer.Header.Get("Request-Id"), problem.Instance)
	require.True(t, answer.Close)
	_, err = in.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	return problem.Instance
}

func TestARequestThatCannotBeParsedGetsAProblemToo(t *testing.T) {
	dir := t.TempDir()
	roots := writeCertificate(t, dir, "bog.test")
	plain, _ := startHere(t, "--store", "mem:")
	secure, _ := startHere(t, "--store", "mem:", "--certs", "files", "--names", "bog.test",
		"--cert-file", filepath.Join(dir, "cert.pem"), "--key-file", filepath.Join(dir, "key.pem"))
	dials := map[string]func() (net.Conn, error){
		"plain": func() (net.Conn, error) { return net.Dial("tcp", strings.TrimPrefix(plain.url, "http://")) },
		"tls": func() (net.Conn, error) {
			return tls.Dial("tcp", strings.TrimPrefix(secure.url, "https://"), &tls.Config{RootCAs: roots, ServerName: "bog.test"})
		},
	}
	const good = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	body := strings.Repeat("x", 1<<20) // unread: a hasty close would reset
	ids := map[string]bool{}
	for kind, dial := range dials {
		for raw, status := range map[string]int{
			"GET /v1/objects/a%zz HTTP/1.1\r\nHost: x\r\n\r\n":                                              400,
			"GET /v1/objects/a%2 HTTP/1.1\r\nHost: x\r\n\r\n":                                               400,
			"PUT /v1/objects/a%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n" + body:            400,
			"GET /healthz HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n":                                          400,
			"GET /healthz HTTP/1.1\r\n\r\n":                                                                 400,
			"PUT /v1/objects/a HTTP/1.1\r\nHost: x\r\nExpect: me\r\nContent-Length: 1048576\r\n\r\n" + body: 417,
			"GET /healthz HTTP/1.0\r\nExpect: me\r\n\r\n":                                                   417,
			"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + body + "\r\n\r\n":                                   431,
			"PUT /v1/objects/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n":                      501,
			"GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n":                                                      505,
		} {
			for _, before := range []int{0, 2} { // also on a connection that was of use
				conn, err := dial()
				require.NoError(t, err)
				in := bufio.NewReader(conn)
				for range before {
					_, err = io.WriteString(conn, good)
					require.NoError(t, err)
					answer, err := http.ReadResponse(in, nil)
					require.NoError(t, err)
					require.Equal(t, 200, answer.StatusCode)
					_, err = io.Copy(io.Discard, answer.Body)
					require.NoError(t, err)
				}
				_, err = io.WriteString(conn, raw)
				require.NoError(t, err)
				id := wantMalformed(t, in, status)
				require.False(t, ids[id], "%s: an id was given twice", kind)
				ids[id] = true
				conn.Close()
			}
		}
	}
}

// An object that looks like net/http's bare answer is nothing but an object.
func TestAnObjectIsNeverTakenForARefusal(t *testing.T) {
	app, _ := startHere(t, "--store", "mem:")
	bare := "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"
	object := strings.Repeat(bare+strings.Repeat(".", 4096-len(bare)), 300)
	status, _, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/k", strings.NewReader(object))
	require.NoError(t, err)
	require.Equal(t, 201, status)
	for range 3 {
		_, got, err := call(http.DefaultClient, "GET", app.url+"/v1/objects/k", nil)
		require.NoError(t, err)
		require.True(t, got == object, "the object was changed on its way out")
	}
}
