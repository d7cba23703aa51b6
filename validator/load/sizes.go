package load

import (
	"fmt"
	"math"
	"slices"

	"bogops/validator/contest"
)

// sizes are the classes of object sizes, smallest first. Within one, sizes are
// log-uniform: as many between 1 and 2 KiB as between 2 and 4.
type sizes []class

type class struct {
	low, high float64 // bytes; a size is over low
	upTo      float64 // cumulated share
}

// newSizes makes a class reach from the one below it to its own bytes; the
// smallest reaches over a factor of 16.
func newSizes(given []contest.Size) (sizes, error) {
	given = slices.Clone(given)
	slices.SortFunc(given, func(a, b contest.Size) int { return int(a.Bytes - b.Bytes) })
	total := 0.0
	for _, s := range given {
		if s.Bytes < 1 || !(s.Share >= 0) {
			return nil, fmt.Errorf("a size of %d bytes has the share %g, want at least 1 byte and a share of at least 0", s.Bytes, s.Share)
		}
		total += s.Share
	}
	if !(total > 0) {
		return nil, fmt.Errorf("the shares of %d sizes sum to %g, want more than 0", len(given), total)
	}
	var classes sizes
	low, upTo := float64(0), 0.0
	for i, s := range given {
		if i == 0 {
			low = math.Max(1, float64(s.Bytes)/16)
		}
		upTo += s.Share / total
		classes = append(classes, class{low, float64(s.Bytes), upTo})
		low = float64(s.Bytes)
	}
	return classes, nil
}

// draw takes two numbers of [0, 1).
func (s sizes) draw(which, where float64) int64 {
	chosen := s[len(s)-1]
	for _, c := range s {
		if which < c.upTo {
			chosen = c
			break
		}
	}
	return int64(math.Ceil(chosen.low * math.Pow(chosen.high/chosen.low, 1-where)))
}
