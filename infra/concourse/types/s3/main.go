// S3 is the resource type s3: files in a bucket, told apart by a version in
// their names or by the bucket's own versions. Its interface is that part of
// https://github.com/concourse/s3-resource which pipelines here use, so that
// they run unchanged with the official type.
package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"bogops/infra/concourse/types/resource"
)

func main() { kind().Main() }

func kind() resource.Type[source, version, getParams, putParams] {
	return resource.Type[source, version, getParams, putParams]{Name: "s3", Check: check, In: in, Out: out}
}

// source: one of Regexp and VersionedFile. Regexp matches whole keys; its group
// "version", or its first one, is what they are ordered by.
type source struct {
	Bucket        string `json:"bucket"`
	Regexp        string `json:"regexp"`
	VersionedFile string `json:"versioned_file"`

	AccessKeyID     string `json:"access_key_id"`
	SecretAccessKey string `json:"secret_access_key"`
	SessionToken    string `json:"session_token"`
	RegionName      string `json:"region_name"` // us-east-1 where it is empty

	Endpoint            string `json:"endpoint"` // a URL, or host:port
	DisableSSL          bool   `json:"disable_ssl"`
	SkipSSLVerification bool   `json:"skip_ssl_verification"`
	UsePathStyle        bool   `json:"use_path_style"`
	Private             bool   `json:"private"` // put: url is for those who hold the keys
}

// version is a key, or a version of the one key.
type version struct {
	Path      string `json:"path,omitempty"`
	VersionID string `json:"version_id,omitempty"`
}

func (s source) Secrets() []string { return []string{s.SecretAccessKey, s.SessionToken} }

func (s source) Check() error {
	if s.Bucket == "" {
		return errors.New("source.bucket is missing, wanted the name of a bucket")
	}
	if (s.Regexp == "") == (s.VersionedFile == "") {
		return errors.New("source has none or both of regexp and versioned_file, wanted one of them")
	}
	if (s.AccessKeyID == "") != (s.SecretAccessKey == "") {
		return errors.New("source has one of access_key_id and secret_access_key, wanted both or none")
	}
	if s.Regexp == "" {
		return nil
	}
	compiled, err := regexp.Compile(s.Regexp)
	if err != nil {
		return fmt.Errorf("source.regexp is %q: %w", s.Regexp, err)
	}
	if compiled.NumSubexp() == 0 {
		return fmt.Errorf("source.regexp is %q, wanted a group around the version: kit-(.*).tar.gz", s.Regexp)
	}
	return nil
}

// client makes no request. Without keys requests are not signed, as those for a
// public bucket.
func (s source) client() *s3.Client {
	region := s.RegionName
	if region == "" {
		region = "us-east-1"
	}
	var who aws.CredentialsProvider = aws.AnonymousCredentials{}
	if s.AccessKeyID != "" {
		who = credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretAccessKey, s.SessionToken)
	}
	wires := http.DefaultTransport.(*http.Transport).Clone()
	if s.SkipSSLVerification {
		wires.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} // asked for by name
	}
	return s3.New(s3.Options{
		Region: region, Credentials: who, UsePathStyle: s.UsePathStyle,
		HTTPClient:   &http.Client{Transport: wires},
		BaseEndpoint: s.base(),
	})
}

// base is the endpoint as a URL; nil is that of AWS.
func (s source) base() *string {
	if s.Endpoint == "" {
		return nil
	}
	scheme, host, ok := strings.Cut(s.Endpoint, "://")
	if !ok {
		scheme, host = "https", s.Endpoint
	}
	if s.DisableSSL {
		scheme = "http"
	}
	return aws.String(scheme + "://" + host)
}
