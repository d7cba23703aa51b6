package score

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Explain prints how a team came by every point: one line for each node of the
// tree with its formula, and the lines of the journal that it rests on.
func Explain(w io.Writer, r Result, team string) error {
	for _, t := range r.Teams {
		if t.ID == team {
			_, err := io.WriteString(w, explained(r, t))
			return err
		}
	}
	known := make([]string, 0, len(r.Teams))
	for _, t := range r.Teams {
		known = append(known, t.ID)
	}
	return fmt.Errorf("no team is called %q, want one of %s", team, strings.Join(known, ", "))
}

func explained(r Result, t Team) string {
	var text strings.Builder
	standing := "unranked witness"
	if !t.Witness {
		standing = fmt.Sprintf("rank %d of %d", t.Rank, len(r.Ranking()))
	}
	provisional := ""
	if t.Provisional {
		provisional = ", provisional"
	}
	fmt.Fprintf(&text, "%s: %.2f of 1,000, %s, coverage %.1f %%%s\n", t.Name, t.Total, standing, 100*t.Coverage, provisional)
	fmt.Fprintf(&text, "1,000 · %.2f earned / %.2f points in play; %.2f good-seconds lost under load\n", t.Points, t.InPlay, t.LostSeconds)
	fmt.Fprintf(&text, "journal of %d lines, head %s\n\n", r.Lines, r.Head)
	for _, part := range t.Parts {
		write(&text, part, 0)
	}
	return text.String()
}

func write(text *strings.Builder, n Node, depth int) {
	points := fmt.Sprintf("%7.2f of %6.2f", n.Earned, n.Possible)
	switch {
	case !n.InPlay:
		points = "       –         "
	case n.Possible == 0 && n.Earned == 0:
		points = strings.Repeat(" ", len("   0.00 of   0.00"))
	}
	fmt.Fprintf(text, "%s  %s%s", points, strings.Repeat("  ", depth), printable(n.Label))
	if n.Detail != "" {
		fmt.Fprintf(text, ": %s", printable(n.Detail))
	}
	if len(n.Events) > 0 {
		fmt.Fprintf(text, " [%s]", Lines(n.Events))
	}
	text.WriteByte('\n')
	for _, child := range n.Children {
		write(text, child, depth+1)
	}
}

// printable keeps what a platform answered from steering the terminal that it
// is printed on.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// Lines writes line numbers, which must ascend, in short: "line 4" or
// "lines 4, 7–19".
func Lines(events []uint64) string {
	var parts []string
	for i := 0; i < len(events); {
		j := i
		for j+1 < len(events) && events[j+1] <= events[j]+1 {
			j++
		}
		part := strconv.FormatUint(events[i], 10)
		if events[j] != events[i] {
			part += "–" + strconv.FormatUint(events[j], 10)
		}
		parts = append(parts, part)
		i = j + 1
	}
	if len(events) == 1 {
		return "line " + parts[0]
	}
	return "lines " + strings.Join(parts, ", ")
}

// Diff tells what changed from old to new, team by team and part by part; it is
// empty where nothing did.
func Diff(before, after Result) string {
	var text strings.Builder
	if before.RulesHash != after.RulesHash {
		fmt.Fprintf(&text, "rules: %s, now %s\n", brief(before.RulesHash), brief(after.RulesHash))
	}
	was := map[string]Team{}
	for _, t := range before.Teams {
		was[t.ID] = t
	}
	for _, t := range after.Teams {
		old, ok := was[t.ID]
		delete(was, t.ID)
		if !ok {
			fmt.Fprintf(&text, "%s: new, %.2f\n", t.Name, t.Total)
			continue
		}
		if old.Total != t.Total || old.Rank != t.Rank || old.Coverage != t.Coverage {
			fmt.Fprintf(&text, "%s: %.2f, was %.2f (%+.2f); rank %d, was %d; coverage %.1f %%, was %.1f %%\n",
				t.Name, t.Total, old.Total, t.Total-old.Total, t.Rank, old.Rank, 100*t.Coverage, 100*old.Coverage)
		}
		diff(&text, old.Parts, t.Parts, 1)
	}
	for _, t := range before.Teams {
		if _, left := was[t.ID]; left {
			fmt.Fprintf(&text, "%s: gone, was %.2f\n", t.Name, t.Total)
		}
	}
	return text.String()
}

func diff(text *strings.Builder, before, after []Node, depth int) {
	was := map[string]Node{}
	for _, n := range before {
		was[n.Label] = n
	}
	for _, n := range after {
		old := was[n.Label]
		if old.Earned != n.Earned || old.Possible != n.Possible || old.InPlay != n.InPlay {
			fmt.Fprintf(text, "%s%s: %s, was %s\n", strings.Repeat("  ", depth), n.Label, worth(n), worth(old))
		}
		diff(text, old.Children, n.Children, depth+1)
	}
}

func worth(n Node) string {
	if !n.InPlay {
		return "not in play"
	}
	return fmt.Sprintf("%.2f of %.2f", n.Earned, n.Possible)
}

func brief(hash string) string { return hash[:min(12, len(hash))] }

// num writes a number as short as it can be said: three decimals at most.
func num(x float64) string {
	return strconv.FormatFloat(math.Round(x*1000)/1000, 'f', -1, 64)
}
