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

const (
	// around is the most that a fault lasts beside its window, which begins when
	// the deed is done and is followed by the rollback: no fault's deed and
	// rollback take longer together.
	around = 2 * time.Minute
	// byHand is how long people may take to put back what the judge could not.
	byHand = 30 * time.Minute
)

// spans are those of a team's faults. A fault ends with its rollback: one that
// the platform healed may be broken still, on purpose. Where there was nothing to
// roll back nobody wrote when it ended, and it is given the most that it lasts.
func spans(entries []journal.Entry, team string) map[string]span {
	found := map[string]span{}
	lengths := map[string]time.Duration{}
	for _, e := range entries {
		switch e.Kind {
		case journal.KindCampaign:
			for _, w := range decoded[journal.Campaign](e).Windows {
				lengths[w.ID] = w.Length.Duration()
			}
		case journal.KindFault:
			f := decoded[journal.Fault](e)
			if f.Team != team {
				continue
			}
			s, known := found[f.ID]
			switch {
			case f.State == "injected":
				found[f.ID] = span{f.Kind, f.At, f.At.Add(lengths[f.ID] + around)}
			case known && f.State == "rolled-back":
				s.to = f.At
				found[f.ID] = s
			}
		case journal.KindNote:
			n := decoded[journal.Note](e)
			if s, known := found[n.Fault]; known && n.Team == team {
				s.to = s.to.Add(byHand)
				found[n.Fault] = s
			}
		}
	}
	return found
}

func decoded[T any](e journal.Entry) T {
	payload, err := journal.Decode[T](e)
	if err != nil {
		panic(fmt.Sprintf("a journal of our own does not decode: %v", err))
	}
	return payload
}
