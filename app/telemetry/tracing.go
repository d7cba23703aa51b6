package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// flushPatience is how long the end of the server waits for the collector to
// take the last spans.
const flushPatience = 2 * time.Second

// complainEvery is how often the log tells that the collector takes nothing.
const complainEvery = time.Minute

// tracer is nil where nothing is traced.
func (t *Telemetry) tracer() trace.Tracer {
	if held := t.tracing.Load(); held != nil {
		return *held
	}
	return nil
}

// Trace exports spans by OTLP over HTTP where the environment of OpenTelemetry
// names a collector, and does nothing where it names none. Instance and version
// describe this server in every span. Requests never wait for the collector:
// spans that it does not take are dropped. The returned function gives it what
// it still takes within 2 s, and ends the export.
//
// Trace sets the error handler of the OpenTelemetry library, a global there.
func (t *Telemetry) Trace(ctx context.Context, instance, version string, log *slog.Logger) (stop func(), err error) {
	wanted, err := collectorNamed(os.Getenv)
	if err != nil || !wanted {
		return func() {}, err
	}
	complaint := &complaint{log: log}
	otel.SetErrorHandler(complaint)
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	described, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName("bogops-app"), semconv.ServiceInstanceID(instance), semconv.ServiceVersion(version)),
		resource.WithFromEnv(), // has the last word
	)
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(described))
	tracer := provider.Tracer("bogops/app")
	t.tracing.Store(&tracer)
	log.Info("requests are traced")
	return func() {
		t.tracing.Store(nil)
		// Its own: the server ends because ctx has ended.
		bounded, cancel := context.WithTimeout(context.Background(), flushPatience)
		defer cancel()
		if provider.Shutdown(bounded) != nil {
			log.Warn("the last spans were not taken by the collector")
		}
	}, nil
}

// collectorNamed says whether the environment asks for an export, and refuses
// an endpoint that cannot be one. Its error does not quote the endpoint, which
// may hold a password.
func collectorNamed(getenv func(string) string) (bool, error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") || getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false, nil
	}
	named := false
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		value := getenv(name)
		if value == "" {
			continue
		}
		at, err := url.Parse(value)
		if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.User != nil {
			return false, fmt.Errorf("%s: no such endpoint; want http://HOST:PORT or https://HOST:PORT, without a user", name)
		}
		named = true
	}
	return named, nil
}

// complaint logs what the library cannot do, now and then: with a collector
// that is down it would otherwise be a line for every batch.
type complaint struct {
	log *slog.Logger

	mu    sync.Mutex
	last  time.Time
	since int
}

// Handle implements otel.ErrorHandler.
func (c *complaint) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since++
	if now := time.Now(); now.Sub(c.last) >= complainEvery {
		c.log.Warn("spans are not exported", "failures", c.since, "error", err.Error())
		c.last, c.since = now, 0
	}
}
