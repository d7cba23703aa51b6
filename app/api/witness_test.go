package api

import (
	"bytes"
	"net/http"
)

// witness hears every answer that a handler gives, once it is complete or cut.
type witness struct {
	next http.Handler
	tell func(exchange)
}

const witnessed = 1 << 20 // bytes of a body that are kept

func (w witness) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	heard := &hearing{ResponseWriter: out}
	defer func() {
		v := recover()
		if heard.status == 0 && v == nil {
			heard.WriteHeader(http.StatusOK)
		}
		if heard.status != 0 {
			w.tell(exchange{r, heard.status, heard.header, heard.body.Bytes(), v != nil || heard.body.Len() == witnessed})
		}
		if v != nil {
			panic(v)
		}
	}()
	w.next.ServeHTTP(heard, r)
}

// hearing passes an answer on and keeps it.
type hearing struct {
	http.ResponseWriter
	status int
	header http.Header
	body   bytes.Buffer
}

func (h *hearing) WriteHeader(status int) {
	if h.status == 0 && status >= 200 {
		h.status, h.header = status, h.Header().Clone()
	}
	h.ResponseWriter.WriteHeader(status)
}

func (h *hearing) Write(p []byte) (int, error) {
	if h.status == 0 {
		h.WriteHeader(http.StatusOK)
	}
	h.body.Write(p[:min(len(p), witnessed-h.body.Len())])
	return h.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through, for deadlines.
func (h *hearing) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h *hearing) Flush() {
	if h.status == 0 {
		h.WriteHeader(http.StatusOK)
	}
	_ = http.NewResponseController(h.ResponseWriter).Flush()
}
