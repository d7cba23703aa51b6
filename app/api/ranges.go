package api

import (
	"fmt"
	"math"
	"strings"

	"bogops/app/store"
)

// maxSpans is how many ranges one request may ask for. RFC 9110, section
// 14.2, lets a server ignore more: many small ones cost far more than they
// are worth to an honest client.
const maxSpans = 8

// span is one range of a Range header (RFC 9110, section 14.1.1): from first
// to last, both inclusive, or, as a suffix, the last bytes of an object.
// Numbers over 2⁶³−1 count as that: no object is so long.
type span struct {
	first, last int64
	suffix      bool // the last `last` bytes
}

// parseRange reads the values of Range. It returns nil where there is none to
// honour: no header, a unit that is not bytes, a malformed or backward range,
// or too many. All of these are ignored, as the RFC allows, and the whole
// object is the answer.
func parseRange(values []string) []span {
	if len(values) == 0 {
		return nil
	}
	unit, set, _ := strings.Cut(strings.Join(values, ","), "=")
	if !strings.EqualFold(unit, "bytes") {
		return nil
	}
	var spans []span
	for text := range strings.SplitSeq(set, ",") {
		text = strings.Trim(text, " \t")
		if text == "" {
			continue // a list may have empty elements: section 5.6.1.2
		}
		s, ok := parseSpan(text)
		if !ok || len(spans) == maxSpans {
			return nil
		}
		spans = append(spans, s)
	}
	return spans
}

func parseSpan(text string) (span, bool) {
	from, to, ok := strings.Cut(text, "-")
	if !ok || !isDigits(from) || !isDigits(to) || from == "" && to == "" {
		return span{}, false
	}
	from, to = trimZeros(from), trimZeros(to)
	s := span{first: saturate(from), last: saturate(to)}
	switch {
	case from == "":
		return span{last: s.last, suffix: true}, true
	case to == "":
		s.last = math.MaxInt64
	case len(to) < len(from), len(to) == len(from) && to < from:
		return span{}, false // compared as text: both may be over 2⁶³−1
	}
	return s, true
}

func isDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// trimZeros takes leading zeros off; one digit stays.
func trimZeros(digits string) string {
	for len(digits) > 1 && digits[0] == '0' {
		digits = digits[1:]
	}
	return digits
}

func saturate(digits string) int64 {
	n := int64(0)
	for _, c := range []byte(digits) {
		d := int64(c - '0')
		if n > (math.MaxInt64-d)/10 {
			return math.MaxInt64
		}
		n = n*10 + d
	}
	return n
}

// asked is the range to ask a store for while the object's size is not known;
// false where it depends on the size.
func (s span) asked() (store.Range, bool) {
	switch {
	case s.suffix:
		return store.Range{}, false
	case s.last == math.MaxInt64:
		return store.Range{Offset: s.first, Length: -1}, true
	}
	return store.Range{Offset: s.first, Length: s.last - s.first + 1}, true
}

// within is the part of an object of size bytes that s names. Length is 0
// where there is no such part.
func (s span) within(size int64) store.Range {
	first, last := s.first, min(s.last, size-1)
	if s.suffix {
		first, last = size-min(s.last, size), size-1
	}
	return store.Range{Offset: first, Length: max(0, last-first+1)}
}

// satisfiable is section 14.1.2: a suffix of an empty object is, although no
// Content-Range could describe it.
func (s span) satisfiable(size int64) bool {
	if s.suffix {
		return s.last > 0
	}
	return s.first < size
}

// partsOf are the parts of an object of size bytes that spans name, in their
// order. ok is false where none can be had: that is a 416. No parts mean the
// whole object, where no Content-Range can describe what was asked for or the
// parts together are longer than the object.
func partsOf(spans []span, size int64) (parts []store.Range, ok bool) {
	left := size
	for _, s := range spans {
		if !s.satisfiable(size) {
			continue
		}
		ok = true
		part := s.within(size)
		if part.Length > left {
			return nil, true
		}
		if part.Length > 0 {
			parts = append(parts, part)
			left -= part.Length
		}
	}
	return parts, ok
}

// contentRange describes a part of an object of size bytes (section 14.4).
func contentRange(part store.Range, size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", part.Offset, part.Offset+part.Length-1, size)
}
