package oracle

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// What one drawn chain may cost the judge, published in CHALLENGE.md: objects
// over Whole are first cut to a part of at most Part bytes, a chain holds at
// most two base64, and stretch at most maxStretch iterations.
const (
	Whole = 4 << 20
	Part  = 1 << 20

	maxDrawn   = 5
	maxBase64  = 2
	maxStretch = 2_000
)

var nonceAlphabet = []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")

// Draw draws a chain for an object of size bytes that a platform of that level
// (bronze, silver, gold) must know. The same source gives the same chain. Every
// chain holds a nonce, or a slice at random bounds, so that neither a cache nor
// an answer computed in advance helps.
func Draw(r *rand.Rand, level string, size int64) string {
	d := drawer{r: r, size: size, silver: level == "silver" || level == "gold"}
	return d.chain()
}

type drawer struct {
	r      *rand.Rand
	size   int64 // of what the next step reads
	silver bool
	base64 int
	steps  []string
}

func (d *drawer) chain() string {
	if d.size > Whole {
		d.slice(Part)
	}
	total := 1 + d.r.IntN(maxDrawn-1)
	nonceAt := d.r.IntN(total)
	for i := range total {
		if i == nonceAt {
			d.unpredictable()
		} else {
			d.any()
		}
	}
	return strings.Join(d.steps, ",")
}

// unpredictable adds the step that makes the answer new.
func (d *drawer) unpredictable() {
	switch n := d.r.IntN(4); {
	case n == 0 && d.size > 1024:
		d.slice(d.size)
	case n == 1 && d.silver:
		d.add("xor:"+d.nonce(), d.size)
	case n == 2 && d.silver:
		d.add(fmt.Sprintf("stretch:%s:%d", d.nonce(), 1+d.r.IntN(maxStretch)), 64)
	default:
		d.add("hmac:"+d.nonce(), 64)
	}
}

func (d *drawer) any() {
	switch n := d.r.IntN(8); {
	case n == 0:
		d.add("sha256", 64)
	case n == 1:
		d.add("sha512", 128)
	case n <= 3:
		d.add("reverse", d.size)
	case n <= 5:
		d.add("upper", d.size)
	case n == 6 && d.base64 < maxBase64:
		d.base64++
		d.add("base64", (d.size+2)/3*4)
	default:
		d.slice(d.size)
	}
}

// slice keeps at least the half of what is there, or of most, and now and then
// asks for more than there is.
func (d *drawer) slice(most int64) {
	most = min(most, d.size)
	length := most - d.r.Int64N(most/2+1)
	offset := d.r.Int64N(d.size - length + 1)
	asked := length
	if d.r.IntN(16) == 0 && most == d.size {
		asked, length = length+d.size, d.size-offset
	}
	d.add(fmt.Sprintf("slice:%d:%d", offset, asked), length)
}

func (d *drawer) add(step string, size int64) {
	d.steps = append(d.steps, step)
	d.size = size
}

// nonce draws 16 characters: 96 bits.
func (d *drawer) nonce() string {
	text := make([]byte, 16)
	for i := range text {
		text[i] = nonceAlphabet[d.r.IntN(len(nonceAlphabet))]
	}
	return string(text)
}
