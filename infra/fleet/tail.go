package fleet

import (
	"fmt"
	"strings"
)

// tail keeps the first and the last lines of a log, each of bounded length. What
// went wrong is often said once, at the beginning, and followed by what comes of
// it at every health check.
type tail struct {
	first, last []string
	between     int // lines that were not kept
}

const (
	tailLines = 20   // of each end
	tailWidth = 1000 // bytes
)

func (t *tail) add(line []byte) {
	text := strings.ToValidUTF8(strings.TrimRight(string(line[:min(len(line), tailWidth)]), "\r\n"), "?")
	switch {
	case len(t.first) < tailLines:
		t.first = append(t.first, text)
		return
	case len(t.last) == tailLines:
		t.last = append(t.last[:0], t.last[1:]...)
		t.between++
	}
	t.last = append(t.last, text)
}

func (t *tail) lines() []string {
	all := append([]string{}, t.first...)
	if t.between > 0 {
		all = append(all, fmt.Sprintf("(%d more lines)", t.between))
	}
	return append(all, t.last...)
}
