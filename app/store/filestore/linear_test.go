package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/linear"
)

// client does n random operations, some on the ETag that it saw last.
func client(s store.Store, id, n int, began time.Time, note func(linear.Op)) error {
	draw := rand.New(rand.NewPCG(uint64(id), 1))
	seen := map[string]string{}
	for i := range n {
		op := drawn(draw, []string{"k0", "k1", "k2"}, seen, fmt.Sprintf("%d by %d", i, id))
		op.Client, op.Call = id, time.Since(began)
		op, err := perform(context.Background(), s, op)
		if err != nil {
			return err
		}
		op.Return = time.Since(began)
		note(op)
		if op.ETag != "" {
			seen[op.Key] = op.ETag
		}
	}
	return nil
}

// drawn is one random operation; number is that of a write.
func drawn(draw *rand.Rand, keys []string, seen map[string]string, number string) linear.Op {
	op := linear.Op{Kind: linear.Put, Key: keys[draw.IntN(len(keys))]}
	switch d := draw.IntN(10); {
	case d < 3:
		op.Kind = linear.Get
		return op
	case d < 5:
		op.Kind = linear.Delete
	default:
		op.Data = number
	}
	switch d := draw.IntN(6); {
	case d == 0 && op.Kind == linear.Put:
		op.IfAbsent = true
	case d == 1:
		op.IfMatch = seen[op.Key]
	case d == 2:
		op.IfMatch = "*"
	}
	return op
}

// perform does op and returns it with what the store told.
func perform(ctx context.Context, s store.Store, op linear.Op) (linear.Op, error) {
	var err error
	switch op.Kind {
	case linear.Get:
		op.Data, op.ETag, err = readWhole(ctx, s, op.Key)
		return op, err
	case linear.Delete:
		err = s.Delete(ctx, op.Key, op.IfMatch)
	case linear.Put:
		var info store.Info
		body := append([]byte(op.Data+"\n"), bodyOf(op.Data)...)
		info, err = s.Put(ctx, op.Key, bytes.NewReader(body), store.PutOptions{Size: int64(len(body)), IfAbsent: op.IfAbsent, IfMatch: op.IfMatch})
		op.ETag, op.Tells, op.Created = info.ETag, err == nil, !info.Replaced
	}
	if errors.Is(err, store.ErrCondition) {
		op.Refused, err = true, nil
	}
	return op, err
}

// readWhole returns which write key holds, having looked at each of its bytes;
// no ETag: it holds nothing.
func readWhole(ctx context.Context, s store.Store, key string) (number, etag string, err error) {
	r, info, err := s.Get(ctx, key, store.Whole)
	if errors.Is(err, store.ErrNotFound) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return "", "", err
	}
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	if !bytes.Equal(rest, bodyOf(string(first))) {
		return "", "", fmt.Errorf("%s: %d bytes that nobody wrote", key, len(data))
	}
	return string(first), info.ETag, nil
}

// bodyOf is the body of a write: nothing, part of a block, or more than one.
func bodyOf(number string) []byte {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(number)) // never fails
	seed := sum.Sum64()
	return noise(seed, []int{0, 100, 5000, blockLen, 3*blockLen - 1000}[seed%5])
}

// history lets clients work at once and returns what they noted.
func history(t *testing.T, stores ...store.Store) []linear.Op {
	t.Helper()
	const clients, each = 6, 60
	began := time.Now()
	var mu sync.Mutex
	var noted []linear.Op
	errs := make([]error, clients)
	var all sync.WaitGroup
	for id := range clients {
		all.Go(func() {
			errs[id] = client(stores[id%len(stores)], id, each, began, func(op linear.Op) {
				mu.Lock()
				defer mu.Unlock()
				noted = append(noted, op)
			})
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Len(t, noted, clients*each)
	return noted
}

func TestKeysAreLinearizableOverTwoHandles(t *testing.T) {
	dir := t.TempDir()
	noted := history(t, opened(t, dir), opened(t, dir))
	require.NoError(t, linear.Check(noted, 20*time.Second))
	refused := 0
	for _, op := range noted {
		if op.Refused {
			refused++
		}
	}
	require.Greater(t, refused, 10, "conditions must have been tried in earnest")
}

// unlocked checks conditions itself, and leaves the store without any.
type unlocked struct{ *Store }

func (s unlocked) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	etag, err := s.etag(key, placeOf(key))
	if err != nil {
		return store.Info{}, err
	}
	if err := opts.Check(etag); err != nil {
		return store.Info{}, err
	}
	opts.IfAbsent, opts.IfMatch = false, ""
	return s.Store.Put(ctx, key, body, opts)
}

// cached reads what it wrote or read first, whatever another handle did since.
type cached struct {
	*Store
	read sync.Map
}

type copied struct {
	info store.Info
	data []byte
}

func (s *cached) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	if kept, ok := s.read.Load(key); ok {
		return io.NopCloser(strings.NewReader(string(kept.(copied).data))), kept.(copied).info, nil
	}
	r, info, err := s.Store.Get(ctx, key, rng)
	if err != nil {
		return nil, info, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	s.read.Store(key, copied{info, data})
	return io.NopCloser(strings.NewReader(string(data))), info, err
}

func TestTheModelCatchesStoresThatAreNotLinearizable(t *testing.T) {
	for name, wrap := range map[string]func(*Store) store.Store{
		"conditions checked without the lock": func(s *Store) store.Store { return unlocked{s} },
		"a cache that nobody clears":          func(s *Store) store.Store { return &cached{Store: s} },
	} {
		t.Run(name, func(t *testing.T) {
			// A race need not show in one history; it does in nearly all.
			var err error
			for tries := 0; err == nil && tries < 5; tries++ {
				dir := t.TempDir()
				err = linear.Check(history(t, wrap(opened(t, dir)), wrap(opened(t, dir))), 20*time.Second)
			}
			require.ErrorAs(t, err, new(*linear.Error))
		})
	}
}
