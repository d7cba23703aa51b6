package score

import (
	"encoding/csv"
	"io"
	"strconv"
)

// WriteCSV writes every node of every team as one row, for spreadsheets: team,
// part (labels from the top, joined by " / "), earned, possible, in play,
// detail, lines. Numbers keep their last digit; a total has the part "total".
func WriteCSV(w io.Writer, r Result) error {
	rows := [][]string{{"team", "part", "earned", "possible", "in_play", "detail", "lines"}}
	for _, t := range r.Teams {
		rows = append(rows, []string{t.ID, "total", exact(t.Total), "1000", "true", "coverage " + exact(t.Coverage), ""})
		for _, n := range t.Parts {
			rows = appendRows(rows, t.ID, n.Label, n)
		}
	}
	out := csv.NewWriter(w)
	if err := out.WriteAll(rows); err != nil {
		return err
	}
	return out.Error()
}

func appendRows(rows [][]string, team, path string, n Node) [][]string {
	lines := ""
	if len(n.Events) > 0 {
		lines = Lines(n.Events)
	}
	rows = append(rows, []string{team, path, exact(n.Earned), exact(n.Possible), strconv.FormatBool(n.InPlay), n.Detail, lines})
	for _, child := range n.Children {
		rows = appendRows(rows, team, path+" / "+child.Label, child)
	}
	return rows
}

func exact(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
