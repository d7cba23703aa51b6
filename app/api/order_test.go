package api

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each request has everything wrong from its own row on, so the status says
// which check came first.
func TestRefusalsComeInTheContractsOrder(t *testing.T) {
	b := newBench(t)
	b.do("PUT", "/v1/objects/exists", strings.Repeat("x", 301))
	const anyone, reader = "Authorization: Bearer stranger", "Authorization: Bearer " + readerToken
	long := strings.Repeat("x", 1001)
	for _, c := range []struct {
		status         int
		method, target string
		body           string
		headers        []string
	}{
		{401, "BREW", "/v1/nothing/..?process=&process=", long, []string{anyone}},
		{401, "PUT", "/v1/objects/..", long, []string{anyone, "If-Match: x"}},
		{403, "BREW", "/v1/nothing/..", long, []string{reader}},
		{403, "PUT", "/v1/objects/..", long, []string{reader, "If-Match: x"}},
		{404, "BREW", "/v1/nothing/..?process=", long, nil},
		{404, "PUT", "/v1/object", long, []string{"If-Match: x"}},
		{405, "BREW", "/v1/objects/..?process=", long, []string{"If-Match: x"}},
		{400, "PUT", "/v1/objects/..", long, []string{"If-None-Match: *"}},
		{400, "PUT", "/v1/objects/exists?process=upper", long, []string{"If-None-Match: *"}},
		{400, "PUT", "/v1/objects/exists", long, []string{"If-Match: x"}},
		{413, "PUT", "/v1/objects/exists", long, []string{"If-None-Match: *"}},
		{412, "PUT", "/v1/objects/exists", "x", []string{"If-None-Match: *"}},
		{412, "PUT", "/v1/objects/missing", "x", []string{"If-Match: *"}},
		{400, "GET", "/v1/objects/missing?process=upper,", "", nil},
		{404, "GET", "/v1/objects/missing?process=upper", "", nil},
		{422, "GET", "/v1/objects/exists?process=upper", "", nil},
	} {
		got := b.do(c.method, c.target, c.body, c.headers...)
		b.wantProblem(got, c.status)
		if c.status == 405 {
			require.Equal(t, "GET, HEAD, PUT, DELETE", allowOf(got))
		} else {
			require.Empty(t, allowOf(got), "%s %s", c.method, c.target)
		}
		require.Equal(t, c.status == 401, got.header.Get("WWW-Authenticate") == "Bearer")
	}
}

// allowOf is Allow in the contract's order of calls, whatever order it came in.
func allowOf(got reply) string {
	sent := got.header.Get("Allow")
	var known []string
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE"} {
		if strings.Contains(sent, method) {
			known = append(known, method)
		}
	}
	return strings.Join(known, ", ")
}

func TestARoleMayDoWhatItIsForAndNothingElse(t *testing.T) {
	b := newBench(t)
	for role, allowed := range map[string]string{
		judgeToken: "PUT GET HEAD DELETE", writerToken: "PUT GET HEAD DELETE", readerToken: "GET HEAD",
	} {
		for _, method := range []string{"PUT", "GET", "HEAD", "DELETE"} {
			b.do("PUT", "/v1/objects/k", "x")
			got := b.do(method, "/v1/objects/k", "", "Authorization: Bearer "+role)
			require.Equal(t, strings.Contains(allowed, method), got.status < 400, "%s of %s: %d", method, role, got.status)
			if got.status >= 400 {
				require.Equal(t, 403, got.status)
			}
		}
	}
}

func TestOnlyAKnownBearerTokenIsLetIn(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.Tokens = NewTokens(Roles{Judge: []string{judgeToken}, Writer: []string{""}, Reader: []string{readerToken}})
	})
	for _, header := range []string{
		"", "Bearer", "Bearer ", "Bearer  ", "Bearer x", "Basic " + judgeToken, judgeToken, "Bearer " + judgeToken + "x",
		"Bearer " + judgeToken[1:], "Bearer " + judgeToken + ", Bearer " + judgeToken, "Bearer " + strings.ToUpper(judgeToken),
	} {
		got := b.do("GET", "/v1/objects/k", "", "Authorization: "+header)
		require.Equal(t, 401, got.status, "Authorization: %q was let in", header)
		require.Equal(t, "Bearer", got.header.Get("WWW-Authenticate"))
	}
	r, err := http.NewRequest("GET", b.url+"/v1/objects/k", nil)
	require.NoError(t, err)
	r.Header["Authorization"] = []string{"Bearer " + judgeToken, "Bearer " + judgeToken}
	require.Equal(t, 401, b.send(r).status, "two Authorization headers were let in")
	require.Equal(t, 404, b.do("GET", "/v1/objects/k", "", "Authorization: bearer   "+judgeToken).status)
	require.Equal(t, 401, b.do("GET", "/%76%31/objects/k", "", "Authorization: Bearer x").status, "an escape gets around the token")
	require.Equal(t, 404, b.do("GET", "/v1%2Fobjects/k", "").status)
}

// firstLine writes raw text on a new connection and returns the first line
// that comes back, however long the server then keeps the connection.
func (b *bench) firstLine(raw string) string {
	b.t.Helper()
	conn, err := net.Dial("tcp", b.addr)
	require.NoError(b.t, err)
	defer conn.Close()
	require.NoError(b.t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = io.WriteString(conn, raw)
	require.NoError(b.t, err)
	line, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(b.t, err)
	return line
}

func TestExpectContinueIsRefusedBeforeTheBodyIsAskedFor(t *testing.T) {
	// Far longer than firstLine waits: who waits for the body is found out.
	b := newBench(t, func(c *Config) { c.Limits.Patience = time.Hour })
	b.do("PUT", "/v1/objects/exists", "x")
	for want, head := range map[string]string{
		"413": "PUT /v1/objects/k HTTP/1.1\r\nContent-Length: 1001\r\nAuthorization: Bearer " + judgeToken,
		"401": "PUT /v1/objects/k HTTP/1.1\r\nContent-Length: 10",
		"400": "PUT /v1/objects/.. HTTP/1.1\r\nContent-Length: 10\r\nAuthorization: Bearer " + judgeToken,
		"412": "PUT /v1/objects/exists HTTP/1.1\r\nContent-Length: 10\r\nIf-None-Match: *\r\nAuthorization: Bearer " + judgeToken,
	} {
		got := b.firstLine(head + "\r\nHost: x\r\nExpect: 100-continue\r\n\r\n")
		require.True(t, strings.HasPrefix(got, "HTTP/1.1 "+want+" "), "want %s at once, got %s", want, got)
	}

	b = newBench(t)
	conn, err := net.Dial("tcp", b.addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "PUT /v1/objects/k HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\nAuthorization: Bearer "+judgeToken+"\r\n\r\n")
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
	_, err = io.WriteString(conn, "hello")
	require.NoError(t, err)
	_, err = in.ReadString('\n') // the interim answer's end
	require.NoError(t, err)
	rest, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	require.Equal(t, 201, rest.StatusCode)
}

func TestABodyCutShortStoresNothing(t *testing.T) {
	b := newBench(t)
	conn, err := net.Dial("tcp", b.addr)
	require.NoError(t, err)
	_, err = io.WriteString(conn, "PUT /v1/objects/cut HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nAuthorization: Bearer "+judgeToken+"\r\n\r\nhalf")
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.Equal(t, 400, answer.StatusCode)
	require.Equal(t, 404, b.do("HEAD", "/v1/objects/cut", "").status)
}
