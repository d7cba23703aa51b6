package score

import (
	"errors"
	"fmt"
	"time"

	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// Fold takes in a journal line by line. It is not safe for use by several
// goroutines at a time. Lines of equal time may come in any order.
type Fold struct {
	opened    journal.Opened
	begun     bool
	closed    bool
	head      string
	lines     uint64
	at        time.Time
	teams     map[string]int
	checks    map[string]int
	bricks    map[group][]int // indices of checks
	tickAt    []time.Time     // by tick−1: the earliest line of it
	grid      [][][]sample    // by team, by check, by tick−1
	campaigns []*campaign     // by time
	waiting   map[string][]journal.Entry
}

// group is a brick's checks of one level, required or not.
type group struct {
	brick, level string
	required     bool
}

// sample is what one check said of one team in one tick.
type sample struct {
	status verdict.Status // empty: nothing
	line   uint64
	voided uint64 // the line that annuls it
}

// share is what the sample counts, and whether it does.
func (s sample) share() (float64, bool) {
	if s.voided > 0 {
		return 0, false
	}
	return s.status.Share()
}

// taken tells a sample that counts or should have from one never taken.
func (s sample) taken() bool {
	return s.status != "" && s.status != verdict.NotChecked && s.status != verdict.NotInPlay
}

// NewFold returns a fold that expects a journal's first line.
func NewFold() *Fold {
	return &Fold{teams: map[string]int{}, checks: map[string]int{}, bricks: map[group][]int{}, waiting: map[string][]journal.Entry{}}
}

// Add takes in the next line. After an error the line is left out and the fold
// goes on as if it had said nothing.
func (f *Fold) Add(e journal.Entry) error {
	f.head, f.lines, f.at = e.Hash, e.Seq, e.At
	if err := f.add(e); err != nil {
		return fmt.Errorf("score: line %d: %w", e.Seq, err)
	}
	return nil
}

func (f *Fold) add(e journal.Entry) error {
	if !f.begun && e.Kind != journal.KindOpened {
		return fmt.Errorf("a journal begins with %q, not with %q", journal.KindOpened, e.Kind)
	}
	switch e.Kind {
	case journal.KindOpened:
		return f.open(e)
	case journal.KindVerdict:
		return f.verdict(e)
	case journal.KindVoid:
		return f.void(e)
	case journal.KindCampaign:
		return f.campaign(e)
	case journal.KindLoad:
		return during(f, e, func(l journal.Load) (string, string) { return l.Campaign, l.Team }, (*track).load)
	case journal.KindFault:
		return during(f, e, func(l journal.Fault) (string, string) { return l.Campaign, l.Team }, (*track).fault)
	case journal.KindRedeploy:
		return during(f, e, func(l journal.Redeploy) (string, string) { return l.Campaign, l.Team }, (*track).redeploy)
	case journal.KindAudit:
		return during(f, e, func(l journal.Audit) (string, string) { return l.Campaign, l.Team }, (*track).audit)
	case journal.KindReadback:
		return during(f, e, func(l journal.Readback) (string, string) { return l.Campaign, l.Team }, (*track).readback)
	case journal.KindClosed:
		f.closed = true
	}
	return nil
}

func (f *Fold) open(e journal.Entry) error {
	if f.begun {
		return errors.New("a journal is opened once")
	}
	opened, err := journal.Decode[journal.Opened](e)
	if err != nil {
		return err
	}
	if opened.Format != 1 {
		return fmt.Errorf("the journal has format %d, this validator reads format 1", opened.Format)
	}
	if got := opened.Rules.Hash(); opened.RulesHash != "" && opened.RulesHash != got {
		return fmt.Errorf("the rules have the hash %s, the line says %s", got, opened.RulesHash)
	}
	f.opened, f.begun = opened, true
	for i, t := range opened.Teams {
		f.teams[t.ID] = i
		f.grid = append(f.grid, make([][]sample, len(opened.Checks)))
	}
	for i, c := range opened.Checks {
		f.checks[c.ID] = i
		g := group{c.Brick, levelOf(c), c.Required}
		f.bricks[g] = append(f.bricks[g], i)
	}
	return nil
}

func (f *Fold) verdict(e journal.Entry) error {
	v, err := journal.Decode[journal.Verdict](e)
	if err != nil {
		return err
	}
	team, check, err := f.place(v.Team, v.Check, v.Tick)
	if err != nil {
		return err
	}
	s := f.cell(team, check, v.Tick)
	if s.status != "" {
		return nil // told twice, by a judge that was resumed: what was told first stands
	}
	s.status, s.line = v.Status, e.Seq
	for len(f.tickAt) < v.Tick {
		f.tickAt = append(f.tickAt, time.Time{})
	}
	if at := &f.tickAt[v.Tick-1]; at.IsZero() || e.At.Before(*at) {
		*at = e.At
	}
	return nil
}

func (f *Fold) void(e journal.Entry) error {
	v, err := journal.Decode[journal.Void](e)
	if err != nil {
		return err
	}
	for team, t := range f.opened.Teams {
		if v.Team != "" && v.Team != t.ID {
			continue
		}
		_, check, err := f.place(t.ID, v.Check, v.Tick)
		if err != nil {
			return err
		}
		f.cell(team, check, v.Tick).voided = e.Seq
	}
	if _, ok := f.teams[v.Team]; v.Team != "" && !ok {
		return fmt.Errorf("no team is called %q", v.Team)
	}
	return nil
}

// mostTicks keeps a damaged number from asking for all memory: a week of ticks
// of one second.
const mostTicks = 7 * 24 * 3600

func (f *Fold) place(team, check string, tick int) (t, c int, err error) {
	t, ok := f.teams[team]
	if !ok {
		return 0, 0, fmt.Errorf("no team is called %q", team)
	}
	if c, ok = f.checks[check]; !ok {
		return 0, 0, fmt.Errorf("no check is called %q", check)
	}
	if tick < 1 || tick > mostTicks {
		return 0, 0, fmt.Errorf("tick %d, want 1 to %d", tick, mostTicks)
	}
	return t, c, nil
}

// cell returns the place of a sample, making it where it is new.
func (f *Fold) cell(team, check, tick int) *sample {
	row := &f.grid[team][check]
	for len(*row) < tick {
		*row = append(*row, sample{})
	}
	return &(*row)[tick-1]
}

// sample returns a sample, empty where there is none.
func (f *Fold) sample(team, check, tick int) sample {
	if row := f.grid[team][check]; tick <= len(row) {
		return row[tick-1]
	}
	return sample{}
}
