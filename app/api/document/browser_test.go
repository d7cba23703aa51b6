package document

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// needed skips a test for want of a tool, but not in CI.
func needed(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what + ", and CI must read the page with it")
	}
	t.Skip(what)
}

// browser starts a Chromium of its own, and ends it with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		needed(t, "chromium is not installed")
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	ctx, leave := chromedp.NewContext(allocator)
	t.Cleanup(func() { leave(); stop() })
	require.NoError(t, chromedp.Do(ctx)) // starts it
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// served is the page under its own policy.
func served(t *testing.T) string {
	t.Helper()
	doc, err := New(ours(t))
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", doc.Policy)
		_, _ = w.Write(doc.Page)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func ask[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	answer, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	return answer
}

// violations runs axe on the page, best practices included.
const violations = `axe.run(document, {resultTypes: ['violations']}).then((r) =>
  r.violations.flatMap((v) => v.nodes.slice(0, 3).map((n) => v.id + ': ' + n.html.slice(0, 160) + ' ' + (n.failureSummary || '').slice(0, 200))))`

// loadAxe puts the accessibility checker, found by BOGOPS_AXE, into the page
// by the browser's tools, so that the page's policy stays.
func loadAxe(t *testing.T, ctx context.Context) {
	t.Helper()
	script, err := os.ReadFile(os.Getenv("BOGOPS_AXE"))
	if err != nil {
		needed(t, "BOGOPS_AXE names no axe.min.js (npm install axe-core)")
	}
	_, err = chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](string(script)))
	require.NoError(t, err)
}

func TestThePageIsAccessibleInBothSchemesAtEveryWidthAndInPrint(t *testing.T) {
	ctx := browser(t)
	address := served(t)
	for _, view := range []struct {
		media, scheme string
		width         int64
	}{{"screen", "light", 1280}, {"screen", "dark", 1280}, {"screen", "light", 390}, {"screen", "dark", 390}, {"print", "light", 800}} {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(view.width, 900), chromedp.Navigate(address)))
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: view.media,
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.scheme}}})
		require.NoError(t, err)
		require.LessOrEqual(t, ask[int](t, ctx, "document.documentElement.scrollWidth"), int(view.width), "%v scrolls sideways", view)
		loadAxe(t, ctx)
		require.Empty(t, ask[[]string](t, ctx, violations), "%v", view)
		if dir := os.Getenv("BOGOPS_PICTURES"); dir != "" {
			png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			require.NoError(t, err)
			name := fmt.Sprintf("docs-%s-%s-%d.png", view.media, view.scheme, view.width)
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), png, 0o644))
		}
	}
}

func TestAxeSeesWhatIsWrong(t *testing.T) {
	ctx := browser(t)
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("data:text/html,"+url.PathEscape(`<html><body><img src=x></body></html>`))))
	loadAxe(t, ctx)
	require.NotEmpty(t, ask[[]string](t, ctx, violations))
}

func TestTheBrowserUsesTheStyleAndAsksForNothingElse(t *testing.T) {
	ctx := browser(t)
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	asked := make(chan string, 100)
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		if request, ok := event.(*network.EventRequestWillBeSent); ok && !strings.HasPrefix(request.Request.URL, "data:") {
			asked <- request.Request.URL
		}
	}))
	address := served(t)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(address)))
	require.Equal(t, "grid", ask[string](t, ctx, "getComputedStyle(document.body).display"), "the policy keeps the style away")
	require.Equal(t, "sticky", ask[string](t, ctx, "getComputedStyle(document.querySelector('nav')).position"))
	require.Equal(t, address+"/", <-asked)
	select {
	case more := <-asked:
		require.Fail(t, "the page asked for more", more)
	default:
	}
}
