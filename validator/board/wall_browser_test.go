package board

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

func TestATileTurnsFromRedToGreenWithoutReload(t *testing.T) {
	ctx := browser(t, 1920, 1080)
	d := newDemo(t)
	d.next()
	d.look("pandas", "api", refused)
	_, server := serve(t, d)
	act(t, ctx, chromedp.Navigate(server.URL))
	require.Contains(t, ask[string](t, ctx, `document.getElementById('tile-pandas-api').className`), "dow")
	ask[bool](t, ctx, `window.untouched = true`)

	for range 3 {
		d.next()
		d.look("pandas", "api", apiOK)
	}
	await(t, ctx, `document.getElementById('tile-pandas-api').classList.contains('ok')`)
	require.Contains(t, ask[string](t, ctx, `document.getElementById('tile-pandas-api').textContent`), "3 of 3 checks hold")
	require.True(t, ask[bool](t, ctx, `window.untouched === true`), "the page was loaded again")
	require.True(t, ask[bool](t, ctx, `document.getElementById('tile-pandas-api').classList.contains('fresh')`), "turning green is celebrated")
	require.False(t, ask[bool](t, ctx, `document.getElementById('tile-loutres-api').classList.contains('fresh')`))
	await(t, ctx, `document.querySelector('.fresh') === null`)
}
