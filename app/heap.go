package main

// floorLen is what the heap is taken to hold at least when the next garbage
// collection is due.
const floorLen = 32 << 20

// heapFloor keeps the collector from running many times a second while the heap
// is a few MiB, which it is in this program whatever the load: bodies stream.
// The slice is never written to, so it takes address space and no memory; the
// collector, whose next run is due at twice the heap, lets 64 MiB of garbage
// gather instead of 4. The caller keeps it alive (runtime.KeepAlive).
func heapFloor() []byte { return make([]byte, floorLen) }
