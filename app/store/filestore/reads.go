package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// Get implements store.Store. Bytes that fail their checksum end the reading
// with ErrDamaged before they are served.
func (s *Store) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	r, err := s.get(ctx, key, rng)
	if err != nil {
		return nil, store.Info{}, fmt.Errorf("filestore: get %s: %w", store.Fingerprint(key), err)
	}
	return r, r.head.info, nil
}

func (s *Store) get(ctx context.Context, key string, rng store.Range) (*reader, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	at := placeOf(key)
	file, err := s.find(at)
	if err != nil {
		return nil, err
	}
	r := &reader{store: s, file: file, room: s.rooms.Get().(*[roomLen]byte)}
	if err := r.begin(key, rng); err != nil {
		r.Close()
		return nil, fmt.Errorf("%s: %w", at.blind(), err)
	}
	return r, nil
}

// Stat implements store.Store.
func (s *Store) Stat(ctx context.Context, key string) (store.Info, error) {
	info, err := s.enterStat(ctx, key)
	if err != nil {
		return store.Info{}, fmt.Errorf("filestore: stat %s: %w", store.Fingerprint(key), err)
	}
	return info, nil
}

func (s *Store) enterStat(ctx context.Context, key string) (store.Info, error) {
	if err := s.enter(); err != nil {
		return store.Info{}, err
	}
	defer s.leave()
	if err := ctx.Err(); err != nil {
		return store.Info{}, err
	}
	return s.stat(key, placeOf(key))
}

func (s *Store) stat(key string, at place) (store.Info, error) {
	h, err := s.readHeadAt(at)
	if err == nil {
		err = h.belongs(key)
	}
	if err != nil {
		return store.Info{}, fmt.Errorf("%s: %w", at.blind(), err)
	}
	return h.info, nil
}

func (s *Store) readHeadAt(at place) (head, error) {
	file, err := s.find(at)
	if err != nil {
		return head{}, err
	}
	defer file.Close()
	room := s.rooms.Get().(*[roomLen]byte)
	defer s.rooms.Put(room)
	h, _, err := readHead(file, room[:], 1024)
	return h, err
}

// find opens the file at a place.
func (s *Store) find(at place) (*os.File, error) {
	shard, err := s.shard(at.shard)
	if err != nil {
		return nil, err
	}
	file, err := openAt(shard.file, at.name, unix.O_RDONLY)
	switch {
	case err == nil:
		return file, nil
	case !errors.Is(err, unix.ENOENT):
		return nil, diskError("open", err)
	case shard.gone():
		return nil, errGone(shard)
	}
	return nil, store.ErrNotFound
}
