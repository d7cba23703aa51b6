//go:build ceph

package radosstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ceph/go-ceph/rados"

	"bogops/app/store"
)

func (c *cluster) read(ctx context.Context, name string, p []byte, at int64, holds ...*buffer) (int, error) {
	var got int
	err := c.do(ctx, reading, holds, func(s *session, ended func(error)) {
		s.completions.read(s.io, name, p, at, func(n int) {
			if n < 0 {
				ended(code(n))
				return
			}
			got = n
			ended(nil)
		})
	})
	if err != nil {
		return 0, err // an operation that was given up may still set got
	}
	return got, nil
}

func (c *cluster) size(ctx context.Context, name string) (int64, error) {
	var stat rados.ObjectStat
	err := c.call(ctx, reading, func(io *rados.IOContext) (err error) {
		stat, err = io.Stat(name)
		return err
	})
	if err != nil {
		return 0, err
	}
	return int64(stat.Size), nil
}

func (c *cluster) change(ctx context.Context, name string, ch change, holds ...*buffer) error {
	return c.do(ctx, writing, holds, func(s *session, ended func(error)) {
		s.completions.change(s.io, name, ch, func(n int) {
			if n < 0 {
				ended(code(n))
				return
			}
			ended(nil)
		})
	})
}

func (c *cluster) entries(ctx context.Context, name, after, prefix string, limit int) ([]pair, bool, error) {
	var page []pair
	var more bool
	err := c.call(ctx, reading, func(io *rados.IOContext) error {
		op := rados.CreateReadOp()
		defer op.Release()
		step := op.GetOmapValues(after, prefix, uint64(limit))
		if err := op.Operate(io, name, rados.OperationNoFlag); err != nil {
			return err
		}
		for {
			next, err := step.Next()
			if err != nil {
				return err
			}
			if next == nil {
				more = step.More()
				return nil
			}
			page = append(page, pair{next.Key, next.Value})
		}
	})
	if errors.Is(err, errMissing) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return page, more, nil
}

// each holds one place for the whole listing, which librados does in many
// operations of its own.
func (c *cluster) each(ctx context.Context, found func(name string) error) error {
	names := make(chan string) // never closed: an abandoned listing may still send
	listing, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- c.call(listing, reading, func(io *rados.IOContext) error {
			return iterate(listing, io, names)
		})
	}()
	for {
		select {
		case name := <-names:
			if err := found(name); err != nil {
				stop()
				<-ended
				return err
			}
		case err := <-ended:
			stop()
			return err
		}
	}
}

func iterate(ctx context.Context, io *rados.IOContext, names chan<- string) error {
	it, err := io.Iter()
	if err != nil {
		return err
	}
	defer it.Close()
	for it.Next() {
		select {
		case names <- it.Value():
		case <-ctx.Done():
			return nil
		}
	}
	return it.Err()
}

func (c *cluster) blocklist(ctx context.Context, address string) error {
	command, err := json.Marshal(map[string]any{
		"prefix": "osd blocklist", "blocklistop": "add", "addr": address,
		// In seconds: a process may be resumed long after the default of an hour.
		"expire": json.RawMessage("31536000.0"), // a year; 31536000 is no number to a monitor
	})
	if err != nil {
		return err
	}
	s, err := c.use()
	if err != nil {
		return err
	}
	answer := make(chan error, 1)
	go func() {
		defer s.users.Done()
		_, said, err := s.conn.MonCommand(command)
		if err != nil {
			answer <- fmt.Errorf("%w: blocklist %s: %w: %s", store.ErrUnavailable, address, err, said)
			return
		}
		// From here on our operations carry the map that shuts it out, and an
		// OSD that has not seen it yet fetches it before it answers them.
		answer <- s.conn.WaitForLatestOSDMap()
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
