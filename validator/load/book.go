package load

import (
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"bogops/validator/journal"
)

// book adds up the results of every second and tells the seconds in order.
type book struct {
	config Config
	melt   *melt

	mu      sync.Mutex
	moved   *sync.Cond // a second may be ready, or the book has ended
	seconds map[int]*second
	next    int // the second to tell
	reached int // seconds before it have begun and ended
	ended   bool
	usage   usage
	total   Summary
	all     map[string]*hdrhistogram.Histogram // of the whole run, by put and get
}

// second is what is known of one second.
type second struct {
	load      journal.Load
	want      int // arrivals of this injector
	settled   int
	histogram map[string]*hdrhistogram.Histogram
	latencies []time.Duration // of all that were offered, for the board
	lags      []time.Duration
	instances map[string]bool
	cpu       float64
}

func newBook(c Config) *book {
	b := &book{
		config: c, melt: newMelt(c), seconds: map[int]*second{}, next: c.First, reached: c.First,
		usage: startUsage(), all: map[string]*hdrhistogram.Histogram{"put": newHistogram(), "get": newHistogram()},
	}
	b.total = Summary{Errors: map[string]int{}, Wrong: map[string]int{}, P99: map[string]time.Duration{}}
	b.moved = sync.NewCond(&b.mu)
	return b
}

// newHistogram holds microseconds up to 10 minutes with three digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, 600_000_000, 3) }

// second returns the book of second n. The caller holds the lock.
func (b *book) second(n int) *second {
	s := b.seconds[n]
	if s == nil {
		s = &second{histogram: map[string]*hdrhistogram.Histogram{}, instances: map[string]bool{}}
		s.load = journal.Load{Campaign: b.config.Campaign, Team: b.config.Team, Second: n, Errors: map[string]int{}, Worst: map[string]int{}}
		for i := b.config.Plan.first(n); i < b.config.Plan.first(n+1); i++ {
			if b.config.Injector.takes(i) {
				s.want++
			}
		}
		b.seconds[n] = s
	}
	return s
}

// reach says that the schedule has come to an arrival due at t.
func (b *book) reach(t time.Duration) {
	n := int(t / time.Second)
	b.mu.Lock()
	defer b.mu.Unlock()
	if n <= b.reached {
		return
	}
	cpu := b.usage.share()
	for i := b.reached; i < n; i++ {
		b.second(i).cpu = cpu
	}
	b.reached = n
	b.moved.Broadcast()
}

// settle counts an arrival, once.
func (b *book) settle(a Arrival, r result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.second(int(a.Due / time.Second))
	s.settled++
	s.count(b, a, r)
	if s.settled == s.want {
		b.moved.Broadcast()
	}
}

func (s *second) count(b *book, a Arrival, r result) {
	if r.lagged {
		s.lags = append(s.lags, r.lag)
	}
	if r.unsent {
		s.load.Unsent++
		return
	}
	op, longest := a.Op.Scored(), b.config.max(a.Op.Scored())
	s.load.Offered++
	if a.Op == Put {
		s.load.Puts++
	}
	if r.acked {
		s.load.Acked++
	}
	if r.substituted {
		b.total.Substituted++
	}
	if r.instance != "" {
		s.instances[r.instance] = true
	}
	switch {
	case !r.right:
		s.load.Errors[r.kind]++
		s.load.Worst[op]++
		s.latencies = append(s.latencies, longest)
		if r.kind == "wrong" {
			b.total.Wrong[r.detail]++
		}
		return
	case r.latency > longest:
		s.load.Errors["late"]++
	default:
		s.load.Good++
	}
	s.load.Right++
	s.latencies = append(s.latencies, r.latency)
	if s.histogram[op] == nil {
		s.histogram[op] = newHistogram()
	}
	record(s.histogram[op], r.latency)
}

func record(h *hdrhistogram.Histogram, latency time.Duration) {
	_ = h.RecordValue(max(1, min(latency.Microseconds(), h.HighestTrackableValue())))
}

// end says that nothing more will be settled or reached.
func (b *book) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.moved.Broadcast()
}

// tell passes on the seconds, in order, until the book ends.
func (b *book) tell() error {
	for {
		load, ok, err := b.ready()
		if !ok || err != nil {
			return err
		}
		if err := b.config.Second(load); err != nil {
			return err
		}
	}
}

// ready waits for the next second to be complete and closes it.
func (b *book) ready() (load journal.Load, ok bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		if b.next >= b.config.Plan.Seconds() || (b.ended && b.next >= b.reached) {
			return load, false, nil
		}
		s := b.second(b.next)
		if b.reached > b.next && s.settled == s.want {
			break
		}
		if b.ended {
			return load, false, nil
		}
		b.moved.Wait()
	}
	load, err = b.close(b.next)
	b.next++
	return load, true, err
}

// close completes the line of second n and forgets what no later one needs.
func (b *book) close(n int) (journal.Load, error) {
	s := b.second(n)
	seen := map[string]bool{}
	for i := n - 2; i <= n; i++ {
		if before := b.seconds[i]; before != nil {
			for id := range before.instances {
				seen[id] = true
			}
		}
	}
	delete(b.seconds, n-2)
	s.load.Instances = len(seen)
	s.load.P99 = journal.Of(percentile(s.latencies, 0.99))
	lag := percentile(s.lags, 0.99)
	s.load.Lag = journal.Of(lag)
	s.load.Inconclusive = lag > b.config.MaxLag || s.cpu > b.config.MaxCPU
	s.load.Latency = map[string]string{}
	for op, h := range s.histogram {
		text, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			return s.load, err
		}
		s.load.Latency[op] = string(text)
		b.all[op].Merge(h)
	}
	for op, n := range s.load.Worst {
		_ = b.all[op].RecordValues(b.config.max(op).Microseconds(), int64(n))
	}
	b.melt.second(s.load)
	b.total.add(s.load)
	s.latencies, s.lags, s.histogram = nil, nil, nil
	return s.load, nil
}

// percentile is the value that the share q of values does not exceed.
func percentile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(len(values)-1, int(q*float64(len(values))))]
}
