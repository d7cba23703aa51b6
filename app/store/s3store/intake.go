package s3store

import (
	"context"
	"errors"
	"io"

	"bogops/app/store"
)

// intake is a body on its way in, checked as it is read. Of a big one the
// memory holds one part at a time.
type intake struct {
	b      *bucket
	body   *store.Verified
	held   int64 // bytes of memory that are ours
	buffer []byte
	length int64 // bytes read
	ended  bool
}

// takeIn waits for memory. The caller calls release when buffer is done with.
func (b *bucket) takeIn(ctx context.Context, body io.Reader, opts store.PutOptions) (*intake, error) {
	room := int64(partSize + 1) // one more, to see whether the body ends there
	if opts.Size >= 0 {
		room = min(room, opts.Size+1)
	}
	if err := b.memory.Acquire(ctx, room); err != nil {
		return nil, ctx.Err()
	}
	in := &intake{b: b, body: store.Verify(ctx, body, opts), held: room}
	if opts.Size >= 0 {
		in.buffer = make([]byte, 0, room)
	}
	return in, nil
}

// fill reads on until the buffer holds more than limit bytes or the body has
// ended well. Limit is partSize at most.
func (in *intake) fill(limit int) error {
	for !in.ended && len(in.buffer) <= limit {
		if len(in.buffer) == cap(in.buffer) {
			size := int(min(in.held, max(int64(2*cap(in.buffer)), 32<<10)))
			in.buffer = append(make([]byte, 0, size), in.buffer...)
		}
		n, err := in.body.Read(in.buffer[len(in.buffer):min(cap(in.buffer), limit+1)])
		in.buffer = in.buffer[:len(in.buffer)+n]
		in.length += int64(n)
		if errors.Is(err, io.EOF) {
			in.ended = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

// next returns a whole part, or the rest where the body has ended, and true
// with the last one. It is good until the next call.
func (in *intake) next(before int) (part []byte, last bool, err error) {
	in.buffer = append(in.buffer[:0], in.buffer[before:]...)
	if err := in.fill(partSize); err != nil {
		return nil, false, err
	}
	if len(in.buffer) > partSize {
		return in.buffer[:partSize], false, nil
	}
	return in.buffer, true, nil
}

func (in *intake) release() {
	in.b.memory.Release(in.held)
	in.held, in.buffer = 0, nil
}
