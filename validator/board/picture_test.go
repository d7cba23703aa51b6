package board

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestPictures draws every scene into the directory that BOGOPS_PICTURES
// names, to be looked at.
func TestPictures(t *testing.T) {
	dir := os.Getenv("BOGOPS_PICTURES")
	if dir == "" {
		t.Skip("BOGOPS_PICTURES names no directory to draw into")
	}
	ctx := browser(t, 1920, 1080)
	d := newDemo(t)
	d.morning()
	_, server := serve(t, d)
	act(t, ctx, chromedp.Navigate(server.URL+"/"))
	await(t, ctx, "document.fonts.status === 'loaded' && document.getElementById('scene') !== null")
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "morning.png"), png, 0o644))
}
