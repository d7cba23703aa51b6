package api

import (
	"crypto/rand"
	"fmt"
	"io"
	"strings"
)

// multipart is several parts of one object as one body (RFC 9110, section
// 14.6): each behind a head that says which part it is, and an end.
type multipart struct {
	boundary string
	heads    []string
	bodies   []io.ReadCloser
	length   int64 // of it all
}

func newMultipart(f opened) *multipart {
	m := &multipart{boundary: rand.Text(), bodies: f.bodies}
	for i, part := range f.parts {
		head := fmt.Sprintf("\r\n--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n",
			m.boundary, f.info.ContentType, contentRange(part, f.info.Size))
		if i == 0 {
			head = strings.TrimPrefix(head, "\r\n")
		}
		m.heads = append(m.heads, head)
		m.length += int64(len(head)) + part.Length
	}
	m.length += int64(len(m.end()))
	return m
}

func (m *multipart) end() string { return "\r\n--" + m.boundary + "--\r\n" }

func (m *multipart) mediaType() string { return "multipart/byteranges; boundary=" + m.boundary }

func (m *multipart) writeTo(w io.Writer) (total int64, err error) {
	for i, body := range m.bodies {
		n, err := io.Copy(&headed{w, m.heads[i]}, body)
		if total += n; err != nil {
			return total, err
		}
	}
	n, err := io.WriteString(w, m.end())
	return total + int64(n), err
}

// headed writes a head before the first bytes of a part, and not before they
// are there: the first part's may be the first of the answer. No part is empty.
type headed struct {
	io.Writer
	head string
}

// Write implements io.Writer.
func (h *headed) Write(p []byte) (int, error) {
	if h.head != "" {
		if _, err := io.WriteString(h.Writer, h.head); err != nil {
			return 0, err
		}
		h.head = ""
	}
	return h.Writer.Write(p)
}
