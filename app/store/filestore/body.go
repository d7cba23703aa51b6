package filestore

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"time"

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
	roomLen  = stride + usualHead // one block with a usual head before it

	usualHead = 4096 // bytes of a head that is not unusually long
)

func blockSum(n nonce, number int64, data []byte) uint32 {
	var seed [24]byte
	copy(seed[:], n[:])
	binary.BigEndian.PutUint64(seed[16:], uint64(number))
	return crc32.Update(crc32.Checksum(seed[:], castagnoli), castagnoli, data)
}

// writeFile writes the object of h with what body yields, and leaves it
// unsynced. It holds one block in memory, and writes an object of one block at
// once. It returns when body had been read.
func (s *Store) writeFile(file *os.File, h *head, body *store.Verified) (read time.Time, err error) {
	room := s.rooms.Get().(*[roomLen]byte)
	defer s.rooms.Put(room)
	front := 0 // of the room: for the head, where it is a usual one
	if h.bodyAt <= usualHead {
		front = int(h.bodyAt)
	}
	size := int64(0)
	for number := int64(0); ; number++ {
		n, err := io.ReadFull(body, room[front:front+blockLen])
		// Compared as they are: a cause wrapped in ErrTruncated may be
		// io.ErrUnexpectedEOF as well.
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return read, err
		}
		if last {
			read = s.now()
		}
		size += int64(n)
		block := room[front : front+n]
		if n > 0 {
			block = binary.BigEndian.AppendUint32(block, blockSum(h.nonce, number, block))
		}
		if last && number == 0 && front > 0 {
			copy(room[:front], h.seal(size, body.SHA256()))
			return read, s.write(file, room[:front+len(block)], 0)
		}
		if err := s.write(file, block, h.bodyAt+number*stride); err != nil {
			return read, err
		}
		if last {
			return read, s.write(file, h.seal(size, body.SHA256()), 0)
		}
	}
}

func (s *Store) write(file *os.File, p []byte, at int64) error {
	if len(p) == 0 {
		return nil
	}
	if err := s.disk.write(file, p, at); err != nil {
		return diskError("write", err)
	}
	return nil
}
