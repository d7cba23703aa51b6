package ceph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// gateway is a cluster's RGW, read with S3 keys.
type gateway struct {
	client *s3.Client
	bucket string
}

// openGateway wants checksums only where they are required: with the SDK's own
// choice RGW refuses requests over TLS.
func openGateway(endpoint, bucket, access, secret string, client *http.Client) Gateway {
	return gateway{bucket: bucket, client: s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), UsePathStyle: true, RetryMaxAttempts: 1, HTTPClient: client,
		Credentials:                credentials.NewStaticCredentialsProvider(access, secret, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})}
}

func (g gateway) Bucket() string { return g.bucket }

func (g gateway) Object(ctx context.Context, bucket, key string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	what := fmt.Sprintf("the gateway's %s/%s", bucket, key)
	answer, err := g.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, refusal(err))
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, ErrUnreachable)
	}
	return body, nil
}

// refusal names an error by the code that S3 gives it; the SDK's own text may
// quote requests, and with them keys.
func refusal(err error) error {
	var answered smithy.APIError
	if !errors.As(err, &answered) {
		return ErrUnreachable
	}
	switch code := answered.ErrorCode(); code {
	case "NoSuchKey", "NoSuchBucket", "NotFound":
		return ErrNotFound
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "Forbidden":
		return ErrDenied
	default:
		return fmt.Errorf("%w: %s", ErrFailed, code)
	}
}
