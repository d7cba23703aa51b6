package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/memstore"
)

const (
	judgeToken  = "token-of-the-judge"
	writerToken = "token-of-the-writer"
	readerToken = "token-of-the-reader"
)

// bench is an API over a store, reached over real connections.
type bench struct {
	t    *testing.T
	url  string
	log  *logBuffer
	addr string
}

// logBuffer may be read while the server writes.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newBench(t *testing.T, change ...func(*Config)) *bench {
	log := &logBuffer{}
	at := time.Date(2025, 6, 1, 9, 0, 0, 0, time.UTC)
	cfg := Config{
		Store:  memstore.New(),
		Tokens: NewTokens(Roles{Judge: []string{judgeToken}, Writer: []string{writerToken}, Reader: []string{readerToken}}),
		Describe: func() Description {
			return Description{
				Team: "loutres", Contest: "test", Contract: Contract, Level: Level, Version: "r1+n1",
				DeployedAt: at, Instance: "i-1", StartedAt: at, Zone: "z", Store: "memory", StoreState: "primary",
				Limits: DescriptionLimits{Object: 1000, Process: 300},
			}
		},
		Limits: Limits{Object: 1000, Process: 300},
		Logger: slog.New(slog.NewJSONHandler(log, nil)),
	}
	for _, c := range change {
		c(&cfg)
	}
	server := httptest.NewServer(held(t, New(cfg)))
	t.Cleanup(server.Close)
	return &bench{t: t, url: server.URL, log: log, addr: server.Listener.Addr().String()}
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends target as it is: not cleaned, not escaped again. The headers are
// "Name: value"; without Authorization among them the judge's token is sent.
func (b *bench) do(method, target, body string, headers ...string) reply {
	b.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, b.url, content)
	require.NoError(b.t, err)
	path, query, _ := strings.Cut(target, "?")
	r.URL.Opaque = "//" + r.URL.Host + path
	r.URL.RawQuery = query
	r.Header.Set("Authorization", "Bearer "+judgeToken)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		value = strings.TrimSpace(value)
		if name == "Authorization" {
			r.Header.Del(name)
			if value == "" {
				continue
			}
		}
		r.Header.Add(name, value)
	}
	return b.send(r)
}

func (b *bench) send(r *http.Request) reply {
	b.t.Helper()
	answer, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(b.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(b.t, err)
	return reply{answer.StatusCode, answer.Header, string(text)}
}

// wantProblem checks everything that all problems have in common.
func (b *bench) wantProblem(got reply, status int) problem {
	b.t.Helper()
	require.Equal(b.t, status, got.status, got.body)
	require.Equal(b.t, "application/problem+json", got.header.Get("Content-Type"))
	var p problem
	decoder := json.NewDecoder(strings.NewReader(got.body))
	decoder.DisallowUnknownFields()
	require.NoError(b.t, decoder.Decode(&p), got.body)
	require.Equal(b.t, status, p.Status)
	require.Equal(b.t, http.StatusText(status), p.Title)
	_, err := url.Parse(p.Type)
	require.NoError(b.t, err)
	require.NotEmpty(b.t, p.Type)
	require.NotEmpty(b.t, p.Detail)
	require.NotEmpty(b.t, p.Instance)
	require.Equal(b.t, got.header.Get("Request-Id"), p.Instance)
	return p
}

// failing is a store whose every call fails with err.
type failing struct {
	store.Store
	err error
}

func (f failing) Put(context.Context, string, io.Reader, store.PutOptions) (store.Info, error) {
	return store.Info{}, f.err
}
func (f failing) Get(context.Context, string, store.Range) (io.ReadCloser, store.Info, error) {
	return nil, store.Info{}, f.err
}
func (f failing) Stat(context.Context, string) (store.Info, error) { return store.Info{}, f.err }
func (f failing) Delete(context.Context, string, string) error     { return f.err }
func (f failing) List(context.Context, store.ListOptions) (store.Page, error) {
	return store.Page{}, f.err
}

func withStore(s store.Store) func(*Config) { return func(c *Config) { c.Store = s } }

// listless is a store whose pages are changed on their way.
type listless struct {
	store.Store
	change func(store.Page) (store.Page, error)
}

func (l listless) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	page, err := l.Store.List(ctx, opts)
	if err != nil {
		return page, err
	}
	return l.change(page)
}
