package s3store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"bogops/app/store"
	infra "bogops/infra/s3"
)

// wire is a way to a server on which the answers to chosen requests get lost.
type wire struct {
	next http.Handler

	mu    sync.Mutex
	plan  func(*http.Request) fate // called with mu
	held  func()                   // sends the request that was held back
	after func()                   // what happens before the sender hears of it
}

type fate int

const (
	arrives         fate = iota
	answerLost           // the server does it, the client hears nothing
	conflict             // the server does it, the client hears 409
	refusedOnTheWay      // the server does it, the client hears 412
	requestLost          // the server hears nothing
	silence              // as heldBack, and the client waits until its time is out
	heldBack             // the request waits for release, the client hears nothing
)

func (w *wire) ServeHTTP(answer http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	what := arrives
	if w.plan != nil {
		what = w.plan(r)
	}
	w.mu.Unlock()
	switch what {
	case arrives:
		w.next.ServeHTTP(answer, r)
		return
	case conflict, refusedOnTheWay:
		w.next.ServeHTTP(httptest.NewRecorder(), r)
		answer.WriteHeader(map[fate]int{conflict: http.StatusConflict, refusedOnTheWay: http.StatusPreconditionFailed}[what])
		return
	case answerLost:
		w.next.ServeHTTP(httptest.NewRecorder(), r)
	case heldBack, silence:
		body, _ := io.ReadAll(r.Body)
		if what == silence {
			<-r.Context().Done()
		}
		later := r.Clone(context.WithoutCancel(r.Context()))
		later.Body = io.NopCloser(bytes.NewReader(body))
		w.mu.Lock()
		w.held = func() { w.next.ServeHTTP(httptest.NewRecorder(), later) }
		w.mu.Unlock()
	}
	w.mu.Lock()
	after := w.after
	w.after = nil
	w.mu.Unlock()
	if after != nil {
		after()
	}
	panic(http.ErrAbortHandler)
}

// release lets the request that was held back arrive now.
func (w *wire) release() {
	w.mu.Lock()
	send := w.held
	w.mu.Unlock()
	send()
}

// then does something once the next request that fits has met its fate.
func (w *wire) then(method string, what fate, do func()) {
	w.once(method, what)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.after = do
}

// once gives the next request that fits a fate.
func (w *wire) once(method string, what fate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plan = func(r *http.Request) fate {
		if r.Method != method {
			return arrives
		}
		w.plan = nil
		return what
	}
}

// lossyWire is a way to a server that can be made to lose answers.
func lossyWire(t *testing.T, server infra.Server, bend func(http.Handler) http.Handler) (infra.Server, *wire) {
	w := &wire{}
	return bent(t, server, func(next http.Handler) http.Handler {
		w.next = bend(next)
		return w
	}), w
}

// lossy is a store on such a server.
func lossy(t *testing.T, bend func(http.Handler) http.Handler) (*Store, *wire) {
	server, w := lossyWire(t, infra.StartMoto(t), bend)
	s, err := Open(t.Context(), at(server))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, w
}

func write(t *testing.T, s *Store, key, data string) (store.Info, error) {
	return s.Put(t.Context(), key, strings.NewReader(data), store.PutOptions{Size: int64(len(data))})
}

func read(t *testing.T, s *Store, key string) string {
	r, _, err := s.Get(t.Context(), key, store.Whole)
	require.NoError(t, err)
	data, err := io.ReadAll(r)
	require.NoError(t, errors.Join(err, r.Close()))
	return string(data)
}

func TestAWriteWhoseAnswerIsLostFindsItselfAgain(t *testing.T) {
	s, w := lossy(t, as)
	for _, what := range []fate{answerLost, conflict, refusedOnTheWay} {
		before, err := write(t, s, "k", "old")
		require.NoError(t, err)
		w.once(http.MethodPut, what)
		info, err := write(t, s, "k", "new")
		require.NoError(t, err)
		require.True(t, info.Replaced)
		now, err := s.Stat(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, now.ETag, info.ETag)
		require.NotEqual(t, before.ETag, info.ETag)
		require.Equal(t, "new", read(t, s, "k"))
	}
}

func TestAWriteThatLeavesNoTraceIsUnknown(t *testing.T) {
	s, w := lossy(t, as)
	_, err := write(t, s, "k", "old")
	require.NoError(t, err)
	w.once(http.MethodPut, requestLost)
	_, err = write(t, s, "k", "new")
	require.ErrorIs(t, err, store.ErrUnknown)
	require.Equal(t, "old", read(t, s, "k"))
}

func TestAWriteThatComesLateUndoesNothingAcknowledged(t *testing.T) {
	s, w := lossy(t, as)
	for key, first := range map[string]bool{"created": true, "replaced": false} {
		if !first {
			_, err := write(t, s, key, "old")
			require.NoError(t, err)
		}
		w.once(http.MethodPut, heldBack)
		_, err := write(t, s, key, "ghost")
		require.ErrorIs(t, err, store.ErrUnknown)
		_, err = write(t, s, key, "acknowledged")
		require.NoError(t, err)
		w.release()
		require.Equal(t, "acknowledged", read(t, s, key))
	}
}

