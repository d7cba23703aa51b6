package board

import "bogops/validator/verdict"

// look is how a status is drawn: a class of the style sheet, which is also the
// end of its symbol's name, and how bad it is when several checks of a brick
// disagree. Statuses that do not count rank below OK: they never hide a
// finding.
type look struct {
	class string
	rank  int
}

func lookOf(s verdict.Status) look {
	switch s {
	case verdict.OK:
		return look{"ok", 4}
	case verdict.Recovering:
		return look{"rec", 5}
	case verdict.Degraded:
		return look{"deg", 6}
	case verdict.Unproven:
		return look{"unp", 7}
	case verdict.Mumble:
		return look{"mum", 8}
	case verdict.Down:
		return look{"dow", 9}
	case verdict.Corrupt:
		return look{"cor", 10}
	case verdict.JudgeError:
		return look{"jud", 3}
	case verdict.Disputed:
		return look{"dis", 2}
	case verdict.Void:
		return look{"voi", 1}
	case verdict.NotInPlay:
		return look{"npl", 0}
	}
	return look{"non", 0}
}

func counts(s verdict.Status) bool {
	_, counts := s.Share()
	return counts
}

// of is what several required checks of one brick make in one tick: the worst
// finding; without one, what is not known; OK only when every check held.
func of(statuses []verdict.Status) verdict.Status {
	if len(statuses) == 0 {
		return verdict.NotChecked
	}
	worst, unknown := verdict.OK, verdict.Status("")
	for _, s := range statuses {
		if !counts(s) {
			if unknown == "" || lookOf(s).rank > lookOf(unknown).rank {
				unknown = s
			}
		} else if lookOf(s).rank > lookOf(worst).rank {
			worst = s
		}
	}
	if worst == verdict.OK && unknown != "" {
		return unknown
	}
	return worst
}
