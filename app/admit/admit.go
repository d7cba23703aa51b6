// Package admit decides which request is served now, which waits, and which is
// told to come back. It bounds two kinds of things and keeps them apart. What a
// slow client can hold, a goroutine and some bytes, is cheap: it is counted and
// kept under a budget (Enter, Hold). What the server works with, its store and
// its cores, is dear: it is given out in turns, and the line before them is
// short (Turn, Compute). No turn is held while a client is waited for.
//
// It knows neither HTTP nor stores. A refusal is a Refused, which says when to
// come back.
package admit

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

// Config is what a Gate gives out. Zero takes the default.
type Config struct {
	Connections int   // open at once; default 16,384
	InFlight    int   // requests inside at once; default 1,024
	Bytes       int64 // bytes held for all requests at once; default 96 MiB
	Turns       int   // weight at work at the store at once; default 32 per core, at least 64
	Slots       int   // chains that compute at once, in each of two lanes; default GOMAXPROCS
}

func (c Config) withDefaults() Config {
	cores := runtime.GOMAXPROCS(0)
	if c.Connections == 0 {
		c.Connections = 16384
	}
	if c.InFlight == 0 {
		c.InFlight = 1024
	}
	if c.Bytes == 0 {
		c.Bytes = 96 << 20
	}
	if c.Turns == 0 {
		c.Turns = max(64, 32*cores)
	}
	if c.Slots == 0 {
		c.Slots = cores
	}
	return c
}

// Gate is what requests pass. All methods may be called concurrently.
type Gate struct {
	connections counter
	inFlight    counter
	closed      atomic.Bool
	budget      budget
	inputs      *line // bytes of inputs that steps hold
	turns       *line
	cheap       *line // chains of little declared work
	dear        *line // and of more
	refused     [reasons]atomic.Uint64
}

// Bounds of the lines that the measurements in docs/decisions.md are of.
const (
	patience    = time.Second            // longest wait for a turn
	target      = 5 * time.Millisecond   // a wait that a burst may cause
	cheapWork   = 2 * time.Millisecond   // declared; up to it a chain takes the cheap lane
	cheapAhead  = 250 * time.Millisecond // of declared work per core waits in the cheap lane
	dearAhead   = 2 * time.Second        // and in the dear one
	inputsAhead = 2 * time.Second        // longest wait for the bytes of an input
)

// New returns a Gate with nobody inside.
func New(cfg Config) *Gate {
	cfg = cfg.withDefaults()
	turns, slots := int64(cfg.Turns), int64(cfg.Slots)
	lane := func(ahead time.Duration) *line {
		return newLine(rule{places: slots, ahead: slots * int64(ahead), burst: slots * int64(ahead), patience: 2 * ahead, unit: 1, slows: true})
	}
	return &Gate{
		connections: counter{limit: int64(cfg.Connections)},
		inFlight:    counter{limit: int64(cfg.InFlight)},
		budget:      newBudget(cfg.Bytes),
		inputs:      newLine(rule{places: max(1, cfg.Bytes/3*2), ahead: 4 * cfg.Bytes, patience: inputsAhead, unit: 1}),
		// Half as many wait as work: by Little's law whoever is let in then
		// spends about half more than it would without a line.
		turns: newLine(rule{places: turns, ahead: max(1, turns/2), burst: max(turns, int64(cfg.InFlight)-turns),
			target: target, patience: patience, unit: time.Millisecond}),
		cheap: lane(cheapAhead),
		dear:  lane(dearAhead),
	}
}

// Reason is why a request was refused, as a word for metrics.
type Reason int

// The reasons.
const (
	Crowd     Reason = iota // of connections
	TooMany                 // requests inside
	NoBytes                 // left in the budget
	NoTurn                  // the line at the store is full
	LongTurn                // a wait there took too long
	NoCompute               // too much declared work waits for the cores
	LongWork                // a wait for a core took too long
	Leaving                 // the server drains
	reasons   = iota
)

