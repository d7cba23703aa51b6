package api

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/memstore"
)

// direct is the API without a connection, for very many requests. It watches
// what reaches the store.
type direct struct {
	http.Handler
	store *watched
}

func newDirect() direct {
	s := &watched{Store: memstore.New()}
	return direct{New(Config{
		Store: s, Tokens: NewTokens(Roles{Judge: []string{judgeToken}}), Logger: slog.New(slog.DiscardHandler),
		Describe: func() Description { return Description{Instance: "i-1", Version: "v"} },
	}), s}
}

// ask sends a request, its headers by pairs. It is nil where the target is
// none that net/http would hand on.
func (d direct) ask(t *testing.T, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil
	}
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	r.URL, r.RequestURI = u, target
	r.Header.Set("Authorization", "Bearer "+judgeToken)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	require.Empty(t, d.store.wrong, "%s %s %q", method, target, headers)
	return w
}

// fill stores something under key.
func (d direct) fill(t testing.TB, key string) {
	t.Helper()
	_, err := d.store.Store.Put(context.Background(), key, strings.NewReader("x"), store.PutOptions{Size: 1})
	require.NoError(t, err)
}

// watched is a store that finds what must not reach a store.
type watched struct {
	*memstore.Store
	keys  []string // that calls were for, since it was last emptied
	lists []store.ListOptions
	wrong []string
}

func (w *watched) see(key string) {
	w.keys = append(w.keys, key)
	if err := store.CheckKey(key); err != nil {
		w.wrong = append(w.wrong, err.Error())
	}
	if segments := strings.Split(key, "/"); slices.Contains(segments, ".") || slices.Contains(segments, "..") {
		w.wrong = append(w.wrong, fmt.Sprintf("%q has a segment that leads elsewhere", key))
	}
}

func (w *watched) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	w.see(key)
	for name, value := range opts.Meta {
		if name == "" || name != strings.ToLower(name) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			w.wrong = append(w.wrong, fmt.Sprintf("metadata %q: %q", name, value))
		}
	}
	return w.Store.Put(ctx, key, body, opts)
}

func (w *watched) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	w.see(key)
	if rng.Offset < 0 || rng.Length < -1 {
		w.wrong = append(w.wrong, fmt.Sprintf("range %+v", rng))
	}
	return w.Store.Get(ctx, key, rng)
}

func (w *watched) Stat(ctx context.Context, key string) (store.Info, error) {
	w.see(key)
	return w.Store.Stat(ctx, key)
}

func (w *watched) Delete(ctx context.Context, key, ifMatch string) error {
	w.see(key)
	return w.Store.Delete(ctx, key, ifMatch)
}

func (w *watched) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	w.lists = append(w.lists, opts)
	if opts.Limit < 1 || opts.Limit > 1000 || utf8.RuneCountInString(opts.Delimiter) > 1 || !strings.HasPrefix(opts.After, opts.Prefix) && opts.After != "" {
		w.wrong = append(w.wrong, fmt.Sprintf("listing %+v", opts))
	}
	for _, text := range []string{opts.Prefix, opts.Delimiter, opts.After} {
		if text != "" && store.CheckKey(text) != nil {
			w.wrong = append(w.wrong, fmt.Sprintf("listing %+v", opts))
		}
	}
	return w.Store.List(ctx, opts)
}
