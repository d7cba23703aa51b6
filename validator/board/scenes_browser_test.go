package board

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

func mustParse(t *testing.T, seq string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(seq, 10, 64)
	require.NoError(t, err)
	return n
}

// spilling lists what is wider or higher than what shows it: the page, and
// every box whose text would be cut.
const spilling = `(() => {
  const root = document.documentElement, bad = [];
  if (root.scrollWidth > root.clientWidth || root.scrollHeight > root.clientHeight) bad.push('page ' + root.scrollWidth + 'x' + root.scrollHeight);
  if (innerWidth !== root.clientWidth || innerHeight !== root.clientHeight) bad.push('scroll bar');
  const scene = document.getElementById('scene');
  if (scene.scrollHeight > scene.clientHeight + 1 || scene.scrollWidth > scene.clientWidth + 1) bad.push('scene ' + scene.scrollWidth + 'x' + scene.scrollHeight);
  const bottom = document.querySelector('.foot').getBoundingClientRect();
  if (bottom.bottom > innerHeight + 1) bad.push('footer at ' + bottom.bottom);
  for (const box of document.querySelectorAll('.tile, .mini, .band, .chart, .figs, .plinth, .card, .top')) {
    if (box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1)
      bad.push((box.id || box.className) + ' ' + box.scrollWidth + 'x' + box.scrollHeight + ' in ' + box.clientWidth + 'x' + box.clientHeight);
    if (box.getBoundingClientRect().bottom > bottom.top + 1) bad.push((box.id || box.className) + ' under the footer');
  }
  return bad;
})()`

func TestEverySceneFitsTheWallWithoutScrollBars(t *testing.T) {
	ctx := browser(t, 1920, 1080)
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			_, server := serve(t, scene.play(t))
			act(t, ctx, chromedp.Navigate(server.URL+scene.path))
			await(t, ctx, "document.fonts.status === 'loaded'")
			require.Empty(t, ask[[]string](t, ctx, spilling))
			require.Equal(t, "Inter", ask[string](t, ctx, `[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family.replaceAll('"', '')).join()`))
		})
	}
}

func TestNoRequestLeavesTheMachine(t *testing.T) {
	ctx := browser(t, 1920, 1080)
	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	var mu sync.Mutex
	var asked []string
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		if request, ok := event.(*network.EventRequestWillBeSent); ok {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, request.Request.URL)
		}
	}))
	for _, scene := range scenes {
		_, server := serve(t, scene.play(t))
		mu.Lock()
		asked = nil
		mu.Unlock()
		act(t, ctx, chromedp.Navigate(server.URL+scene.path))
		await(t, ctx, "document.fonts.status === 'loaded'")
		mu.Lock()
		require.GreaterOrEqual(t, len(asked), 4, "page, style, script and font")
		for _, address := range asked {
			require.True(t, strings.HasPrefix(address, server.URL+"/") || strings.HasPrefix(address, "data:"), address)
		}
		mu.Unlock()
	}
}

// axe is the accessibility checker, found by BOGOPS_AXE; without it the test
// is left out, but not in CI.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("BOGOPS_AXE")
	if path == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("BOGOPS_AXE names no axe.min.js, and CI must check the wall with it")
		}
		t.Skip("BOGOPS_AXE names no axe.min.js (npm install axe-core)")
	}
	script, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(script)
}

// violations runs axe on what is in the page, best practices included.
const violations = `axe.run(document, {resultTypes: ['violations']}).then((r) =>
  r.violations.flatMap((v) => v.nodes.slice(0, 3).map((n) => v.id + ': ' + n.html.slice(0, 160) + ' ' + (n.failureSummary || '').slice(0, 200))))`

func TestEverySceneIsAccessibleInBothThemesAndAtEveryWidth(t *testing.T) {
	script := axe(t)
	ctx := browser(t, 1920, 1080)
	views := []struct {
		theme         string
		width, height int64
	}{{"dark", 1920, 1080}, {"light", 1920, 1080}, {"light", 900, 700}, {"dark", 390, 844}}
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			_, server := serve(t, scene.play(t))
			for i, view := range views {
				if i > 0 && strings.HasPrefix(scene.name, "french") {
					continue // the same markup in other words
				}
				act(t, ctx, chromedp.EmulateViewport(view.width, view.height), chromedp.Navigate(server.URL+scene.path+"?theme="+view.theme))
				await(t, ctx, "document.fonts.status === 'loaded'")
				// Evaluated by the browser's tools, so the page's own policy stays.
				_, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](script))
				require.NoError(t, err)
				require.Empty(t, ask[[]string](t, ctx, violations), "%s at %d", view.theme, view.width)
				require.LessOrEqual(t, ask[int](t, ctx, "document.documentElement.scrollWidth"), int(view.width), "%s at %d scrolls sideways", view.theme, view.width)
			}
		})
	}
}

func TestAxeSeesWhatIsWrong(t *testing.T) {
	script := axe(t)
	ctx := browser(t, 1920, 1080)
	act(t, ctx, chromedp.Navigate("data:text/html,"+url.PathEscape(`<html><body><img src=x></body></html>`)))
	_, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](script))
	require.NoError(t, err)
	require.NotEmpty(t, ask[[]string](t, ctx, violations))
}

func TestTheReportOpensOfflineAndLoadsNothing(t *testing.T) {
	ctx := browser(t, 1920, 1080)
	d := newDemo(t)
	d.evening(d.afternoon(demoSpan))
	var html bytes.Buffer
	require.NoError(t, WriteReport(&html, d.Entries()))
	path := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(path, html.Bytes(), 0o600))

	_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
	require.NoError(t, err)
	var mu sync.Mutex
	var asked []string
	require.NoError(t, chromedp.Listen(ctx, func(event any) {
		if request, ok := event.(*network.EventRequestWillBeSent); ok && !strings.HasPrefix(request.Request.URL, "data:") {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, request.Request.URL)
		}
	}))
	act(t, ctx, chromedp.Navigate("file://"+path))
	await(t, ctx, "document.fonts.status === 'loaded'")
	mu.Lock()
	require.Equal(t, []string{"file://" + path}, asked)
	mu.Unlock()
	text, err := chromedp.Run(ctx, chromedp.TextContent(chromedp.CSS("body")))
	require.NoError(t, err)
	for _, said := range []string{"load/7f3a/000412", "load/19bc/002218", "load/e01d/001907", "Instance killed", "goodput", "validator replay --head", "1f5e0c7a9d3b48e6"} {
		require.Contains(t, text, said)
	}
	if dir := os.Getenv("BOGOPS_PICTURES"); dir != "" {
		png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "report.png"), png, 0o644))
	}
	if os.Getenv("BOGOPS_AXE") != "" {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](axe(t)))
		require.NoError(t, err)
		require.Empty(t, ask[[]string](t, ctx, violations))
	}
}
