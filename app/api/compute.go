package api

import (
	"context"
	"io"

	"bogops/app/admit"
	"bogops/app/process"
)

// compute begins the work of a chain on size bytes of body: what it holds is
// taken from the budget of bytes, and its declared work waits for a slot of a
// core. Whoever closes what it returns gives both back, and closes body.
func (o *objects) compute(ctx context.Context, chain process.Chain, body io.ReadCloser, size int64) (io.ReadCloser, error) {
	free, err := o.gate.HoldInput(ctx, chain.Holds(size)+smallLen)
	if err != nil {
		return nil, err
	}
	slot, err := o.gate.Compute(ctx, chain.Cost(size))
	if err != nil {
		free()
		return nil, err
	}
	return &computed{
		ctx: ctx, out: chain.Apply(ctx, body, size), body: body, slot: slot,
		room: make([]byte, smallLen), free: free,
	}, nil
}

// computed yields what a chain makes. It holds its slot while it makes the next
// piece, and not while a client takes the last one.
type computed struct {
	ctx  context.Context
	out  io.Reader
	body io.Closer
	slot *admit.Place
	room []byte
	rest []byte // of room, not yet read
	err  error  // of out
	free func()
}

// Read implements io.Reader.
func (c *computed) Read(p []byte) (int, error) {
	if len(c.rest) == 0 && c.err == nil {
		c.fill()
	}
	if len(c.rest) == 0 {
		return 0, c.err
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// WriteTo implements io.WriterTo.
func (c *computed) WriteTo(w io.Writer) (total int64, err error) {
	for {
		if len(c.rest) == 0 && c.err == nil {
			c.fill()
		}
		if len(c.rest) == 0 && c.err == io.EOF {
			return total, nil
		}
		if len(c.rest) == 0 {
			return total, c.err
		}
		n, err := w.Write(c.rest)
		total += int64(n)
		c.rest = c.rest[n:]
		if err != nil {
			return total, err
		}
	}
}

// fill makes the next piece.
func (c *computed) fill() {
	if c.err = c.slot.Resume(c.ctx); c.err != nil {
		return
	}
	defer c.slot.Pause()
	n := 0
	for n < len(c.room) && c.err == nil {
		var more int
		more, c.err = c.out.Read(c.room[n:])
		n += more
	}
	c.rest = c.room[:n]
}

// Close gives back what was held.
func (c *computed) Close() error {
	c.slot.Done(c.err == io.EOF)
	c.free()
	return c.body.Close()
}
