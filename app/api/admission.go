package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"bogops/app/admit"
	"bogops/app/store"
)

// admitted lets a request in, or refuses it before anything was read for it. A
// request that would find the line at the store full is refused here too: to
// read its body first would cost more than to serve it.
func admitted(gate *admit.Gate, errs failer) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := c.Request.Context().Err(); err != nil {
			errs.fail(c, err) // a stream that was opened and reset
			return
		}
		if err := gate.Enter(); err != nil {
			errs.fail(c, err)
			return
		}
		defer gate.Leave()
		if err := gate.Crowded(); err != nil {
			errs.fail(c, err)
			return
		}
		c.Next()
	}
}

// retryAfter is the header of an answer to err: when to come back, in seconds.
func retryAfter(err error) string {
	var refused *admit.Refused
	if errors.As(err, &refused) {
		return strconv.Itoa(int(refused.After / time.Second))
	}
	return "1"
}

const (
	// smallLen is the longest body or answer that is held whole, in bytes. It
	// is a block of the file store; 1,024 of them fit into the budget.
	smallLen = 64 << 10
	// streamLen is what a stream holds beside it: a block of the store, the
	// buffers of the connection and one of the answer.
	streamLen = 160 << 10
	// The weights of calls in turns; what costs as much as a plain read is 1.
	usualWeight, listWeight = 1, 8
)

// queued is a store whose calls wait for their turn. No turn waits for a client:
// a small body is read before, a small answer is read whole within and sent
// after. What is larger is a stream. It holds some bytes of the budget and a
// turn only for the store's work before its first byte out: as a stream moves
// as fast as its client, a turn would be as long as the client pleases.
type queued struct {
	store.Store
	gate  *admit.Gate
	rooms *sync.Pool // of *[smallLen]byte
}

var _ store.Store = queued{}

func newQueued(s store.Store, gate *admit.Gate) queued {
	return queued{s, gate, &sync.Pool{New: func() any { return new([smallLen]byte) }}}
}

// Put implements store.Store.
func (q queued) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	if opts.IfAbsent || opts.IfMatch != "" {
		// A client that awaits a 100 is spared the body of a write that
		// cannot succeed. The store checks again.
		if err := q.allowed(ctx, key, opts); err != nil {
			return store.Info{}, err
		}
	}
	if opts.Size > smallLen {
		return q.putStream(ctx, key, body, opts)
	}
	held, err := q.gate.Hold(admit.Small, smallLen)
	if err != nil {
		return store.Info{}, err
	}
	free := sync.OnceFunc(func() { q.gate.Free(held) })
	defer free()
	room := q.rooms.Get().(*[smallLen]byte)
	back := sync.OnceFunc(func() { q.rooms.Put(room) })
	defer back()
	n, err := io.ReadFull(body, room[:])
	switch {
	case err == nil: // at the end only if nothing more comes
		rest := io.MultiReader(bytes.NewReader(room[:]), body)
		if opts.Size < 0 {
			free()
			return q.putStream(ctx, key, rest, opts)
		}
		return q.put(ctx, key, rest, opts)
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return store.Info{}, fmt.Errorf("%w: after %d bytes: %w", store.ErrTruncated, n, err)
	}
	return q.put(ctx, key, bytes.NewReader(room[:n]), opts)
}

func (q queued) allowed(ctx context.Context, key string, opts store.PutOptions) error {
	info, err := q.Stat(ctx, key)
	if err != nil && !absent(err) {
		return err
	}
	return opts.Check(info.ETag)
}

func (q queued) put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	turn, err := q.gate.Turn(ctx, usualWeight)
	if err != nil {
		return store.Info{}, err
	}
	defer turn.Done(true)
	return q.Store.Put(ctx, key, body, opts)
}

func (q queued) putStream(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	held, err := q.gate.Hold(admit.Large, streamLen)
	if err != nil {
		return store.Info{}, err
	}
	defer q.gate.Free(held)
	return q.Store.Put(ctx, key, body, opts)
}

// Get implements store.Store.
func (q queued) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	turn, err := q.gate.Turn(ctx, usualWeight)
	if err != nil {
		return nil, store.Info{}, err
	}
	defer turn.Done(true)
	body, info, err := q.Store.Get(ctx, key, rng)
	if err != nil {
		return nil, info, err
	}
	from, to := rng.Clip(info.Size)
	kind, length := admit.Large, int64(streamLen)
	if to-from <= smallLen {
		kind, length = admit.Small, smallLen
	}
	held, err := q.gate.Hold(kind, length)
	if err != nil {
		body.Close()
		return nil, store.Info{}, err
	}
	if kind == admit.Large {
		return &stream{ReadCloser: body, gate: q.gate, held: held}, info, nil
	}
	defer body.Close()
	answer := &small{room: q.rooms.Get().(*[smallLen]byte), rooms: q.rooms, gate: q.gate, held: held}
	read := false
	defer func() {
		if !read { // the store may have panicked
			_ = answer.Close()
		}
	}()
	n, err := io.ReadFull(body, answer.room[:to-from])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, store.Info{}, err
	}
	read = true
	answer.rest = answer.room[:n] // whoever reads it notices where it is too short
	return answer, info, nil
}

// Stat implements store.Store.
func (q queued) Stat(ctx context.Context, key string) (store.Info, error) {
	turn, err := q.gate.Turn(ctx, usualWeight)
	if err != nil {
		return store.Info{}, err
	}
	defer turn.Done(true)
	return q.Store.Stat(ctx, key)
}

// Delete implements store.Store.
func (q queued) Delete(ctx context.Context, key, ifMatch string) error {
	turn, err := q.gate.Turn(ctx, usualWeight)
	if err != nil {
		return err
	}
	defer turn.Done(true)
	return q.Store.Delete(ctx, key, ifMatch)
}

// List implements store.Store.
func (q queued) List(ctx context.Context, opts store.ListOptions) (store.Page, error) {
	turn, err := q.gate.Turn(ctx, listWeight)
	if err != nil {
		return store.Page{}, err
	}
	defer turn.Done(true)
	return q.Store.List(ctx, opts)
}

// stream is an answer that is read from the store as its client takes it.
type stream struct {
	io.ReadCloser
	gate *admit.Gate
	held int64
}

// WriteTo keeps the way that a store has to give its bytes without a copy.
func (s *stream) WriteTo(w io.Writer) (int64, error) {
	if from, ok := s.ReadCloser.(io.WriterTo); ok {
		return from.WriteTo(w)
	}
	return io.Copy(w, s.ReadCloser)
}

func (s *stream) Close() error {
	s.gate.Free(s.held)
	s.held = 0
	return s.ReadCloser.Close()
}

// small is an answer that is held whole; the store is done with it.
type small struct {
	rest  []byte
	room  *[smallLen]byte
	rooms *sync.Pool
	gate  *admit.Gate
	held  int64
}

func (s *small) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// WriteTo implements io.WriterTo.
func (s *small) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(s.rest)
	s.rest = s.rest[n:]
	return int64(n), err
}

func (s *small) Close() error {
	if s.room != nil {
		s.rooms.Put(s.room)
		s.gate.Free(s.held)
		s.room, s.rest = nil, nil
	}
	return nil
}
