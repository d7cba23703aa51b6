package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collect "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// collector is a real receiver of OTLP over HTTP.
type collector struct {
	url string

	mu       sync.Mutex
	exported []*collect.ExportTraceServiceRequest
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/v1/traces", r.URL.Path)
		assert.Equal(t, "application/x-protobuf", r.Header.Get("Content-Type"))
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			unzipped, err := gzip.NewReader(r.Body)
			if !assert.NoError(t, err) {
				return
			}
			body = unzipped
		}
		text, err := io.ReadAll(body)
		assert.NoError(t, err)
		var request collect.ExportTraceServiceRequest
		assert.NoError(t, proto.Unmarshal(text, &request))
		c.mu.Lock()
		c.exported = append(c.exported, &request)
		c.mu.Unlock()
		answer, _ := proto.Marshal(&collect.ExportTraceServiceResponse{})
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// spans are all that came, in order.
func (c *collector) spans() []*spans.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*spans.Span
	for _, request := range c.exported {
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				all = append(all, scope.Spans...)
			}
		}
	}
	return all
}

// named returns the spans with a name.
func (c *collector) named(name string) []*spans.Span {
	var found []*spans.Span
	for _, span := range c.spans() {
		if span.Name == name {
			found = append(found, span)
		}
	}
	return found
}

// text is all that came, resources included, to be searched.
func (c *collector) text(t *testing.T) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all string
	for _, request := range c.exported {
		text, err := protojson.Marshal(request)
		require.NoError(t, err)
		all += string(text)
	}
	return all
}

// attribute is the value of a span's attribute as text; empty: there is none.
func attribute(span *spans.Span, key string) string {
	for _, pair := range span.Attributes {
		if pair.Key == key {
			if s := pair.Value.GetStringValue(); s != "" {
				return s
			}
			return protojson.Format(pair.Value)
		}
	}
	return ""
}
