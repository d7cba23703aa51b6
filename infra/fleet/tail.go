package fleet

import "strings"

// tail keeps the last lines of a log, each of bounded length.
type tail struct{ kept []string }

const (
	tailLines = 40
	tailWidth = 1000 // bytes
)

func (t *tail) add(line []byte) {
	text := strings.TrimRight(string(line[:min(len(line), tailWidth)]), "\r\n")
	if len(t.kept) == tailLines {
		t.kept = append(t.kept[:0], t.kept[1:]...)
	}
	t.kept = append(t.kept, strings.ToValidUTF8(text, "?"))
}

func (t *tail) lines() []string { return append([]string{}, t.kept...) }