func (r Reason) String() string {
	return [...]string{"connections", "in-flight", "bytes", "turns", "turns-waited", "compute", "compute-waited", "draining"}[r]
}

// ErrBusy is what every Refused is, for errors.Is.
var ErrBusy = errors.New("too much at once")

// Refused is the error of a request that was not let in: nothing was done.
type Refused struct {
	Reason Reason
	After  time.Duration // when to come back: whole seconds, at least one
}

func (r *Refused) Error() string {
	return fmt.Sprintf("refused (%s): come back in %s", r.Reason, r.After)
}

// Is makes every Refused an ErrBusy.
func (r *Refused) Is(target error) bool { return target == ErrBusy }

// Refuse counts a refusal for reason that its caller decided on, and returns it.
func (g *Gate) Refuse(reason Reason, after time.Duration) error {
	g.refused[reason].Add(1)
	return &Refused{reason, wholeSeconds(after)}
}

// longest is the latest that anyone is asked to come back: a load that is over
// sooner should be noticed sooner.
const longest = 30 * time.Second

func wholeSeconds(d time.Duration) time.Duration {
	d = min(max(d, time.Second), longest)
	return (d + time.Second - 1).Truncate(time.Second)
}

// counter counts what is inside, up to a limit.
type counter struct {
	limit  int64
	inside atomic.Int64
}

func (c *counter) enter() bool {
	if c.inside.Add(1) > c.limit {
		c.inside.Add(-1)
		return false
	}
	return true
}

// Connect lets one connection in, or refuses it with a Refused: it is to be
// closed. Disconnect ends what Connect began.
func (g *Gate) Connect() error {
	if !g.connections.enter() {
		return g.Refuse(Crowd, 0)
	}
	return nil
}

// Disconnect gives back what Connect gave.
func (g *Gate) Disconnect() { g.connections.inside.Add(-1) }

// Enter lets one request in, or refuses it with a Refused. Leave ends what Enter
// began.
func (g *Gate) Enter() error {
	switch {
	case g.closed.Load():
		return g.Refuse(Leaving, 0)
	case !g.inFlight.enter():
		return g.Refuse(TooMany, 0)
	}
	return nil
}

// Leave gives back what Enter gave.
func (g *Gate) Leave() { g.inFlight.inside.Add(-1) }

// Close makes Enter refuse everyone. Those inside go on, and may wait for turns.
func (g *Gate) Close() { g.closed.Store(true) }

// LineNumbers are the numbers of one line at one moment.
type LineNumbers struct {
	Places  int64         // given out at most
	Working int64         // given out now
	Waiting int           // how many wait
	Ahead   int64         // declared cost of those who wait: weight, or nanoseconds
	PerCost time.Duration // how long a place is held per unit of cost, as measured
}

// Numbers are what a Gate knows of itself at one moment. Counters only grow.
type Numbers struct {
	Connections, ConnectionsMax int64
	InFlight, InFlightMax       int64
	Bytes, BytesMax             int64
	Inputs, Turns, Cheap, Dear  LineNumbers
	Refused                     map[string]uint64 // by reason, each of them present
}

// Numbers returns the numbers of now. They may be torn between each other.
func (g *Gate) Numbers() Numbers {
	n := Numbers{
		Connections: g.connections.inside.Load(), ConnectionsMax: g.connections.limit,
		InFlight: g.inFlight.inside.Load(), InFlightMax: g.inFlight.limit,
		Bytes: g.budget.used(), BytesMax: g.budget.size,
		Inputs: g.inputs.numbers(), Turns: g.turns.numbers(), Cheap: g.cheap.numbers(), Dear: g.dear.numbers(),
		Refused: map[string]uint64{},
	}
	for r := range g.refused {
		n.Refused[Reason(r).String()] = g.refused[r].Load()
	}
	return n
}
