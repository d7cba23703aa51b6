package fallback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"bogops/app/store"
	"bogops/app/store/linear"
)

// client does random operations, one after the other, until the run ends.
func (sim *simulation) client(ctx context.Context, id int) {
	for n := 0; sim.running(); n++ {
		sim.pause(sim.draws.between(0, 800*time.Millisecond))
		node := sim.choose()
		if node == nil {
			continue
		}
		phase := min(int(sim.phase.Load()), simPhases-1)
		if sim.draws.below(8) == 0 {
			phase = sim.draws.below(phase + 1)
		}
		opCtx, cancel := context.WithTimeout(ctx, time.Minute)
		if sim.draws.below(3) == 0 {
			opCtx, cancel = context.WithTimeout(opCtx, sim.draws.between(10*time.Millisecond, 10*time.Second))
		}
		if sim.draws.below(40) == 0 {
			sim.list(opCtx, node, id, phase)
		} else {
			sim.do(opCtx, node, sim.drawn(id, n, simKey(phase, sim.draws.below(simKeys))))
		}
		cancel()
	}
}

// drawn is one random operation.
func (sim *simulation) drawn(id, n int, key string) linear.Op {
	op := linear.Op{Client: id, Kind: linear.Put, Key: key}
	switch d := sim.draws.below(10); {
	case d < 4:
		op.Kind = linear.Get
		return op
	case d < 6:
		op.Kind = linear.Delete
	default:
		op.Data = fmt.Sprintf("%d by %d", n, id)
	}
	switch d := sim.draws.below(8); {
	case d == 0 && op.Kind == linear.Put:
		op.IfAbsent = true
	case d == 1:
		op.IfMatch = sim.lately(key)
	case d == 2:
		op.IfMatch = "*"
	}
	return op
}

// lately is an ETag that somebody has seen key with not long ago.
func (sim *simulation) lately(key string) (etag string) {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	for _, old := range sim.ops[max(0, len(sim.ops)-60):] {
		if old.Key == key && old.ETag != "" {
			etag = old.ETag
		}
	}
	return etag
}

// choose returns a random instance, seldom one that is paused.
func (sim *simulation) choose() *simNode {
	n := sim.any()
	if n.paused.Load() && sim.draws.below(20) > 0 {
		return nil
	}
	return n
}

// do performs op and notes what its client was told; it returns whether that was
// an answer.
func (sim *simulation) do(ctx context.Context, n *simNode, op linear.Op) bool {
	before := n.State()
	op.Call = time.Duration(sim.tick.Add(1))
	op, err := sim.perform(ctx, n, op)
	op.Return = time.Duration(sim.tick.Add(1))
	if unexpected(err) {
		sim.accuse(fmt.Errorf("%s told %v: %w", n.name, op, err))
		return false
	}
	dead, after := n.killed.Load(), n.State() // nobody hears a process that was killed
	switch {
	case op.Kind != linear.Get && (dead || errors.Is(err, store.ErrUnknown)):
		op.Unknown = true
		sim.counts.unknown.Add(1)
	case errors.Is(err, store.ErrCondition) && !dead:
		op.Refused = true
		sim.counts.refused.Add(1)
	case dead || err != nil && !errors.Is(err, store.ErrNotFound):
		sim.counts.unavailable.Add(1)
		return false // nothing has happened: no later read may show it
	default:
		op.Tells = before.Mode == Primary && before.Epoch == after.Epoch
		sim.acknowledged(before, after)
	}
	sim.mu.Lock()
	defer sim.mu.Unlock()
	sim.ops = append(sim.ops, op)
	return true
}

func (sim *simulation) perform(ctx context.Context, n *simNode, op linear.Op) (linear.Op, error) {
	var err error
	switch op.Kind {
	case linear.Get:
		op.Data, op.ETag, err = readWhole(ctx, n, op.Key)
	case linear.Delete:
		err = n.Delete(ctx, op.Key, op.IfMatch)
	case linear.Put:
		var info store.Info
		info, err = n.Put(ctx, op.Key, &slowly{sim, strings.NewReader(op.Data)}, store.PutOptions{
			Size: int64(len(op.Data)), ContentType: op.Data, IfAbsent: op.IfAbsent, IfMatch: op.IfMatch,
		})
		op.ETag, op.Created = info.ETag, !info.Replaced
	}
	return op, err
}

func (sim *simulation) acknowledged(before, after State) {
	switch {
	case before.Epoch != after.Epoch:
		sim.counts.moving.Add(1)
	case after.Mode == Primary:
		sim.counts.primary.Add(1)
	case after.Mode == Fallback:
		sim.counts.fallback.Add(1)
	default:
		sim.counts.reconciling.Add(1)
	}
}

func readWhole(ctx context.Context, s store.Store, key string) (data, etag string, err error) {
	body, info, err := s.Get(ctx, key, store.Whole)
	if err != nil {
		return "", "", err
	}
	all, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil {
		return "", "", err
	}
	if info.ContentType != string(all) {
		return "", "", fmt.Errorf("the body is %q, and what describes it belongs to %q", all, info.ContentType)
	}
	return string(all), info.ETag, nil
}

// list takes a listing for a reading of every key that it could show.
func (sim *simulation) list(ctx context.Context, n *simNode, id, phase int) {
	call := time.Duration(sim.tick.Add(1))
	page, err := n.List(ctx, store.ListOptions{Prefix: simKey(phase, 0)[:2]})
	back := time.Duration(sim.tick.Add(1))
	if unexpected(err) {
		sim.accuse(fmt.Errorf("%s: list: %w", n.name, err))
	}
	if err != nil || n.killed.Load() {
		return
	}
	sim.counts.lists.Add(1)
	shown := map[string]store.Info{}
	for _, info := range page.Objects {
		shown[info.Key] = info
	}
	sim.mu.Lock()
	defer sim.mu.Unlock()
	for k := range simKeys {
		info := shown[simKey(phase, k)]
		sim.ops = append(sim.ops, linear.Op{
			Client: id, Kind: linear.Get, Key: simKey(phase, k), Data: info.ContentType, ETag: info.ETag, Call: call, Return: back,
		})
	}
}

// slowly is a body that takes its time now and then.
type slowly struct {
	sim  *simulation
	body io.Reader
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.sim.draws.below(20) == 0 {
		time.Sleep(s.sim.draws.between(0, 3*time.Second))
	}
	return s.body.Read(p)
}

// unexpected says whether a client may never be told err.
func unexpected(err error) bool {
	for _, fine := range []error{
		nil, store.ErrUnavailable, store.ErrUnknown, store.ErrCondition, store.ErrNotFound,
		context.DeadlineExceeded, context.Canceled,
	} {
		if errors.Is(err, fine) {
			return false
		}
	}
	return true
}
