package process

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// slopes is a picture whose colours change slowly, so that a wrong corner
// shows and the loss of a JPEG does not.
func slopes(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	waves := make([]uint8, 240)
	for i := range waves {
		waves[i] = uint8(128 + 127*math.Sin(float64(i)*math.Pi/120))
	}
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, color.NRGBA{uint8(255 * x / width), uint8(255 * y / height), waves[(x+y)%len(waves)], 255})
		}
	}
	return img
}

// pictures are files of every kind that memory or a decoder treats apart; most
// are of the size that is asked for.
func pictures(t testing.TB, width, height int) map[string][]byte {
	img := slopes(width, height)
	gray, deep, palette := image.NewGray(img.Rect), image.NewNRGBA64(img.Rect), image.NewPaletted(img.Rect, nil)
	for i := range 256 {
		palette.Palette = append(palette.Palette, color.Gray{uint8(i)})
	}
	glass := image.NewNRGBA(img.Rect)
	for _, into := range []draw.Image{gray, deep, palette, glass} {
		draw.Draw(into, img.Rect, img, image.Point{}, draw.Src)
	}
	for i := 3; i < len(glass.Pix); i += 4 {
		glass.Pix[i] = uint8(i / 4 % width * 255 / width)
	}
	files := map[string][]byte{}
	for name, img := range map[string]image.Image{"gray": gray, "deep": deep, "palette": palette, "colour": img, "glass": glass} {
		var file bytes.Buffer
		require.NoError(t, png.Encode(&file, img))
		files["png "+name] = file.Bytes()
	}
	for name, img := range map[string]image.Image{"gray": gray, "colour": img} {
		var file bytes.Buffer
		require.NoError(t, jpeg.Encode(&file, img, &jpeg.Options{Quality: 95}))
		files["jpeg "+name] = file.Bytes()
	}
	// What the standard library cannot write, its own tests hold.
	root, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	for _, name := range []string{
		"testdata/video-001.progressive.jpeg", "testdata/video-001.cmyk.jpeg", "testdata/video-001.rgb.jpeg",
		"testdata/video-001.q50.420.jpeg", "png/testdata/benchRGB-interlace.png",
	} {
		file, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "src/image", name))
		require.NoError(t, err)
		files[filepath.Base(name)] = file
	}
	return files
}

func drawn(t require.TestingT, raw string, file []byte) image.Image {
	out, err := io.ReadAll(parse(t, raw).Apply(context.Background(), iotest.HalfReader(bytes.NewReader(file)), int64(len(file))))
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(out))
	require.NoError(t, err)
	return img
}

// ninths are the means of the nine parts of a picture on white.
func ninths(img image.Image) (means [9][3]float64) {
	white := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(white, white.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(white, white.Rect, img, img.Bounds().Min, draw.Over)
	width, height := white.Rect.Dx(), white.Rect.Dy()
	var counts [9]float64
	for y := range height {
		for x := range width {
			part := y*3/height*3 + x*3/width
			c := white.RGBAAt(x, y)
			for i, v := range []uint8{c.R, c.G, c.B} {
				means[part][i] += float64(v)
			}
			counts[part]++
		}
	}
	for part := range means {
		for i := range means[part] {
			means[part][i] /= counts[part]
		}
	}
	return means
}

func TestTheNinthsOfAThumbnailAreThoseOfItsPicture(t *testing.T) {
	for name, file := range pictures(t, 400, 300) {
		full, _, err := image.Decode(bytes.NewReader(file))
		require.NoError(t, err, name)
		want := ninths(full)
		for _, raw := range []string{"thumbnail:1024:1024", "thumbnail:150:150", "thumbnail:96:1000", "thumbnail:1000:97"} {
			got := ninths(drawn(t, raw, file))
			for part := range want {
				for i := range want[part] {
					require.InDelta(t, want[part][i], got[part][i], 4, "%s, %s: colour %d of ninth %d", name, raw, i, part)
				}
			}
		}
	}
}

func TestAThumbnailFitsItsBoxAndKeepsItsShape(t *testing.T) {
	for _, c := range []struct{ width, height, boxWidth, boxHeight, wantWidth, wantHeight int64 }{
		{400, 300, 100, 100, 100, 75}, {400, 300, 1000, 1000, 400, 300}, {400, 300, 400, 300, 400, 300}, {400, 300, 399, 300, 399, 299},
		{400, 300, 400, 299, 398, 299}, {400, 300, 1, 1, 1, 1}, {400, 300, 2, 1024, 2, 1}, {1000, 1, 10, 10, 10, 1}, {1, 1000, 10, 10, 1, 10},
		{3, 2, 2, 2, 2, 1}, {2, 3, 2, 2, 1, 2}, {1, 1, 1024, 1024, 1, 1}, {7, 5, 3, 3, 3, 2},
	} {
		width, height := fit(c.width, c.height, c.boxWidth, c.boxHeight)
		require.Equal(t, [2]int64{c.wantWidth, c.wantHeight}, [2]int64{width, height}, "%+v", c)
	}
	rapid.Check(t, func(t *rapid.T) {
		side, box := rapid.Int64Range(1, 5000), rapid.Int64Range(1, maxBox)
		w, h, bw, bh := side.Draw(t, "w"), side.Draw(t, "h"), box.Draw(t, "bw"), box.Draw(t, "bh")
		// The factor by which it shrinks is the smallest of three fractions.
		num, den := int64(1), int64(1)
		for _, f := range [][2]int64{{bw, w}, {bh, h}} {
			if f[0]*den < num*f[1] {
				num, den = f[0], f[1]
			}
		}
		width, height := fit(w, h, bw, bh)
		require.Equal(t, max(1, w*num/den), width)
		require.Equal(t, max(1, h*num/den), height)
	})
}

func TestAThumbnailIsOpaqueAndItsAlphaWasOnWhite(t *testing.T) {
	glass := image.NewNRGBA(image.Rect(5, 7, 9, 9)) // all clear
	glass.SetNRGBA(5, 7, color.NRGBA{0, 0, 0, 255})
	var file bytes.Buffer
	require.NoError(t, png.Encode(&file, glass))
	img := drawn(t, "thumbnail:2:2", file.Bytes())
	require.Equal(t, image.Rect(0, 0, 2, 1), img.Bounds())
	require.Equal(t, color.RGBAModel.Convert(color.RGBA{191, 191, 191, 255}), color.RGBAModel.Convert(img.At(0, 0)))
	require.Equal(t, color.RGBAModel.Convert(color.White), color.RGBAModel.Convert(img.At(1, 0)))
}

// claiming is the head of a PNG that says it is so large.
func claiming(width, height uint32) []byte {
	head := append([]byte("IHDR"), make([]byte, 13)...)
	binary.BigEndian.PutUint32(head[4:], width)
	binary.BigEndian.PutUint32(head[8:], height)
	copy(head[12:], []byte{8, 2})
	file := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(head))
}

