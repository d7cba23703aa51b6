package process

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheSecondImplementationSeesNothingWrongInOurThumbnails(t *testing.T) {
	seed := strconv.FormatUint(rand.Uint64(), 16)
	t.Log("seed", seed)
	type drawing struct {
		File   []byte `json:"file"`
		Width  int    `json:"width"`
		Height int    `json:"height"`
		Out    []byte `json:"out"`
	}
	var ours, spoiled bytes.Buffer
	lines := json.NewDecoder(bytes.NewReader(golden(t, nil, "pictures.py", "draw", seed, "60")))
	for lines.More() {
		var d drawing
		require.NoError(t, lines.Decode(&d))
		chain := parse(t, fmt.Sprintf("thumbnail:%d:%d", d.Width, d.Height))
		out, err := io.ReadAll(chain.Apply(t.Context(), bytes.NewReader(d.File), int64(len(d.File))))
		require.NoError(t, err)
		d.Out = out
		require.NoError(t, json.NewEncoder(&ours).Encode(d))
		d.Out = spoil(t, out)
		require.NoError(t, json.NewEncoder(&spoiled).Encode(d))
	}
	for name, these := range map[string]*bytes.Buffer{"ours": &ours, "spoiled": &spoiled} {
		said := json.NewDecoder(bytes.NewReader(golden(t, these, "pictures.py", "judge")))
		for said.More() {
			var wrong string
			require.NoError(t, said.Decode(&wrong))
			require.Equal(t, name == "ours", wrong == "", "%s: %s; pictures.py draw %s 60", name, wrong, seed)
		}
	}
}

// spoil changes one pixel of a PNG, by little.
func spoil(t *testing.T, file []byte) []byte {
	img, err := png.Decode(bytes.NewReader(file))
	require.NoError(t, err)
	changed := image.NewRGBA(img.Bounds())
	draw.Draw(changed, changed.Rect, img, image.Point{}, draw.Src)
	changed.Pix[len(changed.Pix)-2] ^= 8
	var out bytes.Buffer
	require.NoError(t, png.Encode(&out, changed))
	return out.Bytes()
}
