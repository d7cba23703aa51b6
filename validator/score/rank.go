package score

import (
	"cmp"
	"math"
	"slices"
)

// Ranking returns the ranked teams, the first in front; teams on a tie are in
// the order of the contest.
func (r Result) Ranking() []Team {
	ranked := slices.DeleteFunc(slices.Clone(r.Teams), func(t Team) bool { return t.Witness })
	slices.SortStableFunc(ranked, func(a, b Team) int { return cmp.Compare(a.Rank, b.Rank) })
	return ranked
}

// rank gives each team its place. Ties go to fewer lost good-seconds, then to
// the earlier last brick; what is still equal shares the rank.
func rank(teams []Team) {
	for i := range teams {
		if teams[i].Witness {
			continue
		}
		teams[i].Rank = 1
		for _, other := range teams {
			if !other.Witness && compare(other, teams[i]) < 0 {
				teams[i].Rank++
			}
		}
	}
}

// compare is negative where a is in front of b.
func compare(a, b Team) int {
	return cmp.Or(
		cmp.Compare(rounded(b.Total), rounded(a.Total)),
		cmp.Compare(rounded(a.LostSeconds), rounded(b.LostSeconds)),
		compareGreen(a, b),
	)
}

func compareGreen(a, b Team) int {
	switch {
	case a.LastGreen.IsZero() && b.LastGreen.IsZero():
		return 0
	case a.LastGreen.IsZero():
		return 1
	case b.LastGreen.IsZero():
		return -1
	}
	return a.LastGreen.Compare(b.LastGreen)
}

// rounded keeps the order of a sum's terms from deciding a tie.
func rounded(x float64) float64 { return math.Round(x * 1e6) }
