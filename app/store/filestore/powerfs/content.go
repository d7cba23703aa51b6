package powerfs

import "math/rand/v2"

// content is what a file holds, and what is sure of it.
type content struct {
	now    []byte
	kept   []byte  // as of the last sync
	total  int     // writes ever
	writes []write // those that kept has not
}

// write is one write, or with cut one change of the length.
type write struct {
	at   int64
	data []byte
	cut  bool // to a length of at
}

func (c *content) do(w write) {
	c.now = w.on(c.now)
	c.writes = append(c.writes, w)
	c.total++
}

func (w write) on(bytes []byte) []byte {
	if w.cut {
		return resized(bytes, int(w.at))
	}
	end := int(w.at) + len(w.data)
	if end > len(bytes) {
		bytes = resized(bytes, end)
	}
	copy(bytes[w.at:], w.data)
	return bytes
}

func resized(bytes []byte, n int) []byte {
	if n <= len(bytes) {
		return bytes[:n]
	}
	return append(bytes, make([]byte, n-len(bytes))...)
}

// keep makes sure of the first total writes.
func (c *content) keep(total int) {
	first := c.total - len(c.writes)
	for ; first < total; first++ {
		c.kept = c.writes[0].on(c.kept)
		c.writes = c.writes[1:]
	}
}

// afterCut is what a cut leaves of the file.
func (c *content) afterCut(draw *rand.Rand) []byte {
	if len(c.writes) == 0 {
		return c.kept
	}
	switch draw.IntN(4) {
	case 0:
		return c.kept
	case 1:
		return c.now
	case 2:
		bytes := c.kept
		for _, w := range c.writes[:draw.IntN(len(c.writes)+1)] {
			bytes = w.on(bytes)
		}
		return bytes
	}
	return c.torn(draw)
}

// torn is a file of a length that it had, of which each block is as it was
// before or as it is now. Blocks that were not there before are zero.
func (c *content) torn(draw *rand.Rand) []byte {
	length := len(c.kept)
	for _, w := range c.writes[:draw.IntN(len(c.writes)+1)] {
		if length = max(length, int(w.at)+len(w.data)); w.cut {
			length = int(w.at)
		}
	}
	bytes := make([]byte, length)
	copy(bytes, c.kept)
	block := []int{512, 4096}[draw.IntN(2)] // a sector or a page
	for at := 0; at < length && at < len(c.now); at += block {
		if draw.IntN(2) == 0 {
			end := min(at+block, length, len(c.now))
			copy(bytes[at:end], c.now[at:end])
		}
	}
	return bytes
}
