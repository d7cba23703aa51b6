package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/filestore/powerfs"
)

const (
	storeDir    = "store"
	lifeCuts    = 3
	lifeKeys    = 4
	lifeClients = 6
)

// life is what happens to one disk: stores are opened on it, clients work, the
// power goes, again and again. What is read after each cut belongs to the same
// history as what was done before it.
type life struct {
	seed   uint64
	below  disk
	disk   *powerfs.Disk
	began  time.Time
	tally  tally
	keys   []string
	mu     sync.Mutex
	noted  []porcupine.Operation
	wrong  error
	writes int
}

// tally counts what a life saw.
type tally struct{ cuts, acknowledged, refused, unknown, reads int }

func (t *tally) add(o tally) {
	t.cuts += o.cuts
	t.acknowledged += o.acknowledged
	t.refused += o.refused
	t.unknown += o.unknown
	t.reads += o.reads
}

// live lets a store over below live through some cuts, and returns the first
// promise that it broke. The seed gives the work, the moment of each cut as
// a number of calls, and what is lost; the order of what goes on at once is the
// machine's.
func live(t *testing.T, seed uint64, below disk) (tally, error) {
	t.Helper()
	l := &life{seed: seed, below: below, disk: powerfs.New(), began: time.Now()}
	l.disk.SyncTakes = 200 * time.Microsecond
	for k := range lifeKeys {
		l.keys = append(l.keys, fmt.Sprintf("%d/%d", seed, k)) // each life has its shards
	}
	draw := rand.New(rand.NewPCG(seed, 0))
	for round := range lifeCuts + 1 {
		err := l.between(t, draw, round == lifeCuts)
		if err == nil {
			err = l.wrong
		}
		if err != nil {
			return l.tally, fmt.Errorf("cut %d: %w", round, err)
		}
		l.disk = l.disk.Cut(draw.Uint64())
		l.tally.cuts++
	}
	return l.tally, nil
}

// between is what happens from one cut to the next.
func (l *life) between(t *testing.T, draw *rand.Rand, last bool) error {
	mount, err := l.disk.Mount()
	require.NoError(t, err)
	defer func() { require.NoError(t, mount.Close()) }()
	if early := draw.IntN(40); early > 0 && early < 16 && !last {
		l.disk.StopAfter(early) // while the stores are opened, or soon after
	}
	var stores []*Store
	defer func() {
		for _, s := range stores {
			require.NoError(t, s.Close())
		}
	}()
	for range 1 + draw.IntN(2) { // a second one covers up what the first forgot to sync
		s, err := open(filepath.Join(mount.Path(), storeDir), l.below)
		if err != nil {
			return l.unlessCut(lost("the store does not open again: %w", err))
		}
		s.nameless = s.nameless && draw.IntN(4) > 0
		stores = append(stores, s)
	}
	for _, s := range stores {
		if err := l.audit(t.Context(), s); err != nil {
			return l.unlessCut(err)
		}
	}
	if last {
		return nil
	}
	l.disk.StopAfter(1 + draw.IntN(400))
	var all sync.WaitGroup
	for id := range lifeClients {
		clientDraw := rand.New(rand.NewPCG(draw.Uint64(), uint64(id)))
		all.Go(func() { l.client(t.Context(), stores[id%len(stores)], id, clientDraw) })
	}
	all.Wait()
	return nil
}

// unlessCut forgives what fails after the power has gone.
func (l *life) unlessCut(err error) error {
	if l.isCut() {
		return nil
	}
	return err
}

func (l *life) isCut() bool {
	select {
	case <-l.disk.Stopped():
		return true
	default:
		return false
	}
}

// client works until the power goes.
func (l *life) client(ctx context.Context, s *Store, id int, draw *rand.Rand) {
	seen := map[string]string{}
	for !l.isCut() {
		op := l.drawn(draw, seen)
		begun := time.Since(l.began)
		told, err := perform(ctx, s, op)
		if err != nil && !l.isCut() {
			l.fail(err)
			return
		}
		if told.etag != "" {
			seen[op.key] = told.etag
		}
		told.unknown = err != nil
		if told.unknown && op.kind == "get" {
			return
		}
		l.note(id, op, told, begun)
	}
}

func (l *life) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wrong == nil {
		l.wrong = lost("with the power on: %w", err)
	}
}

// drawn is one random operation; some writes are on the ETag that was seen last.
func (l *life) drawn(draw *rand.Rand, seen map[string]string) operation {
	op := operation{kind: "put", key: l.keys[draw.IntN(len(l.keys))]}
	switch d := draw.IntN(10); {
	case d < 3:
		op.kind = "get"
		return op
	case d < 5:
		op.kind = "delete"
	default:
		l.mu.Lock()
		l.writes++
		op.data = fmt.Sprint(l.writes)
		l.mu.Unlock()
	}
	switch d := draw.IntN(6); {
	case d == 0 && op.kind == "put":
		op.opts.IfAbsent = true
	case d == 1:
		op.opts.IfMatch = seen[op.key]
	case d == 2:
		op.opts.IfMatch = "*"
	}
	return op
}

