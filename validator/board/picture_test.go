package board

import (
	"bytes"
	"context"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
)

// scenes are all that the wall can look like, each at its best moment.
var scenes = []struct {
	name, path string
	play       func(*testing.T) *demo
}{
	{"waiting", "/", func(t *testing.T) *demo { return newDemo(t) }},
	{"morning", "/", func(t *testing.T) *demo { d := newDemo(t); d.morning(); return d }},
	{"rehearsal", "/", func(t *testing.T) *demo { d := newDemo(t, rehearsed); d.morning(); return d }},
	{"campaign", "/", func(t *testing.T) *demo { d := newDemo(t); d.afternoon(1040); return d }},
	{"audit", "/", func(t *testing.T) *demo {
		d := newDemo(t)
		d.audit(d.afternoon(demoSpan), "pandas", 53859, false, demoLost...)
		return d
	}},
	{"podium", "/", func(t *testing.T) *demo { d := newDemo(t); d.evening(d.afternoon(demoSpan)); return d }},
	{"french", "/", func(t *testing.T) *demo { d := newDemo(t, french); d.morning(); return d }},
	{"french-campaign", "/", func(t *testing.T) *demo { d := newDemo(t, french); d.afternoon(1040); return d }},
	{"french-podium", "/", func(t *testing.T) *demo { d := newDemo(t, french); d.evening(d.afternoon(demoSpan)); return d }},
	{"table", "/", func(t *testing.T) *demo { d := newDemo(t, crowded); d.morning(); return d }},
}

func french(o *journal.Opened) { o.Locale = "fr" }

// rehearsed leaves in play what one machine can have.
func rehearsed(o *journal.Opened) {
	o.Rehearsal = true
	var bricks []journal.Brick
	for _, b := range demoBricks {
		b.InPlay = b.ID == "api" || b.ID == "tls"
		if !b.InPlay {
			b.Hint = "make rehearsal puts it in play"
		}
		bricks = append(bricks, b)
	}
	o.Rules.Bricks = bricks
}

// crowded is a contest of four teams.
func crowded(o *journal.Opened) {
	o.Teams = append([]journal.Team{
		{ID: "grues", Name: "Grues", Full: "The Dancing Cranes", Colour: "green", Shape: "square", Mascot: "crane"},
		{ID: "ragondins", Name: "Ragondins", Full: "The Relentless Coypus of the Lower Marshes", Colour: "grey", Shape: "square"},
	}, o.Teams...)
}

// TestPictures draws every scene into the directory that BOGOPS_PICTURES
// names, to be looked at.
func TestPictures(t *testing.T) {
	dir := os.Getenv("BOGOPS_PICTURES")
	if dir == "" {
		t.Skip("BOGOPS_PICTURES names no directory to draw into")
	}
	ctx := browser(t, 1600, 900)
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			_, server := serve(t, scene.play(t))
			picture := lean(t, photograph(t, ctx, server.URL+scene.path))
			require.NoError(t, os.WriteFile(filepath.Join(dir, scene.name+".png"), picture, 0o644))
		})
	}
}

// photograph shows a page as soon as its fonts are there.
func photograph(t *testing.T, ctx context.Context, url string) []byte {
	t.Helper()
	act(t, ctx, chromedp.Navigate(url))
	await(t, ctx, "document.fonts.status === 'loaded'")
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	return png
}

// lean rounds away the two lowest bits of each colour, in which the browser dithers
// its gradients: the picture looks the same and is half as large.
func lean(t *testing.T, picture []byte) []byte {
	t.Helper()
	drawn, err := png.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	flat := image.NewRGBA(drawn.Bounds())
	draw.Draw(flat, flat.Bounds(), drawn, image.Point{}, draw.Src)
	for i := range flat.Pix {
		if i%4 != 3 {
			flat.Pix[i] = (min(flat.Pix[i], 253) + 2) &^ 3
		}
	}
	var out bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, flat))
	return out.Bytes()
}
