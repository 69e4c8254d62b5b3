package app

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"github.com/millpond/millpond/internal/rest"
)

// telemetry sends traces of the server's own requests, if the standard
// environment (OTEL_EXPORTER_OTLP_ENDPOINT and others) says where to.
type telemetry struct {
	provider    *sdk.TracerProvider
	propagators propagation.TextMapPropagator
}

// openTelemetry is nil where nobody asked for traces.
func openTelemetry(ctx context.Context, version string) (*telemetry, error) {
	if os.Getenv("OTEL_SDK_DISABLED") == "true" || os.Getenv("OTEL_TRACES_EXPORTER") == "none" ||
		os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" && os.Getenv("OTEL_TRACES_EXPORTER") == "" {
		return nil, nil
	}
	if name := os.Getenv("OTEL_TRACES_EXPORTER"); name != "" && name != "otlp" {
		return nil, fmt.Errorf("OTEL_TRACES_EXPORTER=%s is not supported: traces are sent by otlp, or none", name)
	}
	exporter, err := newExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("prepare to send traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "millpond"), attribute.String("service.version", version)),
		resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	// The sampler and the batches go by OTEL_TRACES_SAMPLER and OTEL_BSP_....
	return &telemetry{sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about)),
		propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})}, nil
}

func newExporter(ctx context.Context) (*otlptrace.Exporter, error) {
	protocol := os.Getenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
	if protocol == "" {
		protocol = os.Getenv("OTEL_EXPORTER_OTLP_PROTOCOL")
	}
	switch protocol {
	case "", "http/protobuf":
		return otlptracehttp.New(ctx)
	case "grpc":
		return otlptracegrpc.New(ctx)
	}
	return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL=%s is neither http/protobuf nor grpc", protocol)
}

// http traces requests, but for those that only ask whether the server lives,
// and streams that have no end.
func (t *telemetry) http(next http.Handler) http.Handler {
	return otelhttp.NewHandler(next, "HTTP", otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(t.propagators),
		otelhttp.WithFilter(func(r *http.Request) bool {
			return r.URL.Path != "/health" && r.URL.Path != "/metrics" && !strings.HasSuffix(r.URL.Path, "/changes")
		}))
}

// grpc traces Spark Connect's calls.
func (t *telemetry) grpc() grpc.ServerOption {
	return grpc.StatsHandler(otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(t.provider), otelgrpc.WithPropagators(t.propagators)))
}

// named calls a request's span by its route, which is known only afterwards.
func named(next rest.Observer) rest.Observer {
	return func(r *http.Request, route string, status int, took time.Duration) {
		if route != "" {
			span := trace.SpanFromContext(r.Context())
			span.SetName(r.Method + " " + route)
			span.SetAttributes(attribute.String("http.route", route))
		}
		next(r, route, status, took)
	}
}

// close sends what is left.
func (t *telemetry) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return t.provider.Shutdown(ctx)
}