func TestADeleteThatComesLateTakesAwayNothingAcknowledged(t *testing.T) {
	s, w := lossy(t, as)
	_, err := write(t, s, "k", "old")
	require.NoError(t, err)
	w.once(http.MethodDelete, heldBack)
	require.ErrorIs(t, s.Delete(t.Context(), "k", ""), store.ErrUnknown)
	_, err = write(t, s, "k", "acknowledged")
	require.NoError(t, err)
	w.release()
	require.Equal(t, "acknowledged", read(t, s, "k"))

	w.once(http.MethodDelete, answerLost)
	require.NoError(t, s.Delete(t.Context(), "k", ""), "it finds out that the object is gone")
}

const big = 2*partSize + 12345

func bigBody() []byte {
	data := make([]byte, big)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data) // never fails
	return data
}

// Big bodies go in two ways; each is tried on a server that leads to it.
func TestABigBodyIsStoredWholeOrNotAtAll(t *testing.T) {
	data := bigBody()
	sum := sha256.Sum256(data)
	for way, bend := range map[string]func(http.Handler) http.Handler{"by a file": as, "by an upload": completing} {
		t.Run(way, func(t *testing.T) {
			s, _ := lossy(t, bend)
			_, err := write(t, s, "k", "old")
			require.NoError(t, err)
			cut := io.MultiReader(bytes.NewReader(data), iotest.ErrReader(errors.New("cut")))
			_, err = s.Put(t.Context(), "k", cut, store.PutOptions{Size: -1})
			require.ErrorIs(t, err, store.ErrTruncated)
			_, err = s.Put(t.Context(), "k", bytes.NewReader(data), store.PutOptions{Size: big, SHA256: make([]byte, 32)})
			require.ErrorIs(t, err, store.ErrDigest)
			ended, cancel := context.WithCancel(t.Context())
			_, err = s.Put(ended, "k", io.MultiReader(bytes.NewReader(data[:partSize+5]), ender(cancel)), store.PutOptions{Size: -1})
			require.ErrorIs(t, err, context.Canceled)
			require.Equal(t, "old", read(t, s, "k"))
			require.Empty(t, uploads(t, s), "uploads that nobody gave up")

			for _, size := range []int64{big, -1} {
				info, err := s.Put(t.Context(), "k", bytes.NewReader(data), store.PutOptions{Size: size, SHA256: sum[:], ContentType: "a/b"})
				require.NoError(t, err)
				require.True(t, info.Replaced)
				require.EqualValues(t, big, info.Size)
				require.True(t, string(data) == read(t, s, "k"))
				now, err := s.Stat(t.Context(), "k")
				require.NoError(t, err)
				info.Replaced = false
				require.Equal(t, info, now)
			}
			_, err = s.Put(t.Context(), "k", bytes.NewReader(data[1:]), store.PutOptions{Size: -1, IfAbsent: true})
			require.ErrorIs(t, err, store.ErrCondition)
			require.Empty(t, uploads(t, s))
		})
	}
}

// ender cancels a context in the middle of a body.
type ender context.CancelFunc

func (e ender) Read([]byte) (int, error) {
	e()
	return 0, io.EOF
}

func uploads(t *testing.T, s *Store) []string {
	out, err := s.api.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &s.name})
	require.NoError(t, err)
	var ids []string
	for _, u := range out.Uploads {
		ids = append(ids, *u.UploadId)
	}
	return ids
}

func TestOldUploadsAreSweptAndYoungOnesAreNot(t *testing.T) {
	s, _ := lossy(t, as)
	s.watch.stop() // it sweeps once by itself, and to it every upload of moto's is old
	_, err := s.begin(t.Context(), "k", "", nil)
	require.NoError(t, err)
	// Moto says of every upload that it began in 2010.
	swept, err := s.sweepUploads(t.Context(), time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	require.Zero(t, swept)
	require.Len(t, uploads(t, s), 1)
	swept, err = s.sweepUploads(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 1, swept)
	require.Empty(t, uploads(t, s))
}

func TestBodiesInFlightKeepWithinTheirMemory(t *testing.T) {
	s, _ := lossy(t, as)
	require.NoError(t, s.memory.Acquire(t.Context(), defaultMemory))
	bound, cancel := context.WithCancel(t.Context())
	blocked := make(chan error)
	go func() {
		_, err := s.Put(bound, "k", strings.NewReader("x"), store.PutOptions{Size: 1})
		blocked <- err
	}()
	cancel()
	require.ErrorIs(t, <-blocked, context.Canceled)
	s.memory.Release(defaultMemory)
	_, err := write(t, s, "k", "x")
	require.NoError(t, err)
	require.True(t, s.memory.TryAcquire(defaultMemory), "memory that was not given back")
}
