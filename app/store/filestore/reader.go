package filestore

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"bogops/app/store"
)

// readHead reads the head of a file into room, with as much more of the file
// as first bytes hold, and returns how many bytes of the file room holds.
func readHead(fd int, room []byte, first int, key string) (head, int, error) {
	held, err := pread(fd, room[:first], 0)
	if err != nil {
		return head{}, 0, diskError("read", err)
	}
	want, err := headLen(room[:held])
	if err != nil {
		return head{}, 0, err
	}
	if want > held {
		more, err := pread(fd, room[held:want], int64(held))
		if held += more; err != nil {
			return head{}, 0, diskError("read", err)
		}
		if held < want {
			return head{}, 0, fmt.Errorf("%w: it ends within its head", ErrDamaged)
		}
	}
	h, err := parseHead(room[:want], key)
	return h, held, err
}

// reader yields the bytes from at to end of one object, block by block, each
// only once it has matched its checksum. It keeps its file open, and with it
// the bytes, while the name passes to another file or to none.
type reader struct {
	store   *Store
	fd      int
	head    head
	at, end int64 // in the object
	room    *[roomLen]byte
	held    []byte // bytes from at on, checked, in room
	err     error
}

// begin reads the head, and with it the first block where it is wanted and
// short enough: a small object takes one read. Size is the file's: asking for
// more would take another read, to be told of the end.
func (r *reader) begin(key string, rng store.Range, size int64) error {
	h, held, err := readHead(r.fd, r.room[:], int(min(int64(len(r.room)), size)), key)
	if err == nil {
		err = h.belongs(key)
	}
	if err != nil {
		return err
	}
	r.head = h
	r.at, r.end = rng.Clip(h.info.Size)
	blockEnd := int(h.bodyAt) + r.blockLen(0) + sumLen
	if r.at < min(r.end, blockLen) && blockEnd <= held {
		return r.take(0, r.room[h.bodyAt:blockEnd])
	}
	return nil
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := r.fill(); err != nil {
		return 0, err
	}
	n := copy(p, r.held)
	r.advance(n)
	return n, nil
}

// WriteTo implements io.WriterTo: io.Copy then needs no buffer of its own.
func (r *reader) WriteTo(w io.Writer) (total int64, err error) {
	for {
		if err := r.fill(); err == io.EOF {
			return total, nil
		} else if err != nil {
			return total, err
		}
		n, err := w.Write(r.held)
		total += int64(n)
		r.advance(n)
		if err != nil {
			return total, err
		}
	}
}

func (r *reader) advance(n int) {
	r.held = r.held[n:]
	r.at += int64(n)
}

// fill sees to it that held is not empty, or says why it is.
func (r *reader) fill() error {
	if r.err == nil && r.at >= r.end {
		r.err = io.EOF
	}
	if r.err == nil && len(r.held) == 0 {
		r.err = r.load()
	}
	return r.err
}

// load reads and checks the block that at lies in.
func (r *reader) load() error {
	number := r.at / blockLen
	block := r.room[:r.blockLen(number)+sumLen]
	n, err := pread(r.fd, block, r.head.bodyAt+number*stride)
	if err == nil && n < len(block) {
		err = fmt.Errorf("%w: it ends within its body", ErrDamaged)
	}
	if err != nil {
		return fmt.Errorf("filestore: read %s: %w", store.Fingerprint(r.head.info.Key), err)
	}
	return r.take(number, block)
}

// blockLen is the length of the bytes of a block.
func (r *reader) blockLen(number int64) int {
	return int(min(blockLen, r.head.info.Size-number*blockLen))
}

// take checks a block with its checksum behind it, and holds what is wanted of
// its bytes.
func (r *reader) take(number int64, block []byte) error {
	data := block[:len(block)-sumLen]
	if blockSum(r.head.nonce, number, data) != binary.BigEndian.Uint32(block[len(data):]) {
		return fmt.Errorf("filestore: read %s: %w: block %d does not match its checksum", store.Fingerprint(r.head.info.Key), ErrDamaged, number)
	}
	first := number * blockLen
	r.held = data[r.at-first : min(int64(len(data)), r.end-first)]
	return nil
}

// Close implements io.Closer.
func (r *reader) Close() error {
	if r.room == nil {
		return os.ErrClosed
	}
	r.store.rooms.Put(r.room)
	r.room, r.held, r.err = nil, nil, os.ErrClosed
	return unix.Close(r.fd)
}
