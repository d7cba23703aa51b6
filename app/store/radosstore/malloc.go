//go:build ceph

package radosstore

/*
#include <malloc.h>

static void give_back(void) {
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_ARENA_MAX, 2);
#endif
}
*/
import "C"

// giveBack has the C library return the memory of a tail to the system once
// librados is done with it. By itself glibc raises the size from which it does
// that to 32 MiB as soon as it sees blocks of 4 MiB come and go, and keeps them
// in an arena per thread: 24 bodies of 64 MiB at once took 327 MiB beside a
// budget of 96 MiB, and 124 MiB with these two settings. They hold for the whole
// process and may be made again (mallopt(3)).
func giveBack() { C.give_back() }
