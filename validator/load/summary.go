package load

import (
	"fmt"
	"maps"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"bogops/validator/journal"
)

// Summary is a whole run: the sum of the seconds that were told.
type Summary struct {
	Offered, Unsent, Right, Good, Puts, Acked int

	Errors       map[string]int
	Wrong        map[string]int // stale, lost, corrupt, foreign, status: where Errors says wrong
	Substituted  int            // GETs that went to a stand-in
	Replays      int            // requests that the transport sent again by itself
	Connections  int
	Inconclusive int                      // seconds
	MaxLag       time.Duration            // the worst p99 of our own lag in a second
	P99          map[string]time.Duration // by put and get; what was not right counts as the SLO's max
	Melted       int                      // how often the ramp was stopped
}

func (s *Summary) add(l journal.Load) {
	s.Offered += l.Offered
	s.Unsent += l.Unsent
	s.Right += l.Right
	s.Good += l.Good
	s.Puts += l.Puts
	s.Acked += l.Acked
	for kind, n := range l.Errors {
		s.Errors[kind] += n
	}
	if l.Inconclusive {
		s.Inconclusive++
	}
	s.MaxLag = max(s.MaxLag, l.Lag.Duration())
}

// summary is what the seconds told so far sum to.
func (b *book) summary() Summary {
	b.mu.Lock()
	defer b.mu.Unlock()
	total := b.total
	for op, h := range b.all {
		total.P99[op] = time.Duration(h.ValueAtQuantile(99)) * time.Microsecond
	}
	total.Melted = b.melt.count()
	return total
}

// Merge adds up the same second of the same team as two injectors saw it.
func Merge(a, b journal.Load) (journal.Load, error) {
	if a.Campaign != b.Campaign || a.Team != b.Team || a.Second != b.Second {
		return a, fmt.Errorf("load: second %d of %s in %s cannot be added to second %d of %s in %s",
			b.Second, b.Team, b.Campaign, a.Second, a.Team, a.Campaign)
	}
	a.Offered += b.Offered
	a.Unsent += b.Unsent
	a.Right += b.Right
	a.Good += b.Good
	a.Puts += b.Puts
	a.Acked += b.Acked
	a.Errors, a.Worst = sum(a.Errors, b.Errors), sum(a.Worst, b.Worst)
	a.Instances = max(a.Instances, b.Instances)
	a.P99, a.Lag = max(a.P99, b.P99), max(a.Lag, b.Lag)
	a.Inconclusive = a.Inconclusive || b.Inconclusive
	latency := maps.Clone(a.Latency)
	for op, text := range b.Latency {
		merged, err := mergeHistograms(latency[op], text)
		if err != nil {
			return a, err
		}
		latency[op] = merged
	}
	a.Latency = latency
	return a, nil
}

func sum(a, b map[string]int) map[string]int {
	total := map[string]int{}
	for _, m := range []map[string]int{a, b} {
		for kind, n := range m {
			total[kind] += n
		}
	}
	return total
}

func mergeHistograms(a, b string) (string, error) {
	if a == "" {
		return b, nil
	}
	first, err := hdrhistogram.Decode([]byte(a))
	if err != nil {
		return "", fmt.Errorf("load: a histogram cannot be read: %w", err)
	}
	second, err := hdrhistogram.Decode([]byte(b))
	if err != nil {
		return "", fmt.Errorf("load: a histogram cannot be read: %w", err)
	}
	if dropped := first.Merge(second); dropped != 0 {
		return "", fmt.Errorf("load: a merge of histograms dropped %d values", dropped)
	}
	text, err := first.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	return string(text), err
}
