package main

import (
	"fmt"
	"slices"
	"strings"
)

// report is the tables of all experiments.
type report struct{ tables []*table }

// table compares rows by figures, each the median of the rounds.
type table struct {
	title   string
	figures []string
	rows    []*row
	ratios  []string
}

type row struct {
	name, note string
	rounds     [][]float64
}

func (r *report) table(title string, figures ...string) *table {
	t := &table{title: title, figures: figures}
	r.tables = append(r.tables, t)
	return t
}

// row is the row of this name, a new one where there is none.
func (t *table) row(name, note string) *row {
	for _, r := range t.rows {
		if r.name == name {
			return r
		}
	}
	r := &row{name: name, note: note}
	t.rows = append(t.rows, r)
	return r
}

// add adds the figures of one round.
func (r *row) add(figures ...float64) { r.rounds = append(r.rounds, figures) }

// each is one figure of every round that has it.
func (r *row) each(figure int) []float64 {
	var all []float64
	for _, round := range r.rounds {
		if figure < len(round) {
			all = append(all, round[figure])
		}
	}
	return all
}

// ratio notes how one row compares to another: round by round, as both were
// measured within the same minute.
func (t *table) ratio(title, over, under string, figure int, aim string) {
	a, b := t.row(over, "").each(figure), t.row(under, "").each(figure)
	var ratios []float64
	for i := range min(len(a), len(b)) {
		ratios = append(ratios, a[i]/b[i])
	}
	t.note(title, ratios, aim)
}

// note writes a figure under the table.
func (t *table) note(title string, values []float64, aim string) {
	text := fmt.Sprintf("%s: **%s**", title, spread(values, 2))
	if aim != "" {
		text += " (aim " + aim + ")"
	}
	t.ratios = append(t.ratios, text)
}

// spread is the median, and the smallest and largest behind it.
func spread(values []float64, digits int) string {
	if len(values) == 0 {
		return "not measured"
	}
	sorted := slices.Sorted(slices.Values(values))
	median := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		median = (sorted[len(sorted)/2-1] + median) / 2
	}
	if len(sorted) == 1 {
		return fmt.Sprintf("%.*f", digits, median)
	}
	return fmt.Sprintf("%.*f (%.*f to %.*f)", digits, median, digits, sorted[0], digits, sorted[len(sorted)-1])
}

func (r *report) markdown() string {
	var text strings.Builder
	for _, t := range r.tables {
		fmt.Fprintf(&text, "\n### %s\n\n| server | note | %s |\n| --- | --- |%s\n",
			t.title, strings.Join(t.figures, " | "), strings.Repeat(" --- |", len(t.figures)))
		for _, r := range t.rows {
			fmt.Fprintf(&text, "| %s | %s |", r.name, r.note)
			for i := range t.figures {
				fmt.Fprintf(&text, " %s |", cell(r.each(i)))
			}
			text.WriteString("\n")
		}
		text.WriteString("\n")
		for _, ratio := range t.ratios {
			fmt.Fprintf(&text, "- %s\n", ratio)
		}
	}
	return text.String()
}

// cell shows more digits where the figure is small.
func cell(values []float64) string {
	switch {
	case len(values) == 0:
		return ""
	case slices.Max(values) < 100:
		return spread(values, 2)
	}
	return spread(values, 0)
}
