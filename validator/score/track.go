package score

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"bogops/validator/journal"
)

// campaign is one load campaign with what every team did in it.
type campaign struct {
	journal.Campaign
	line   uint64
	tracks []*track // by team
}

// track is one team in one campaign.
type track struct {
	campaign  *campaign
	seconds   []second // by second after T0; those with line 0 are missing
	latency   map[string]*hdrhistogram.Histogram
	worst     map[string]int64 // by operation: to be counted at SLO max
	faults    map[string]*disturbance
	redeploys map[string]*disturbance
	audited   journal.Audit
	auditLine uint64 // 0: no audit yet
	read      journal.Readback
	readLine  uint64
}

// second is one second of load.
type second struct {
	line         uint64
	inconclusive bool
	offered      int
	unsent       int
	right, good  int
	puts, acked  int
}

// disturbance is what became of one fault or one redeployment on one team.
type disturbance struct {
	states map[string]time.Time // the earliest time of each state
	lines  []uint64
	took   journal.Seconds
	detail string
}

func (d *disturbance) is(state string) bool {
	if d == nil {
		return false
	}
	_, ok := d.states[state]
	return ok
}

// campaign opens a campaign and hands it the lines that came before it.
func (f *Fold) campaign(e journal.Entry) error {
	opened, err := journal.Decode[journal.Campaign](e)
	if err != nil {
		return err
	}
	if opened.Duration <= 0 || opened.Duration > mostTicks {
		return fmt.Errorf("campaign %q lasts %v s", opened.ID, opened.Duration)
	}
	c := &campaign{Campaign: opened, line: e.Seq}
	for _, other := range f.campaigns {
		if other.ID == c.ID {
			return fmt.Errorf("campaign %q began already, in line %d", c.ID, other.line)
		}
	}
	for range f.opened.Teams {
		c.tracks = append(c.tracks, &track{
			campaign: c, latency: map[string]*hdrhistogram.Histogram{}, worst: map[string]int64{},
			faults: map[string]*disturbance{}, redeploys: map[string]*disturbance{},
		})
	}
	f.campaigns = append(f.campaigns, c)
	slices.SortFunc(f.campaigns, func(a, b *campaign) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	early := f.waiting[c.ID]
	delete(f.waiting, c.ID)
	for _, e := range early {
		if err := f.add(e); err != nil {
			return err
		}
	}
	return nil
}

// during decodes a line of a campaign and puts it on its team's track; it keeps
// the line where the campaign has not begun yet.
func during[T any](f *Fold, e journal.Entry, of func(T) (campaign, team string), put func(*track, T, uint64) error) error {
	payload, err := journal.Decode[T](e)
	if err != nil {
		return err
	}
	id, name := of(payload)
	team, ok := f.teams[name]
	if !ok {
		return fmt.Errorf("no team is called %q", name)
	}
	for _, c := range f.campaigns {
		if c.ID == id {
			return put(c.tracks[team], payload, e.Seq)
		}
	}
	f.waiting[id] = append(f.waiting[id], e)
	return nil
}

// longest is the latency, in microseconds, that histograms are merged up to;
// what is slower counts at SLO max, as what never came.
const longest = int64(time.Hour / time.Microsecond)

func (t *track) load(l journal.Load, line uint64) error {
	if l.Second < 0 || l.Second > mostTicks {
		return fmt.Errorf("second %d of campaign %q, want 0 to %d", l.Second, l.Campaign, mostTicks)
	}
	for _, n := range []int{l.Good, l.Right - l.Good, l.Offered - l.Right, l.Acked, l.Puts - l.Acked, l.Offered - l.Puts, l.Unsent} {
		if n < 0 {
			return fmt.Errorf("the totals of second %d of %s do not fit together: %d offered, %d right, %d good, %d PUTs, %d acknowledged", l.Second, l.Team, l.Offered, l.Right, l.Good, l.Puts, l.Acked)
		}
	}
	for len(t.seconds) <= l.Second {
		t.seconds = append(t.seconds, second{})
	}
	s := &t.seconds[l.Second]
	if s.line != 0 {
		return nil // told twice, by a judge that was resumed: what was told first stands
	}
	histograms := map[string]*hdrhistogram.Histogram{}
	for op, encoded := range l.Latency {
		h, err := hdrhistogram.Decode([]byte(encoded))
		if err != nil {
			return fmt.Errorf("second %d of %s: latency of %s: %w", l.Second, l.Team, op, err)
		}
		histograms[op] = h
	}
	*s = second{line: line, inconclusive: l.Inconclusive, offered: l.Offered, unsent: l.Unsent, right: l.Right, good: l.Good, puts: l.Puts, acked: l.Acked}
	if l.Inconclusive || t.campaign.window(l.Second) != nil {
		return nil
	}
	for op, h := range histograms {
		if t.latency[op] == nil {
			t.latency[op] = hdrhistogram.New(1, longest, 3)
		}
		t.worst[op] += t.latency[op].Merge(h)
	}
	for op, n := range l.Worst {
		t.worst[op] += int64(n)
	}
	return nil
}

// window is the fault or redeployment that second n is scored under; nil is
// the baseline. A second that a window only touches belongs to the window.
func (c *campaign) window(n int) *journal.Window {
	for i := range c.Windows {
		w := &c.Windows[i]
		if from, to := bounds(*w); n >= from && n < to {
			return w
		}
	}
	return nil
}

func (t *track) fault(l journal.Fault, line uint64) error {
	note(t.faults, l.ID, l.State, l.At, l.Detail, line)
	return nil
}

func (t *track) redeploy(l journal.Redeploy, line uint64) error {
	d := note(t.redeploys, l.ID, l.State, l.At, l.Detail, line)
	d.took = max(d.took, l.Took)
	return nil
}

func note(all map[string]*disturbance, id, state string, at time.Time, detail string, line uint64) *disturbance {
	d := all[id]
	if d == nil {
		d = &disturbance{states: map[string]time.Time{}}
		all[id] = d
	}
	if was, ok := d.states[state]; !ok || at.Before(was) {
		d.states[state] = at
	}
	d.lines = append(d.lines, line)
	slices.Sort(d.lines)
	d.detail = max(d.detail, detail) // any one, but the same in any order
	return d
}

// audit keeps the line that says most: the finished one, else the furthest.
func (t *track) audit(l journal.Audit, line uint64) error {
	rank := func(a journal.Audit) (done, checked int) {
		if a.Done {
			done = 1
		}
		return done, a.Checked
	}
	wasDone, was := rank(t.audited)
	isDone, is := rank(l)
	if t.auditLine == 0 || cmp.Or(cmp.Compare(isDone, wasDone), cmp.Compare(is, was), cmp.Compare(missing(l), missing(t.audited))) > 0 {
		t.audited, t.auditLine = l, line
	}
	return nil
}

func (t *track) readback(l journal.Readback, line uint64) error {
	if t.readLine == 0 || l.Sampled-l.Void >= t.read.Sampled-t.read.Void {
		t.read, t.readLine = l, line
	}
	return nil
}

// over tells whether the team's part in the load is over: its last second is
// told, its audit has begun, or the contest is closed.
func (f *Fold) over(t *track) bool {
	return f.closed || t.auditLine != 0 || float64(len(t.seconds)) >= float64(t.campaign.Duration)
}
