//go:build ceph

package radosstore

/*
#cgo LDFLAGS: -lrados
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <rados/librados.h>

// An operation on its way. A thread of librados puts it into the queue when it
// has ended, and no thread waits for it meanwhile.
struct operation {
	struct queue *queue;
	struct operation *next;
	uint64_t number;
	int code;
};

struct queue {
	pthread_mutex_t mutex;
	struct operation *first, **last;
	int event; // an eventfd(2), raised whenever the queue is no longer empty
};

static struct queue *queue_new(int event) {
	struct queue *q = calloc(1, sizeof *q);
	if (q == NULL)
		abort(); // as Go does without memory
	pthread_mutex_init(&q->mutex, NULL);
	q->last = &q->first;
	q->event = event;
	return q;
}

static void queue_free(struct queue *q) {
	pthread_mutex_destroy(&q->mutex);
	free(q);
}

static void ended(rados_completion_t c, void *arg) {
	struct operation *o = arg;
	struct queue *q = o->queue;
	uint64_t one = 1;
	o->code = rados_aio_get_return_value(c);
	rados_aio_release(c);
	pthread_mutex_lock(&q->mutex);
	int empty = q->first == NULL;
	*q->last = o;
	q->last = &o->next;
	// Before the lock is given back: afterwards the event may be closed.
	if (empty && write(q->event, &one, sizeof one) < 0) {
		// It counts up to 2^64, so there is nothing that can go wrong.
	}
	pthread_mutex_unlock(&q->mutex);
}

// take moves up to room of those that have ended out of the queue.
static size_t take(struct queue *q, uint64_t *numbers, int *codes, size_t room) {
	size_t n = 0;
	pthread_mutex_lock(&q->mutex);
	while (q->first != NULL && n < room) {
		struct operation *o = q->first;
		q->first = o->next;
		if (q->first == NULL)
			q->last = &q->first;
		numbers[n] = o->number;
		codes[n++] = o->code;
		free(o);
	}
	pthread_mutex_unlock(&q->mutex);
	return n;
}

static rados_completion_t completion(struct queue *q, uint64_t number, struct operation **o) {
	rados_completion_t c;
	*o = calloc(1, sizeof **o);
	if (*o == NULL)
		abort();
	(*o)->queue = q;
	(*o)->number = number;
	rados_aio_create_completion2(*o, ended, &c); // never fails
	return c;
}

static int refused(rados_completion_t c, struct operation *o, int code) {
	if (code < 0) { // it was not sent, and nobody is told
		rados_aio_release(c);
		free(o);
	}
	return code;
}

static int send_read(rados_ioctx_t io, struct queue *q, uint64_t number, const char *name, char *p, size_t n, uint64_t at) {
	struct operation *o;
	rados_completion_t c = completion(q, number, &o);
	return refused(c, o, rados_aio_read(io, name, c, p, n, at));
}

static int send_write(rados_ioctx_t io, struct queue *q, uint64_t number, const char *name, rados_write_op_t op) {
	struct operation *o;
	rados_completion_t c = completion(q, number, &o);
	// A full pool answers so; without the flag the write would hang.
	return refused(c, o, rados_aio_write_op_operate(op, io, c, name, NULL, LIBRADOS_OPERATION_FULL_TRY));
}
*/
import "C"

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"github.com/ceph/go-ceph/rados"
	"golang.org/x/sys/unix"
)

// completions sends operations without a thread that waits for each. go-ceph has
// calls that block only, and a thread for each is switched to and from twice for
// a small read. One goroutine tells those that wait.
type completions struct {
	queue *C.struct_queue
	event *os.File
	told  chan struct{} // closed when nobody is told any more

	mu     sync.Mutex
	last   C.uint64_t
	flying map[C.uint64_t]func(code int)
}

func newCompletions() (*completions, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	c := &completions{queue: C.queue_new(C.int(fd)), event: os.NewFile(uintptr(fd), "eventfd"),
		told: make(chan struct{}), flying: map[C.uint64_t]func(int){}}
	go c.tell()
	return c, nil
}

// tell calls those that wait for an operation, one after the other, until stop.
func (c *completions) tell() {
	defer close(c.told)
	const room = 64
	numbers, codes := make([]C.uint64_t, room), make([]C.int, room)
	count := make([]byte, 8)
	for {
		if _, err := c.event.Read(count); err != nil {
			return // it is closed
		}
		for n := C.size_t(room); n == room; {
			n = C.take(c.queue, &numbers[0], &codes[0], room)
			for i := range n {
				c.land(numbers[i])(int(codes[i]))
			}
		}
	}
}

func (c *completions) note(ended func(code int)) C.uint64_t {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	c.flying[c.last] = ended
	return c.last
}

func (c *completions) land(number C.uint64_t) func(code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ended := c.flying[number]
	delete(c.flying, number)
	return ended
}

// stop ends the goroutine, when no operation is on its way any more.
func (c *completions) stop() error {
	err := c.event.Close()
	<-c.told
	return err
}

// free gives back what librados's threads used, when they are gone.
func (c *completions) free() { C.queue_free(c.queue) }

// read fills p, and calls ended with how many bytes there were, or with the
// code of an error. It does not wait. p must be left alone until then.
func (c *completions) read(io *rados.IOContext, name string, p []byte, at int64, ended func(code int)) {
	var pinned runtime.Pinner
	if len(p) > 0 {
		pinned.Pin(&p[0])
	}
	number := c.note(func(code int) {
		pinned.Unpin()
		ended(code)
	})
	if code := C.send_read(C.rados_ioctx_t(io.Pointer()), c.queue, number, text(name), (*C.char)(unsafe.Pointer(unsafe.SliceData(p))), C.size_t(len(p)), C.uint64_t(at)); code < 0 {
		c.land(number)(int(code))
	}
}

// change does what ch says, as read does. librados copies all of it before
// change returns.
func (c *completions) change(io *rados.IOContext, name string, ch change, ended func(code int)) {
	op := C.rados_create_write_op()
	defer C.rados_release_write_op(op)
	if ch.create {
		C.rados_write_op_create(op, C.LIBRADOS_CREATE_EXCLUSIVE, nil)
	}
	if len(ch.guard) > 0 {
		C.rados_write_op_cmpext(op, first(ch.guard), C.size_t(len(ch.guard)), 0, nil)
	}
	writePieces(op, ch.full)
	if len(ch.patch) > 0 {
		C.rados_write_op_write(op, first(ch.patch), C.size_t(len(ch.patch)), 0)
	}
	setEntries(op, ch.set)
	dropKeys(op, ch.drop)
	if ch.remove {
		C.rados_write_op_remove(op)
	}
	number := c.note(ended)
	if code := C.send_write(C.rados_ioctx_t(io.Pointer()), c.queue, number, text(name), op); code < 0 {
		c.land(number)(int(code))
	}
}

// code is an error of librados: minus an errno, or what only RADOS knows.
type code int

// ErrorCode is what the errors of go-ceph have too.
func (c code) ErrorCode() int { return int(c) }

func (c code) Error() string {
	if c < codeMismatch {
		return "the bytes are others than the guard"
	}
	return "rados: " + syscall.Errno(-c).Error()
}
