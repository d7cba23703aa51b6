package process

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
)

// maxBox is the longest side of a thumbnail.
const maxBox = 1024

func isSide(s string) error {
	if err := isNumber(s); err != nil {
		return err
	}
	if n := number(s); n < 1 || n > maxBox {
		return fmt.Errorf("is %d; want 1 to %d", n, maxBox)
	}
	return nil
}

// bindThumbnail makes the step that draws an image smaller. What it takes is
// the image's to say: until Look has seen that, the largest one is expected.
func bindThumbnail(args []string) step {
	width, height := number(args[0]), number(args[1])
	s := step{
		name:  "thumbnail",
		size:  func(int64) int64 { return Unknown },
		media: "image/png",
		run: func(ctx context.Context, in io.Reader, _ int64) io.Reader {
			return &whole{make: func() ([]byte, error) { return thumbnail(ctx, in, width, height) }}
		},
	}
	s.look = func(in io.Reader) (step, io.Reader, error) {
		p, in, err := look(in)
		if err != nil {
			return s, nil, err
		}
		outWidth, outHeight := fit(p.width, p.height, width, height)
		return s.weighing(p.width*p.height, p.perPixel, outWidth*outHeight), in, nil
	}
	return s.weighing(maxPixels, maxPerPixel, width*height)
}

// weighing is the step for a picture of so many pixels: the answer is drawn
// and packed beside it.
func (s step) weighing(pixels, perPixel, answer int64) step {
	held := pixels*perPixel + 8*answer
	s.held = func(int64) int64 { return held }
	s.extra = thumbnailPixel*float64(pixels) + answerPixel*float64(answer)
	return s
}

func thumbnail(ctx context.Context, in io.Reader, boxWidth, boxHeight int64) ([]byte, error) {
	source := &remembering{Reader: in}
	p, all, err := look(source)
	if err != nil {
		return nil, err
	}
	full, err := p.decode(all)
	if source.err != nil {
		return nil, source.err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrImage, err)
	}
	width, height := fit(p.width, p.height, boxWidth, boxHeight)
	small, err := shrink(ctx, full, width, height)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&packed, small)
	return packed.Bytes(), err
}

// fit is the largest size of the same shape inside the box, rounded down but
// at least 1, and never larger than the picture.
func fit(width, height, boxWidth, boxHeight int64) (int64, int64) {
	switch {
	case width <= boxWidth && height <= boxHeight:
		return width, height
	case boxWidth*height <= boxHeight*width:
		return boxWidth, max(1, height*boxWidth/width)
	default:
		return max(1, width*boxHeight/height), boxHeight
	}
}

// shrink draws a picture on white, with width × height pixels. Each is the mean
// of the area that it covers in the picture, in sRGB: the mean of any part
// stays what it was. Lengths are counted in units that divide the pixels of
// both pictures, so all of it is whole numbers: along a row a pixel of the
// picture is width units long, and one of the answer as many as the picture is
// wide.
func shrink(ctx context.Context, full image.Image, width, height int64) (*image.RGBA, error) {
	bounds := full.Bounds()
	fullWidth, fullHeight := int64(bounds.Dx()), int64(bounds.Dy())
	small := image.NewRGBA(image.Rect(0, 0, int(width), int(height)))
	row := image.NewRGBA(image.Rect(0, 0, int(fullWidth), 1))
	sums := make([]uint64, 3*width)  // of one row of the picture
	cells := make([]uint64, 3*width) // of one row of the answer, so far
	for y := range fullHeight {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		draw.Draw(row, row.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(row, row.Rect, full, image.Pt(bounds.Min.X, bounds.Min.Y+int(y)), draw.Over)
		sumRow(sums, row.Pix, width, fullWidth)

		cell := y * height / fullHeight
		inside := min(height, (cell+1)*fullHeight-y*height)
		for i, sum := range sums {
			cells[i] += uint64(inside) * sum
		}
		if (y+1)*height < (cell+1)*fullHeight {
			continue
		}
		area := uint64(fullWidth * fullHeight)
		line := small.Pix[cell*int64(small.Stride):]
		for x := range width {
			for i := range int64(3) {
				line[4*x+i] = uint8((cells[3*x+i] + area/2) / area)
			}
			line[4*x+3] = 255
		}
		for i, sum := range sums {
			cells[i] = uint64(height-inside) * sum
		}
	}
	return small, nil
}

// sumRow adds a row of the picture up by the pixels of the answer. A pixel of
// the picture is never longer than one of the answer, so it meets two at most.
func sumRow(sums []uint64, row []uint8, width, fullWidth int64) {
	clear(sums)
	cell, left := 0, fullWidth // units of the cell that are still to be covered
	for at := 0; at < len(row); at += 4 {
		r, g, b := uint64(row[at]), uint64(row[at+1]), uint64(row[at+2])
		inside := uint64(min(width, left))
		into := sums[cell : cell+3]
		into[0] += inside * r
		into[1] += inside * g
		into[2] += inside * b
		if left -= width; left > 0 {
			continue
		}
		cell += 3
		if over := uint64(-left); over > 0 {
			into := sums[cell : cell+3]
			into[0] += over * r
			into[1] += over * g
			into[2] += over * b
		}
		left += fullWidth
	}
}
