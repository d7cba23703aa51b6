package filestore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"bogops/app/store"
)

// A body is blocks of 64 KiB, the last one shorter, each followed by its
// checksum: a part of an object is checked without reading the rest. The
// checksum, CRC-32C, covers the write's nonce and the block's number before
// the bytes, so a block in another's place is caught too.
const (
	blockLen = 64 << 10
	sumLen   = 4
	stride   = blockLen + sumLen
	roomLen  = stride + 4096 // one block with a usual head before it
)

func blockSum(n nonce, number int64, data []byte) uint32 {
	var seed [24]byte
	copy(seed[:], n[:])
	binary.BigEndian.PutUint64(seed[16:], uint64(number))
	return crc32.Update(crc32.Checksum(seed[:], castagnoli), castagnoli, data)
}

// writeFile writes the object of h with what body yields, and leaves it
// unsynced. It holds one block in memory.
func (s *Store) writeFile(file *os.File, h *head, body *store.Verified) error {
	room := s.rooms.Get().(*[roomLen]byte)
	defer s.rooms.Put(room)
	size := int64(0)
	for number := int64(0); ; number++ {
		n, err := io.ReadFull(body, room[:blockLen])
		// Compared as they are: a cause wrapped in ErrTruncated may be
		// io.ErrUnexpectedEOF as well.
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return err
		}
		if n > 0 {
			block := binary.BigEndian.AppendUint32(room[:n], blockSum(h.nonce, number, room[:n]))
			if err := s.disk.write(file, block, h.bodyAt+number*stride); err != nil {
				return diskError("write", err)
			}
			size += int64(n)
		}
		if last {
			break
		}
	}
	if err := s.disk.write(file, h.seal(size, body.SHA256()), 0); err != nil {
		return diskError("write", err)
	}
	return nil
}

// readHead reads the head of a file into room, with as much more of the file
// as first bytes hold, and returns how many bytes of the file room holds.
func readHead(file *os.File, room []byte, first int) (head, int, error) {
	held, err := file.ReadAt(room[:first], 0)
	if err != nil && err != io.EOF {
		return head{}, 0, diskError("read", err)
	}
	want, err := headLen(room[:held])
	if err != nil {
		return head{}, 0, err
	}
	if want > held {
		more, err := file.ReadAt(room[held:want], int64(held))
		if held += more; err != nil && err != io.EOF {
			return head{}, 0, diskError("read", err)
		}
		if held < want {
			return head{}, 0, fmt.Errorf("%w: it ends within its head", ErrDamaged)
		}
	}
	h, err := parseHead(room[:want])
	return h, held, err
}

// reader yields the bytes from at to end of one object, block by block, each
// only once it has matched its checksum. It keeps its file open, and with it
// the bytes, while the name passes to another file or to none.
type reader struct {
	store   *Store
	file    *os.File
	head    head
	at, end int64 // in the object
	room    *[roomLen]byte
	held    []byte // bytes from at on, checked, in room
	err     error
}

// begin reads the head, and with it the first block where it is wanted and
// short enough: a small object takes one read.
func (r *reader) begin(key string, rng store.Range) error {
	h, held, err := readHead(r.file, r.room[:], len(r.room))
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
	n, err := r.file.ReadAt(block, r.head.bodyAt+number*stride)
	if n < len(block) {
		if err == io.EOF {
			err = fmt.Errorf("%w: it ends within its body", ErrDamaged)
		}
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
	return r.file.Close()
}
