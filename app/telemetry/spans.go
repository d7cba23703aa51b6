package telemetry

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// What a span says follows OpenTelemetry's semantic conventions for HTTP
// servers, without the attributes that strangers fill: no path, query, user
// agent or host.

// requestSpan is the span of a request; the zero one is of no trace.
type requestSpan struct{ span trace.Span }

// startSpan takes over the trace that the client is in, if it says so (W3C
// Trace Context).
func (r *Request) startSpan(q *http.Request) *http.Request {
	tracer := r.telemetry.tracer()
	if tracer == nil {
		return q
	}
	method, name := r.key.method, r.key.method+" "+r.key.route
	if method == other {
		method, name = "_OTHER", "HTTP "+r.key.route
	}
	ctx := propagation.TraceContext{}.Extract(q.Context(), parentOf{q.Header})
	ctx, r.span.span = tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(r.began),
		trace.WithAttributes(
			semconv.HTTPRequestMethodKey.String(method),
			semconv.HTTPRoute(r.key.route),
			semconv.NetworkProtocolVersion(protocolVersion(q)),
		))
	return q.WithContext(ctx)
}

func protocolVersion(q *http.Request) string {
	if q.ProtoMajor == 2 {
		return "2"
	}
	if q.ProtoMinor == 0 {
		return "1.0"
	}
	return "1.1"
}

// parentOf shows only the traceparent: a tracestate is free text of strangers,
// and would be passed on to the collector as it is.
type parentOf struct{ header http.Header }

func (p parentOf) Get(name string) string {
	if name != "traceparent" {
		return ""
	}
	return p.header.Get(name)
}
func (parentOf) Set(string, string) {}
func (parentOf) Keys() []string     { return []string{"traceparent"} }

func (r *Request) endSpan(out Outcome) {
	span := r.span.span
	if span == nil {
		return
	}
	span.SetAttributes(
		semconv.HTTPResponseStatusCode(out.Status),
		attribute.String("bogops.request_id", out.ID),
		attribute.String("bogops.role", out.Role),
	)
	// By the conventions a client's mistake is no error of the server's span.
	switch {
	case out.Cut:
		span.SetAttributes(semconv.ErrorTypeKey.String("cut"))
		span.SetStatus(codes.Error, "the answer was cut short")
	case out.Status >= http.StatusInternalServerError:
		span.SetAttributes(semconv.ErrorTypeKey.String(out.Problem))
		span.SetStatus(codes.Error, out.Problem)
	}
	span.End()
}

// childSpan is the span of a part of a request; the zero one is of no trace.
type childSpan struct{ span trace.Span }

// startChild begins one where ctx is of a request whose trace is recorded.
func (t *Telemetry) startChild(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, childSpan) {
	tracer := t.tracer()
	if tracer == nil || !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, childSpan{}
	}
	ctx, span := tracer.Start(ctx, name, trace.WithAttributes(attributes...))
	return ctx, childSpan{span}
}

// end tells the result, one of a few words of ours; never an error's text,
// which may say more.
func (c childSpan) end(result string, failure bool) {
	if c.span == nil {
		return
	}
	c.span.SetAttributes(attribute.String("bogops.result", result))
	if failure {
		c.span.SetAttributes(semconv.ErrorTypeKey.String(result))
		c.span.SetStatus(codes.Error, result)
	}
	c.span.End()
}

// Processing counts the steps of a chain that runs now, and traces them until
// the returned function is called with whether all went well. The names come
// from the table of steps, never from a request.
func (t *Telemetry) Processing(ctx context.Context, steps []string) func(ok bool) {
	for _, name := range steps {
		t.steps.WithLabelValues(name).Inc()
	}
	_, span := t.startChild(ctx, "process", attribute.StringSlice("bogops.process.steps", steps))
	return func(ok bool) {
		if ok {
			span.end("ok", false)
		} else {
			span.end("cut", true)
		}
	}
}
