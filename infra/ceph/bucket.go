package ceph

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Bucket makes a bucket. One that is there already is left as it is.
func (g Gateway) Bucket(ctx context.Context, name string) error {
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &g.Endpoint, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(g.AccessKey, g.SecretKey, ""),
	})
	_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	var there *types.BucketAlreadyOwnedByYou
	if err != nil && !errors.As(err, &there) {
		return fmt.Errorf("ceph: make the bucket %q: %w", name, err)
	}
	return nil
}
