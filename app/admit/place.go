package admit

import (
	"context"
	"runtime"
	"time"
)

// Place is a turn at the store or a slot of a core. It belongs to one goroutine.
// Whoever got one ends it with Done, once.
type Place struct {
	gate   *Gate
	line   *line
	long   Reason
	entry  *entry
	cost   int64         // as declared
	held   time.Duration // before the last pause
	paused bool
}

// Turn waits for a turn of weight at the store. It returns a Refused where the
// line is full or the wait grew too long, and the error of ctx where that ended
// first: a client that has left gives up its place in the line.
func (g *Gate) Turn(ctx context.Context, weight int64) (*Place, error) {
	return g.take(ctx, g.turns, weight, weight, NoTurn, LongTurn)
}

// Crowded refuses what Turn would refuse now. It is asked before a body is
// read: a refusal should cost neither side the reading of it.
func (g *Gate) Crowded() error {
	if !g.turns.full(time.Now()) {
		return nil
	}
	return g.Refuse(NoTurn, g.turns.clears())
}

// Compute waits for a slot of a core for work of declared nanoseconds. Little
// work and much work have lanes with slots of their own, so no digest of a few
// KiB waits behind a key that is stretched for long: the cores are then shared
// by the scheduler. It returns a Refused at once where too much declared work
// waits, and the error of ctx where that ended first.
func (g *Gate) Compute(ctx context.Context, declared int64) (*Place, error) {
	l := g.dear
	if declared <= int64(cheapWork) {
		l = g.cheap
	}
	declared = min(max(declared, 1), int64(time.Hour)) // so that no sum overflows
	return g.take(ctx, l, 1, declared, NoCompute, LongWork)
}

func (g *Gate) take(ctx context.Context, l *line, places, cost int64, full, long Reason) (*Place, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e := l.enter(time.Now(), places, cost)
	if e == nil {
		return nil, g.Refuse(full, l.clears())
	}
	p := &Place{gate: g, line: l, long: long, entry: e, cost: cost}
	if e.ready == nil {
		letOthersIn()
		return p, nil
	}
	timer := time.NewTimer(l.patience)
	defer timer.Stop()
	select {
	case <-e.ready:
		letOthersIn()
		return p, nil
	case <-ctx.Done():
		p.giveUp()
		return nil, ctx.Err()
	case <-timer.C:
		p.giveUp()
		return nil, g.Refuse(long, l.clears())
	}
}

// giveUp takes the place out of the line; if it was just given, it is handed on.
func (p *Place) giveUp() {
	if now := time.Now(); !p.line.cancel(now, p.entry) {
		p.line.leave(now, p.entry, 0, 0)
	}
}

// Pause gives the place to others while its owner waits for a client.
func (p *Place) Pause() {
	if p.paused {
		return
	}
	now := time.Now()
	held := now.Sub(p.entry.since)
	p.held += held
	p.line.leave(now, p.entry, 0, 0)
	// What is left of the work is not known and comes in pieces: it counts
	// for nothing in the line, which it comes back to before all others.
	p.entry = &entry{places: p.entry.places}
	p.paused = true
}

// Resume waits until the place is there again: before those who have not begun,
// and without a bound but ctx, for half an answer cannot be refused. Where it
// fails the place stays paused.
func (p *Place) Resume(ctx context.Context) error {
	if !p.paused {
		return nil
	}
	p.line.again(time.Now(), p.entry)
	select {
	case <-p.entry.ready:
		p.paused = false
		return nil
	case <-ctx.Done():
		p.giveUp()
		p.entry = &entry{places: p.entry.places}
		return ctx.Err()
	}
}

// Done gives the place back for good. Whole says that all of the declared work
// was done: only then does it count for the measured rate.
func (p *Place) Done(whole bool) {
	now := time.Now()
	cost := int64(0)
	if whole {
		cost = p.cost
	}
	if p.paused {
		p.line.measure(p.held, p.entry.places, cost)
		return
	}
	p.line.leave(now, p.entry, p.held+now.Sub(p.entry.since), cost)
}

// letOthersIn lets whoever else can run go first. Otherwise the runtime would
// run one request to its end before it looks at the next one: those not yet read
// would wait in its own queue, which has no end and refuses nobody, and the line
// would stay empty.
func letOthersIn() { runtime.Gosched() }
