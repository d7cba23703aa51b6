package radosstore

import "encoding/binary"

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// cutter takes fields off what is left of an encoding. After the first one that
// is not there all fields are empty, and failed says so.
type cutter struct {
	rest   []byte
	failed bool
}

func (c *cutter) bytes(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.failed, c.rest = true, nil
		return nil
	}
	field := c.rest[:n]
	c.rest = c.rest[n:]
	return field
}

func (c *cutter) uvarint() uint64 {
	n, width := binary.Uvarint(c.rest)
	c.bytes(orFail(width))
	return n
}

func (c *cutter) varint() int64 {
	n, width := binary.Varint(c.rest)
	c.bytes(orFail(width))
	return n
}

// orFail makes the width of a varint that is not there one that never fits.
func orFail(width int) int {
	if width <= 0 {
		return -1
	}
	return width
}

// size is a number of bytes, which fits into an int64.
func (c *cutter) size() int64 {
	n := int64(c.uvarint())
	if n < 0 {
		c.failed, c.rest = true, nil
		return 0
	}
	return n
}

func (c *cutter) text() string {
	n := c.uvarint()
	if n > uint64(len(c.rest)) {
		c.failed, c.rest = true, nil
		return ""
	}
	return string(c.bytes(int(n)))
}

func (c *cutter) sum() uint32 {
	b := c.bytes(4)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}
