package main

import (
	"os"
	"runtime/debug"
)

// floorLen is what the heap is taken to hold at least when the next garbage
// collection is due, and growth the percent of the heap that may gather as
// garbage until then.
const (
	floorLen = 64 << 20
	growth   = 50
)

// heapFloor keeps the collector from running many times a second while the heap
// is a few MiB, which it is in this program whatever the load: bodies stream.
// The slice is never written to, so it takes address space and no memory; the
// collector lets 32 MiB of garbage gather instead of 4. The caller keeps it
// alive (runtime.KeepAlive). Where steps hold large inputs garbage may be half
// of what is held and no more, so that resident memory stays bounded too. GOGC
// in the environment stands above that.
func heapFloor() []byte {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growth)
	}
	return make([]byte, floorLen)
}
