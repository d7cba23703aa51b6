package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"

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
	fd, of, err := s.find(at)
	if err != nil {
		return nil, err
	}
	r := &reader{store: s, fd: fd, room: s.rooms.Get().(*[roomLen]byte)}
	if err := r.begin(key, rng, of.size); err != nil {
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
	h, _, err := s.statAt(key, at)
	return h.info, err
}

// statAt also tells which file it read.
func (s *Store) statAt(key string, at place) (head, identity, error) {
	h, of, err := s.openHead(at, key)
	if err == nil {
		err = h.belongs(key)
	}
	if err != nil {
		return head{}, of, fmt.Errorf("%s: %w", at.blind(), err)
	}
	return h, of, nil
}

func (s *Store) readHeadAt(at place, key string) (head, error) {
	h, _, err := s.openHead(at, key)
	return h, err
}

func (s *Store) openHead(at place, key string) (head, identity, error) {
	fd, of, err := s.find(at)
	if err != nil {
		return head{}, of, err
	}
	defer unix.Close(fd)
	room := s.rooms.Get().(*[roomLen]byte)
	defer s.rooms.Put(room)
	h, _, err := readHead(fd, room[:], int(min(512, of.size)), key)
	return h, of, err
}

// find opens the file at a place, whose name is synced then.
func (s *Store) find(at place) (fd int, of identity, err error) {
	shard, err := s.shard(at.shard)
	if err != nil {
		return -1, of, err
	}
	fd, err = openFD(shard.file, at.name, unix.O_RDONLY)
	if errors.Is(err, unix.ENOENT) {
		return -1, of, s.absent(shard)
	}
	if err != nil {
		return -1, of, diskError("open", err)
	}
	if of, err = s.settle(shard, fd); err != nil {
		_ = unix.Close(fd)
		return -1, of, err
	}
	return fd, of, nil
}
