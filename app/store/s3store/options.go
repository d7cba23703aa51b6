package s3store

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"golang.org/x/sync/semaphore"
)

// Options say which bucket, and how it is reached.
type Options struct {
	Bucket    string
	Create    bool           // make the bucket where there is none
	Endpoint  string         // URL of the server; empty: that of AWS in Region
	Region    string         // empty: what the SDK finds, or else us-east-1
	PathStyle bool           // the bucket in the path, not in the host's name
	AccessKey string         // with SecretKey; both empty: what the SDK finds
	SecretKey string         //
	Roots     *x509.CertPool // whom to trust; nil: whom the system trusts

	Timeout time.Duration // of one request, its body not counted; 0: 5 s
	Watch   time.Duration // between two looks at the server's health; 0: 2 s
	Memory  int64         // bytes of bodies held at once; 0: 96 MiB, less than 9 MiB: 9 MiB
	Spool   string        // directory for big bodies on their way; empty: the system's
}

const (
	mib            = 1 << 20
	partSize       = 8 * mib // of a multipart upload, and the most of a body held in memory
	defaultMemory  = 96 * mib
	defaultTimeout = 5 * time.Second
	defaultWatch   = 2 * time.Second
)

// bucket is a bucket, and what it takes to talk to it.
type bucket struct {
	name    string
	api     *s3.Client
	again   aws.Retryer // for what may be sent twice
	wires   *http.Transport
	timeout time.Duration
	memory  *semaphore.Weighted // bytes of bodies
	spool   string

	// bare: If-Match takes tags without their quotes only. Ceph pacific
	// compares the header of a PUT with the tag letter by letter.
	bare atomic.Bool
}

func newBucket(ctx context.Context, opts Options) (*bucket, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	load := []func(*config.LoadOptions) error{config.WithDefaultRegion("us-east-1")}
	if opts.Region != "" {
		load = append(load, config.WithRegion(opts.Region))
	}
	if opts.AccessKey != "" {
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(opts.AccessKey, opts.SecretKey, "")))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("the SDK's configuration: %w", err)
	}
	wires := transport(cfg, opts)
	api := s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.HTTPClient = &http.Client{Transport: wires, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // it would be a second request
		}}
		if opts.Endpoint != "" {
			o.BaseEndpoint = &opts.Endpoint
		}
		o.UsePathStyle = opts.PathStyle
		// One call is one request: a second one, sent by the SDK, would be
		// refused by what the first one did, and the outcome be misread.
		o.Retryer = aws.NopRetryer{}
		// Other servers than AWS refuse the checksums that the SDK adds to
		// uploads over TLS (Ceph pacific does).
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		o.Logger = logging.Nop{} // its lines hold URLs, and with them keys
	})
	return &bucket{
		name: opts.Bucket, api: api, wires: wires,
		again: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = 3, 500*time.Millisecond
		}),
		timeout: orElse(opts.Timeout, defaultTimeout),
		memory:  semaphore.NewWeighted(max(orElse(opts.Memory, defaultMemory), partSize+mib)),
		spool:   opts.Spool,
	}, nil
}

// transport is that of the SDK, with the certificates that AWS_CA_BUNDLE names
// where opts name none.
func transport(cfg aws.Config, opts Options) *http.Transport {
	client, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		client = awshttp.NewBuildableClient()
	}
	wires := client.GetTransport() // a copy
	wires.DialContext = (&net.Dialer{Timeout: orElse(opts.Timeout, defaultTimeout)}).DialContext
	wires.ForceAttemptHTTP2 = false
	wires.MaxIdleConnsPerHost, wires.IdleConnTimeout = 64, 30*time.Second
	wires.DisableCompression = true // bytes and their ranges as they are stored
	if opts.Roots != nil {
		wires.TLSClientConfig.RootCAs = opts.Roots
	}
	return wires
}

func (opts Options) check() error {
	if opts.Bucket == "" {
		return errors.New("the bucket's name is empty; want the name of a bucket")
	}
	if (opts.AccessKey == "") != (opts.SecretKey == "") {
		return errors.New("one of access key and secret key is given; want both, or neither and what the SDK finds")
	}
	if opts.Endpoint != "" {
		u, err := url.Parse(opts.Endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return errors.New("the endpoint is no URL of a server; want http://host:port or https://host")
		}
	}
	if opts.Spool != "" {
		if info, err := os.Stat(opts.Spool); err != nil || !info.IsDir() {
			return fmt.Errorf("the spool %q is no directory; want one that can be written to", opts.Spool)
		}
	}
	return nil
}

// retried makes the SDK repeat a request that does no harm twice.
func (b *bucket) retried(o *s3.Options) { o.Retryer = b.again }

// create makes the bucket where there is none.
func (b *bucket) create(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	if _, err := b.api.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.name}); err == nil {
		return nil
	}
	_, err := b.api.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &b.name})
	if code := codeOf(err); code == "BucketAlreadyOwnedByYou" || code == "BucketAlreadyExists" {
		return nil
	}
	return explain(err)
}

func (b *bucket) close() { b.wires.CloseIdleConnections() }

func orElse[T comparable](given, otherwise T) T {
	var zero T
	if given == zero {
		return otherwise
	}
	return given
}
