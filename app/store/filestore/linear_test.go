package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

// What one client did to one key, and what it was told.
type operation struct {
	kind string // put, get, delete
	key  string
	data string           // of a put
	opts store.PutOptions // of a put; IfMatch of a delete too
}

type answer struct {
	etag    string // empty: get found nothing
	data    string // of a get
	refused bool   // the condition failed
	unknown bool   // of a write: it happened by then, or never
}

// register is what a key holds; the zero register holds nothing.
type register struct{ etag, data string }

// model says which answers are right, one after the other, for one key.
func model() porcupine.Model {
	nondeterministic := porcupine.NondeterministicModel{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			byKey := map[string][]porcupine.Operation{}
			for _, op := range history {
				key := op.Input.(operation).key
				byKey[key] = append(byKey[key], op)
			}
			var parts [][]porcupine.Operation
			for _, part := range byKey {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() []any { return []any{register{}} },
		Step: func(state, input, output any) []any {
			held, told := state.(register), output.(answer)
			right, next := step(held, input.(operation), told)
			switch {
			case told.unknown && right:
				return []any{held, next}
			case told.unknown:
				return []any{held}
			case right:
				return []any{next}
			}
			return nil
		},
	}
	return nondeterministic.ToModel()
}

func step(held register, op operation, told answer) (right bool, next register) {
	if op.kind == "get" {
		return held == register{told.etag, told.data}, held
	}
	refused := op.opts.Check(held.etag) != nil
	switch {
	case refused != told.refused:
		return false, held
	case refused:
		return true, held
	case op.kind == "delete":
		return true, register{}
	}
	return true, register{told.etag, op.data}
}

// client does n random operations, some on the ETag that it saw last.
func client(s store.Store, seed uint64, n int, note func(operation, answer, time.Time)) error {
	draw := rand.New(rand.NewPCG(seed, 1))
	seen := map[string]string{}
	for i := range n {
		op := operation{kind: "put", key: fmt.Sprint("k", draw.IntN(3))}
		switch d := draw.IntN(10); {
		case d < 4:
			op.kind = "get"
		case d < 6:
			op.kind = "delete"
		}
		switch d := draw.IntN(4); {
		case op.kind == "put" && d == 0:
			op.opts.IfAbsent = true
		case op.kind != "get" && d == 1:
			op.opts.IfMatch = seen[op.key]
		case op.kind != "get" && d == 2:
			op.opts.IfMatch = "*"
		}
		op.data = fmt.Sprintf("%d by %d", i, seed)
		begun := time.Now()
		told, err := do(s, op)
		if err != nil {
			return err
		}
		note(op, told, begun)
		if told.etag != "" {
			seen[op.key] = told.etag
		}
	}
	return nil
}

func do(s store.Store, op operation) (answer, error) {
	ctx := context.Background()
	switch op.kind {
	case "get":
		r, info, err := s.Get(ctx, op.key, store.Whole)
		if errors.Is(err, store.ErrNotFound) {
			return answer{}, nil
		}
		if err != nil {
			return answer{}, err
		}
		data, err := io.ReadAll(r)
		return answer{etag: info.ETag, data: string(data)}, errors.Join(err, r.Close())
	case "delete":
		return refusal(answer{}, s.Delete(ctx, op.key, op.opts.IfMatch))
	}
	opts := op.opts
	opts.Size = int64(len(op.data))
	info, err := s.Put(ctx, op.key, strings.NewReader(op.data), opts)
	return refusal(answer{etag: info.ETag}, err)
}

func refusal(told answer, err error) (answer, error) {
	if errors.Is(err, store.ErrCondition) {
		return answer{refused: true}, nil
	}
	return told, err
}

// history lets clients work at once and returns what they noted.
func history(t *testing.T, stores ...store.Store) []porcupine.Operation {
	t.Helper()
	const clients, each = 6, 60
	start := time.Now()
	var mu sync.Mutex
	var noted []porcupine.Operation
	errs := make([]error, clients)
	var all sync.WaitGroup
	for id := range clients {
		all.Go(func() {
			errs[id] = client(stores[id%len(stores)], uint64(id), each, func(op operation, told answer, begun time.Time) {
				ended := time.Since(start)
				mu.Lock()
				defer mu.Unlock()
				noted = append(noted, porcupine.Operation{ClientId: id, Input: op, Output: told,
					Call: int64(begun.Sub(start)), Return: int64(ended)})
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
	require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(model(), noted, 20*time.Second))
	refused := 0
	for _, op := range noted {
		if op.Output.(answer).refused {
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
			found := porcupine.Ok
			for range 5 {
				dir := t.TempDir()
				noted := history(t, wrap(opened(t, dir)), wrap(opened(t, dir)))
				if found = porcupine.CheckOperationsTimeout(model(), noted, 20*time.Second); found != porcupine.Ok {
					break
				}
			}
			require.Equal(t, porcupine.Illegal, found)
		})
	}
}
