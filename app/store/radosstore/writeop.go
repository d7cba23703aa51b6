//go:build ceph

package radosstore

/*
#cgo LDFLAGS: -lrados
#include <rados/librados.h>
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// text is a string that ends with a zero byte, as C wants it.
func text(s string) *C.char { return first(append([]byte(s), 0)) }

// first is where bytes begin; there is at least one.
func first(b []byte) *C.char { return (*C.char)(unsafe.Pointer(&b[0])) }

// writePieces replaces the whole object.
func writePieces(op C.rados_write_op_t, pieces [][]byte) {
	at := 0
	for _, piece := range pieces {
		switch {
		case len(piece) == 0:
			continue
		case at == 0:
			C.rados_write_op_write_full(op, first(piece), C.size_t(len(piece)))
		default:
			C.rados_write_op_write(op, first(piece), C.size_t(len(piece)), C.uint64_t(at))
		}
		at += len(piece)
	}
}

// texts are texts as C takes many: where each begins, and how long it is.
type texts struct {
	pinned runtime.Pinner
	begin  []*C.char
	length []C.size_t
}

func (s *texts) add(b []byte) {
	at := first(b)
	s.pinned.Pin(at)
	s.begin, s.length = append(s.begin, at), append(s.length, C.size_t(len(b)))
}

// setEntries writes entries; neither a key nor a value is empty.
func setEntries(op C.rados_write_op_t, set map[string][]byte) {
	if len(set) == 0 {
		return
	}
	var keys, values texts
	defer keys.pinned.Unpin()
	defer values.pinned.Unpin()
	for key, value := range set {
		keys.add([]byte(key))
		values.add(value)
	}
	C.rados_write_op_omap_set2(op, &keys.begin[0], &values.begin[0], &keys.length[0], &values.length[0], C.size_t(len(set)))
}

func dropKeys(op C.rados_write_op_t, drop []string) {
	if len(drop) == 0 {
		return
	}
	var keys texts
	defer keys.pinned.Unpin()
	for _, key := range drop {
		keys.add([]byte(key))
	}
	C.rados_write_op_omap_rm_keys2(op, &keys.begin[0], &keys.length[0], C.size_t(len(drop)))
}
