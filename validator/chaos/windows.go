package chaos

import (
	"fmt"
	"slices"
	"time"

	"bogops/validator/journal"
)

// Windows says, from what the journal holds, when the judge had something of a
// team broken. It reads the journal each time, so that a judge that was
// restarted still knows.
func Windows(entries func() []journal.Entry, team string) func(from, to time.Time, kinds ...string) bool {
	return func(from, to time.Time, kinds ...string) bool {
		for _, s := range spans(entries(), team) {
			if len(kinds) > 0 && !slices.Contains(kinds, s.kind) {
				continue
			}
			if !s.from.After(to) && !s.to.Before(from) {
				return true
			}
		}
		return false
	}
}

// span is how long one fault lasted.
type span struct {
	kind     string
	from, to time.Time
}

// spans are those of a team's faults. A fault ends with its rollback, or where
// there was nothing to roll back with its window: one that the platform healed
// may be broken still, on purpose.
func spans(entries []journal.Entry, team string) map[string]span {
	found := map[string]span{}
	lengths := map[string]time.Duration{}
	for _, e := range entries {
		switch e.Kind {
		case journal.KindCampaign:
			c, err := journal.Decode[journal.Campaign](e)
			if err != nil {
				panic(fmt.Sprintf("a journal of our own does not decode: %v", err))
			}
			for _, w := range c.Windows {
				lengths[w.ID] = w.Length.Duration()
			}
		case journal.KindFault:
			f, err := journal.Decode[journal.Fault](e)
			if err != nil {
				panic(fmt.Sprintf("a journal of our own does not decode: %v", err))
			}
			if f.Team != team {
				continue
			}
			s, known := found[f.ID]
			switch {
			case f.State == "injected":
				found[f.ID] = span{f.Kind, f.At, f.At.Add(lengths[f.ID])}
			case known && f.State == "rolled-back":
				s.to = f.At
				found[f.ID] = s
			}
		}
	}
	return found
}
