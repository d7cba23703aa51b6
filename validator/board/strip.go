package board

import (
	"fmt"
	"strings"

	"bogops/validator/verdict"
)

// strip is a row of ticks drawn as wins and losses: full height up counts 1,
// half counts a half, below the line counts nothing, thin grey leaves the sum.
// So it reads without colour.
type strip struct {
	Label string
	Paths []strokes
}

// strokes are the ticks of one status, as one path: dashes of 7 with gaps of 3
// make a mark every 10 units of a drawing 300 wide and 40 high.
type strokes struct{ Class, D string }

// heights are the middles of the marks of each class; the width of the stroke,
// in the style sheet, makes the mark.
var heights = map[string]string{
	"ok": "12", "rec": "17.5", "deg": "17.5", "unp": "17.5", "mum": "33", "dow": "33", "cor": "33",
	"non": "26", "npl": "26", "jud": "26", "dis": "26", "voi": "26",
}

func (s speech) strip(ticks []verdict.Status) strip {
	if len(ticks) == 0 {
		return strip{Label: s.t("no.ticks"), Paths: []strokes{{"non", "M1 26h297"}}}
	}
	type run struct{ from, length int }
	var order []string
	runs, total := map[string][]run{}, map[string]int{}
	first := stripTicks - len(ticks) // the newest tick stands at the right
	for i, status := range ticks {
		class := lookOf(status).class
		if total[class] == 0 {
			order = append(order, class)
		}
		total[class]++
		if last := len(runs[class]) - 1; last >= 0 && runs[class][last].from+runs[class][last].length == first+i {
			runs[class][last].length++
		} else {
			runs[class] = append(runs[class], run{first + i, 1})
		}
	}
	drawn := strip{}
	var said []string
	for _, class := range order {
		var d strings.Builder
		for _, r := range runs[class] {
			fmt.Fprintf(&d, "M%d %sh%d", r.from*10+1, heights[class], r.length*10-3)
		}
		drawn.Paths = append(drawn.Paths, strokes{class, d.String()})
		said = append(said, s.t("strip.part", total[class], s.t(class)))
	}
	drawn.Label = s.t("ticks", len(ticks)) + strings.Join(said, ", ")
	return drawn
}
