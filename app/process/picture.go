package process

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
)

// ErrImage is that thumbnail cannot draw its input: it is no PNG or JPEG, or
// is damaged, or has more than maxPixels.
var ErrImage = errors.New("no PNG or JPEG that can be drawn")

const (
	maxPixels   = 25_000_000 // a photograph of 24 megapixels, and a bound on what one request decodes
	maxPerPixel = 20         // bytes: a progressive JPEG of four planes
	maxHead     = 2 << 20    // bytes in which a file must tell its dimensions: metadata may stand before them
)

// picture is what the head of an image file tells.
type picture struct {
	width, height int64
	perPixel      int64 // bytes that decoding allocates, at most
	decode        func(io.Reader) (image.Image, error)
}

// look reads the head of an image file and returns it with a reader of the
// whole file: a picture is refused by its dimensions before it is decoded, for
// a small file may claim a huge one.
func look(in io.Reader) (picture, io.Reader, error) {
	source := &remembering{Reader: in}
	var head bytes.Buffer
	tee := io.TeeReader(io.LimitReader(source, maxHead), &head)
	magic := make([]byte, 8)
	if _, err := io.ReadFull(tee, magic); err != nil && source.err != nil {
		return picture{}, nil, source.err
	}
	again := io.MultiReader(bytes.NewReader(magic), tee)
	var p picture
	var config image.Config
	err := errors.New("it begins like neither")
	switch {
	case bytes.Equal(magic, []byte("\x89PNG\r\n\x1a\n")):
		config, err = png.DecodeConfig(again)
		p.perPixel, p.decode = pngPixel(head.Bytes()), png.Decode
	case bytes.HasPrefix(magic, []byte("\xff\xd8\xff")):
		config, err = jpeg.DecodeConfig(again)
		p.perPixel, p.decode = jpegPixel(head.Bytes(), config.ColorModel), jpeg.Decode
	}
	if source.err != nil {
		return p, nil, source.err
	}
	if err != nil {
		return p, nil, fmt.Errorf("%w: %w", ErrImage, err)
	}
	p.width, p.height = int64(config.Width), int64(config.Height)
	if p.width < 1 || p.height < 1 || p.width > maxPixels/p.height {
		return p, nil, fmt.Errorf("%w: it is %d × %d pixels; want 1 to %d in all", ErrImage, p.width, p.height, maxPixels)
	}
	return p, io.MultiReader(&head, in), nil
}

// pngPixel knows the header from its chunk IHDR, which is always first.
func pngPixel(head []byte) int64 {
	const depth, kind, interlace = 24, 25, 28
	if len(head) <= interlace {
		return 0
	}
	bytes := int64(4)
	switch {
	case head[depth] == 16:
		bytes = 8
	case head[kind] == 3: // a palette
		bytes = 1
	}
	if head[interlace] != 0 { // each pass is a picture of its own first
		bytes *= 2
	}
	return bytes
}

// jpegPixel counts planes, the picture that some models are converted to, and
// the coefficients that a progressive file keeps until its end.
func jpegPixel(head []byte, model color.Model) int64 {
	planes, converted := int64(3), int64(0)
	switch model {
	case color.GrayModel:
		planes = 1
	case color.RGBAModel:
		converted = 4
	case color.CMYKModel:
		planes, converted = 4, 4
	}
	if isProgressive(head) {
		converted += 4 * planes
	}
	return planes + converted
}

// isProgressive walks the segments to the frame's header (ITU-T T.81, annex B).
func isProgressive(head []byte) bool {
	for at := 2; at+4 <= len(head); {
		marker := head[at+1]
		switch {
		case head[at] != 0xff:
			return false
		case marker == 0xff: // fill
			at++
			continue
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
			return marker == 0xc2
		}
		at += 2 + int(head[at+2])<<8 + int(head[at+3])
	}
	return false
}

// remembering tells an error of the source from one of what it yields.
type remembering struct {
	io.Reader
	err error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}
