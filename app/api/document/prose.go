package document

import (
	"regexp"
	"strings"
)

// block is a paragraph, a list or a table of a description. Descriptions are
// CommonMark; the page knows the part that ours use, and shows what it does not
// know as it was written.
type block struct {
	Kind string   // "p", "ul" or "table"
	Text []span   // of a paragraph
	Rows [][]cell // items of a list, or a table's rows, its head first
}

type cell []span

// span is a piece of a line; Mark is "", "code", "b" or "em".
type span struct{ Mark, Text string }

// blocks reads a description.
func blocks(text string) []block {
	var all []block
	for _, part := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		switch part[0] {
		case '|':
			all = append(all, table(part))
		case '-':
			b := block{Kind: "ul"}
			for _, item := range strings.Split(strings.TrimPrefix(part, "- "), "\n- ") {
				b.Rows = append(b.Rows, []cell{spans(item)})
			}
			all = append(all, b)
		default:
			all = append(all, block{Kind: "p", Text: spans(part)})
		}
	}
	return all
}

func table(text string) block {
	b := block{Kind: "table"}
	for i, line := range strings.Split(text, "\n") {
		if i == 1 { // the rule under the head
			continue
		}
		var row []cell
		for _, word := range strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			row = append(row, spans(word))
		}
		b.Rows = append(b.Rows, row)
	}
	return b
}

// marked finds what is marked, code first: nothing inside it is a mark.
var marked = regexp.MustCompile("`[^`]+`|\\*\\*[^*]+\\*\\*|\\*[^* ][^*]*\\*")

func spans(text string) []span {
	text = strings.Join(strings.Fields(text), " ")
	var all []span
	for text != "" {
		at := marked.FindStringIndex(text)
		if at == nil {
			return append(all, span{"", text})
		}
		if at[0] > 0 {
			all = append(all, span{"", text[:at[0]]})
		}
		switch word := text[at[0]:at[1]]; {
		case word[0] == '`':
			all = append(all, span{"code", strings.Trim(word, "`")})
		case strings.HasPrefix(word, "**"):
			all = append(all, span{"b", strings.Trim(word, "*")})
		default:
			all = append(all, span{"em", strings.Trim(word, "*")})
		}
		text = text[at[1]:]
	}
	return all
}
