package telemetry

import (
	"context"
	"net/http"
)

type requestSpan struct{}

func (r *Request) startSpan(q *http.Request) *http.Request { return q }
func (r *Request) endSpan(Outcome)                         {}

type childSpan struct{}

func (t *Telemetry) startChild(ctx context.Context, _ string) (context.Context, childSpan) {
	return ctx, childSpan{}
}
func (childSpan) end(string, bool) {}