func TestWhatIsNoPictureIsRefusedBeforeItIsDecoded(t *testing.T) {
	whole := pictures(t, 400, 300)["png colour"]
	gif := []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;")
	for name, file := range map[string][]byte{
		"nothing": nil, "a byte": {0x89}, "text": []byte("no picture, and long enough"), "a GIF": gif,
		"a PNG without a head": []byte("\x89PNG\r\n\x1a\n"), "a JPEG without a head": []byte("\xff\xd8\xff\xe0"),
		"a huge PNG": claiming(5001, 5000), "a very huge PNG": claiming(1<<31-1, 1<<31-1), "no width": claiming(0, 5),
		"a JPEG whose head never ends": append([]byte("\xff\xd8"), bytes.Repeat([]byte("\xff\xe0\xff\xff"+strings.Repeat("x", 65533)), 40)...),
	} {
		_, _, err := parse(t, "thumbnail:9:9").Look(bytes.NewReader(file))
		require.ErrorIs(t, err, ErrImage, name)
		_, err = io.ReadAll(parse(t, "thumbnail:9:9").Apply(t.Context(), bytes.NewReader(file), int64(len(file))))
		require.ErrorIs(t, err, ErrImage, name)
	}
	for _, cut := range []int{40, len(whole) / 2, len(whole) - 13} {
		_, err := io.ReadAll(parse(t, "thumbnail:9:9").Apply(t.Context(), bytes.NewReader(whole[:cut]), int64(cut)))
		require.ErrorIs(t, err, ErrImage, "a PNG cut to %d bytes", cut)
	}
	_, _, err := parse(t, "thumbnail:9:9").Look(bytes.NewReader(claiming(5000, 5000)))
	require.NoError(t, err, "as many pixels as may be")
}

func TestAFailureOfTheStoreIsNoFaultOfThePicture(t *testing.T) {
	file, broken := pictures(t, 400, 300)["jpeg colour"], errors.New("the disk is gone")
	for _, at := range []int{0, 4, 100, len(file) / 2, len(file) - 1} {
		in := io.MultiReader(bytes.NewReader(file[:at]), iotest.ErrReader(broken))
		_, err := io.ReadAll(parse(t, "thumbnail:9:9").Apply(t.Context(), in, int64(len(file))))
		require.ErrorIs(t, err, broken, "after %d bytes", at)
		require.NotErrorIs(t, err, ErrImage)
		_, err = io.ReadAll(parse(t, "thumbnail:9:9").Apply(t.Context(), bytes.NewReader(file[:at]), int64(len(file))))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "cut by the store after %d bytes", at)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := io.ReadAll(parse(t, "thumbnail:9:9").Apply(ctx, bytes.NewReader(file), int64(len(file))))
	require.ErrorIs(t, err, context.Canceled)
}

func TestLookTellsWhatAThumbnailHoldsAndLosesNoByte(t *testing.T) {
	for name, file := range pictures(t, 800, 600) {
		chain, in, err := parse(t, "thumbnail:100:100").Look(bytes.NewReader(file))
		require.NoError(t, err, name)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = io.Copy(io.Discard, chain.Apply(t.Context(), in, int64(len(file))))
		runtime.ReadMemStats(&after)
		require.NoError(t, err, name)
		// Beside the picture: the packer's and the decoder's tables, and rows.
		require.LessOrEqual(t, int64(after.TotalAlloc-before.TotalAlloc), chain.Holds(int64(len(file)))+2<<20, name)
		require.Less(t, chain.Holds(9), parse(t, "thumbnail:100:100").Holds(9), "the largest is expected before the look")
		require.Less(t, chain.Cost(9), parse(t, "thumbnail:100:100").Cost(9))
	}
	in := strings.NewReader("any bytes")
	chain, same, err := parse(t, "upper,reverse").Look(in)
	require.NoError(t, err)
	require.Same(t, in, same)
	require.Equal(t, int64(9), chain.Holds(9))
}
