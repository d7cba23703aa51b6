package main

import (
	"context"
	"crypto/x509"
	"os"

	"bogops/app/store/s3store"
)

// openS3 opens a bucket of the platform's own.
func openS3(ctx context.Context, cfg Config, u storeURL) (opened, error) {
	opts, err := s3Options(cfg, u.name)
	if err != nil {
		return opened{}, err
	}
	bucket, err := s3store.Open(ctx, opts)
	return opened{store: bucket}, err
}

func s3Options(cfg Config, bucket string) (s3store.Options, error) {
	opts := s3store.Options{
		Bucket: bucket, Endpoint: cfg.S3.Endpoint, Region: cfg.S3.Region, PathStyle: cfg.S3.PathStyle,
		Create: cfg.S3.Create, Memory: storeBytes(cfg),
	}
	if cfg.S3.Roots == "" {
		return opts, nil
	}
	pem, err := os.ReadFile(cfg.S3.Roots)
	if err != nil {
		return opts, usagef("--s3-roots: %w; want a file with certificates (PEM)", err)
	}
	opts.Roots = x509.NewCertPool()
	if !opts.Roots.AppendCertsFromPEM(pem) {
		return opts, usagef("--s3-roots: %s holds no certificate; want a file with certificates (PEM)", cfg.S3.Roots)
	}
	return opts, nil
}