func (l *life) note(id int, op operation, told answer, begun time.Duration) {
	ended := time.Since(l.began)
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case told.unknown:
		l.tally.unknown++
	case told.refused:
		l.tally.refused++
	case op.kind == "get":
		l.tally.reads++
	default:
		l.tally.acknowledged++
	}
	l.noted = append(l.noted, porcupine.Operation{ClientId: id, Input: op, Output: told, Call: int64(begun), Return: int64(ended)})
}

// audit reads everything through one store, and asks whether all that was noted
// can have happened.
func (l *life) audit(ctx context.Context, s *Store) error {
	page, err := s.List(ctx, store.ListOptions{Limit: 1000})
	if err != nil {
		return lost("list: %w", err)
	}
	listed := map[string]string{}
	for _, info := range page.Objects {
		listed[info.Key] = info.ETag
	}
	for _, key := range l.keys {
		op, begun := operation{kind: "get", key: key}, time.Since(l.began)
		told, err := perform(ctx, s, op)
		if err != nil {
			return lost("read: %w", err)
		}
		if told.etag != listed[key] {
			return lost("%s is read as %q and listed as %q", key, told.etag, listed[key])
		}
		delete(listed, key)
		l.note(lifeClients, op, told, begun)
	}
	if len(listed) > 0 {
		return lost("listed, and never written: %v", listed)
	}
	if names, err := s.writing.names(); err != nil || len(names) > 0 {
		return lost("left over: %v %w", names, err)
	}
	return l.history()
}

// history checks every key on its own. An unknown write has the ETag that a
// reader found with its data, or one that nobody saw.
func (l *life) history() error {
	etags := map[string]string{}
	for _, op := range l.noted {
		if told := op.Output.(answer); op.Input.(operation).kind == "get" && told.etag != "" {
			etags[told.data] = told.etag
		}
	}
	byKey := map[string][]porcupine.Operation{}
	for _, op := range l.noted {
		in, told := op.Input.(operation), op.Output.(answer)
		if told.unknown && in.kind == "put" {
			if told.etag = etags[in.data]; told.etag == "" {
				told.etag = "never seen: " + in.data
			}
			op.Output = told
		}
		byKey[in.key] = append(byKey[in.key], op)
	}
	for _, key := range l.keys {
		switch found := porcupine.CheckOperationsTimeout(model(), byKey[key], 20*time.Second); found {
		case porcupine.Illegal:
			return lost("%s: what was acknowledged and what is there do not go together:\n%s", key, told(byKey[key]))
		case porcupine.Unknown:
			return errors.New("the checker did not get to its end")
		}
	}
	return nil
}

// told is the end of a history, one line an operation.
func told(ops []porcupine.Operation) string {
	slices.SortFunc(ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var out bytes.Buffer
	for _, op := range ops[max(0, len(ops)-30):] {
		in, told := op.Input.(operation), op.Output.(answer)
		fmt.Fprintf(&out, "  %7d to %7d µs, client %d: %s %s", op.Call/1000, op.Return/1000, op.ClientId, in.kind, in.data)
		if in.opts.IfAbsent || in.opts.IfMatch != "" {
			fmt.Fprintf(&out, " if absent %t, if match %.8s", in.opts.IfAbsent, in.opts.IfMatch)
		}
		fmt.Fprintf(&out, ": %s %.8s refused %t, unknown %t\n", told.data, told.etag, told.refused, told.unknown)
	}
	return out.String()
}

// perform is do with a body that says which one it is.
func perform(ctx context.Context, s *Store, op operation) (answer, error) {
	if op.kind != "put" {
		told, err := do(s, op)
		if err == nil && op.kind == "get" && told.etag != "" {
			number, rest, _ := bytes.Cut([]byte(told.data), []byte("\n"))
			told.data = string(number)
			if !bytes.Equal(rest, bodyOf(told.data)) {
				return told, fmt.Errorf("%s: %d bytes that nobody wrote", op.key, len(rest))
			}
		}
		return told, err
	}
	opts, body := op.opts, append([]byte(op.data+"\n"), bodyOf(op.data)...)
	opts.Size = int64(len(body))
	info, err := s.Put(ctx, op.key, io.NopCloser(bytes.NewReader(body)), opts)
	return refusal(answer{etag: info.ETag}, err)
}

// bodyOf is the body of a write: nothing, part of a block, or more than one.
func bodyOf(number string) []byte {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(number)) // never fails
	seed := sum.Sum64()
	return noise(seed, []int{0, 100, 5000, blockLen, 3*blockLen - 1000}[seed%5])
}
