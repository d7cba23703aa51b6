package board

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
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
	require.Contains(t, ask[string](t, ctx, `document.getElementById('say').textContent`), "Tick 4.", "a screen reader hears of it")
	await(t, ctx, `document.querySelector('.fresh') === null`)
}

// asks is what a board was asked by its streams, in front of it.
type asks struct {
	http.Handler
	mu   sync.Mutex
	last []string // Last-Event-ID of each
}

func (a *asks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/events" {
		a.mu.Lock()
		a.last = append(a.last, r.Header.Get("Last-Event-ID"))
		a.mu.Unlock()
	}
	a.Handler.ServeHTTP(w, r)
}

func (a *asks) all() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.last...)
}

func TestAStreamThatIsCutGoesOnFromWhereItWas(t *testing.T) {
	ctx := browser(t, 1920, 1080)
	d := newDemo(t)
	d.morning()
	b, _ := serve(t, d)
	front := &asks{Handler: b}
	server := httptest.NewServer(front)
	t.Cleanup(func() { b.Close(); server.Close() })
	act(t, ctx, chromedp.Navigate(server.URL))
	d.next()
	d.look("pandas", "tls", tlsOK)
	await(t, ctx, `document.getElementById('tile-pandas-tls').classList.contains('rec')`)
	ask[bool](t, ctx, `window.untouched = true`)

	seen := headOf(t, d)
	server.CloseClientConnections()
	for range 2 {
		d.next()
		d.look("pandas", "tls", tlsOK)
	}
	await(t, ctx, `document.getElementById('tile-pandas-tls').classList.contains('ok')`)
	asked := front.all()
	require.GreaterOrEqual(t, len(asked), 2, "it connected again")
	require.Equal(t, seen, mustParse(t, asked[len(asked)-1]), "from the last entry that it had seen")
	require.True(t, ask[bool](t, ctx, `window.untouched === true`))
}

func TestWhereStreamsDoNotPassThePageAsksInstead(t *testing.T) {
	ctx := browser(t, 1920, 1080)
	d := newDemo(t)
	d.morning()
	b, _ := serve(t, d)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/events" && r.Header.Get("Accept") == "text/event-stream" {
			http.Error(w, "no streams here", http.StatusBadGateway)
			return
		}
		b.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	act(t, ctx, chromedp.Navigate(server.URL))
	d.next()
	d.look("pandas", "tls", tlsOK)
	await(t, ctx, `document.getElementById('tile-pandas-tls').classList.contains('rec')`)
}

func TestOldDataSaysSo(t *testing.T) {
	ctx := browser(t, 1920, 1080)
	d := newDemo(t, func(o *journal.Opened) { o.Rules.Tick = 4 })
	d.morning()
	_, server := serve(t, d)
	act(t, ctx, chromedp.Navigate(server.URL))
	require.True(t, ask[bool](t, ctx, `document.getElementById('stale').hidden`))

	d.pass(16 * time.Second) // in which the judge writes nothing
	act(t, ctx, chromedp.Navigate(server.URL))
	await(t, ctx, `!document.getElementById('stale').hidden`)
	require.Contains(t, ask[string](t, ctx, `document.getElementById('stale').textContent`), "has written nothing for 16 s")
	d.health(true, "")
	await(t, ctx, `document.getElementById('stale').hidden`)

	ask[bool](t, ctx, `(() => { const real = Date.now; Date.now = () => real() + 16000; return true })()`)
	await(t, ctx, `!document.getElementById('stale').hidden`)
	require.Contains(t, ask[string](t, ctx, `document.getElementById('stale').textContent`), "No word from the judge's server")
}

func TestAPageWithoutScriptsReadsTheSame(t *testing.T) {
	ctx := browser(t, 1920, 1080)
	d := newDemo(t)
	d.morning()
	_, server := serve(t, d)
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	require.NoError(t, err)
	act(t, ctx, chromedp.Navigate(server.URL))
	text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	require.NoError(t, err)
	for _, sentence := range []string{
		"PUT gets no answer from any vantage point", "got refused, want 201", "The certificate is signed by itself", "3 of 3 checks hold",
		"2/5 proven", "3:17:42", "10:42:18", "Judge impaired", "As drawn at 10:42:18",
	} {
		require.Contains(t, text, sentence)
	}
}

func TestNothingMovesForWhoAsksForStillness(t *testing.T) {
	for _, c := range []struct {
		preference string
		moves      bool
	}{{"no-preference", true}, {"reduce", false}} {
		t.Run(c.preference, func(t *testing.T) {
			ctx := browser(t, 1920, 1080)
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: c.preference}},
			})
			require.NoError(t, err)
			d := newDemo(t)
			d.next()
			d.look("pandas", "api", refused)
			_, server := serve(t, d)
			act(t, ctx, chromedp.Navigate(server.URL))
			for range 3 {
				d.next()
				d.look("pandas", "api", apiOK)
			}
			await(t, ctx, `document.querySelector('.fresh') !== null`)
			require.Equal(t, c.moves, ask[int](t, ctx, `document.getAnimations().length`) > 0)
		})
	}
}

func TestTheKeyboardKeepsItsPlaceWhenATileIsDrawnAnew(t *testing.T) {
	ctx := browser(t, 1920, 1080)
	d := newDemo(t)
	d.morning()
	_, server := serve(t, d)
	act(t, ctx, chromedp.Navigate(server.URL))
	ask[bool](t, ctx, `(document.querySelector('#tile-pandas-tls a').focus(), true)`)
	d.next()
	d.look("pandas", "tls", oneZone)
	await(t, ctx, `document.getElementById('tile-pandas-tls').classList.contains('deg')`)
	require.Equal(t, "tile-pandas-tls", ask[string](t, ctx, `document.activeElement.closest('article').id`))
}
