package admit

import (
	"container/list"
	"sync"
	"time"
)

// rule is what a line gives out and whom it lets wait.
type rule struct {
	places   int64         // given out at once
	ahead    int64         // cost that may wait
	burst    int64         // cost that may wait while the line moves fast
	target   time.Duration // it does while its first has waited less than this
	patience time.Duration // longest wait
	unit     time.Duration // how long a place is held per unit of cost, until measured
	slows    bool          // ahead and burst shrink as places are held for longer than unit
}

// line gives out places, first come first served: while anyone waits, nobody
// passes, and who wants many places is not overtaken by those who want few.
//
// A line absorbs a burst and refuses a standing queue (the idea of CoDel, RFC
// 8289): up to ahead may always wait; up to burst only while the first of the
// line has waited less than target, for then the line is short in time however
// long it is in number. By itself it never blocks: an entry is admitted, refused,
// or has a channel to wait on.
type line struct {
	rule

	mu      sync.Mutex
	working int64      // places given out
	doing   int64      // their cost
	cost    int64      // of those who wait
	queue   *list.List // of *entry
	resumed *list.List // of *entry that have begun before; they go first

	// Decaying sums over the entries that have ended: time that places were
	// held, and cost.
	heldSum, costSum float64
}

// memory is over how many entries the measured rate reaches back.
const memory = 64

func newLine(r rule) *line {
	return &line{rule: r, queue: list.New(), resumed: list.New(), heldSum: float64(r.unit), costSum: 1}
}

// entry is one that has a place or waits for one.
type entry struct {
	places, cost int64
	since        time.Time     // when it began to wait, then when it got its place
	ready        chan struct{} // closed when it got its place
	in           *list.List    // that it waits in; nil: it does not
	at           *list.Element // of in
}

// enter admits an entry (its ready is nil), lets it wait (until ready is
// closed), or refuses it (nil). Who wants more places than there are gets all.
func (l *line) enter(now time.Time, places, cost int64) *entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &entry{places: min(places, l.places), cost: cost, since: now}
	if l.first() == nil && l.working+e.places <= l.places {
		l.working += e.places
		l.doing += e.cost
		return e
	}
	if !l.mayWait(now, cost) {
		return nil
	}
	l.wait(e, l.queue)
	return e
}

// wait puts e at the end of one of the lists. The caller holds mu.
func (l *line) wait(e *entry, in *list.List) {
	e.ready, e.in = make(chan struct{}), in
	e.at = in.PushBack(e)
	l.cost += e.cost
}

// first is the one whose turn is next; nil: nobody waits. The caller holds mu.
func (l *line) first() *entry {
	for _, in := range []*list.List{l.resumed, l.queue} {
		if e := in.Front(); e != nil {
			return e.Value.(*entry)
		}
	}
	return nil
}

// pick takes a waiting entry out of the line. The caller holds mu.
func (l *line) pick(e *entry) {
	e.in.Remove(e.at)
	e.in, e.at = nil, nil
	l.cost -= e.cost
}

// mayWait says whether cost more may wait. One may always: otherwise what costs
// more than the bound could only be served by luck.
func (l *line) mayWait(now time.Time, cost int64) bool {
	first := l.queue.Front()
	then := float64(l.cost + cost)
	if l.slows {
		then *= max(1, l.perCost()/float64(l.unit))
	}
	if first == nil || then <= float64(l.ahead) {
		return true
	}
	return then <= float64(l.burst) && now.Sub(first.Value.(*entry).since) < l.target
}

// full says whether an entry of cost 1 would be refused now.
func (l *line) full(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return (l.first() != nil || l.working >= l.places) && !l.mayWait(now, 1)
}

// again lets an entry that has paused wait before all others, whatever the
// bounds: it was admitted once.
func (l *line) again(now time.Time, e *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.since = now
	l.wait(e, l.resumed)
	l.admit(now)
}

// leave takes back the places of an entry that has them and hands them on. Held
// is how long it had them in all, cost what it did with them, for the measured
// rate; zero cost is not measured.
func (l *line) leave(now time.Time, e *entry, held time.Duration, cost int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.working -= e.places
	l.doing -= e.cost
	l.record(held, e.places, cost)
	l.admit(now)
}

// measure counts work that ended while its places were with others.
func (l *line) measure(held time.Duration, places, cost int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record(held, places, cost)
}

// record forgets a little of the past for each entry. The caller holds mu.
func (l *line) record(held time.Duration, places, cost int64) {
	if cost > 0 {
		l.heldSum += float64(held)*float64(places) - l.heldSum/memory
		l.costSum += float64(cost) - l.costSum/memory
	}
}

// cancel takes an entry out of the line. It returns false where the entry has
// got its place meanwhile and must leave.
func (l *line) cancel(now time.Time, e *entry) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.in == nil {
		return false
	}
	l.pick(e)
	l.admit(now) // it may have held up one that wants fewer places
	return true
}

// admit gives places to the first of the line while there are enough. The
// caller holds mu.
func (l *line) admit(now time.Time) {
	for e := l.first(); e != nil && l.working+e.places <= l.places; e = l.first() {
		l.pick(e)
		l.working += e.places
		l.doing += e.cost
		e.since = now
		close(e.ready)
	}
}

// clears is how long the line takes to do all that is ahead of one more: the
// cost at work and waiting, times how long a place is held per unit of cost,
// over the number of places.
func (l *line) clears() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(min(float64(l.doing+l.cost)*l.perCost()/float64(l.places), float64(time.Hour)))
}

func (l *line) perCost() float64 { return l.heldSum / l.costSum }

func (l *line) numbers() LineNumbers {
	l.mu.Lock()
	defer l.mu.Unlock()
	return LineNumbers{
		Places: l.places, Working: l.working, Waiting: l.queue.Len() + l.resumed.Len(), Ahead: l.cost,
		PerCost: time.Duration(l.perCost()),
	}
}
