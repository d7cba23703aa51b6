package main

import (
	"net/url"
	"strings"
	"time"
)

// CephConfig says how to reach a Ceph cluster. The key is in a file or in
// BOGOPS_CEPH_KEY, never on the command line.
type CephConfig struct {
	Conf     string        `help:"With --store ceph: the cluster's ceph.conf."`
	Monitors string        `help:"With --store ceph: the monitors, as mon_host takes them, in place of a ceph.conf or before it."`
	User     string        `default:"objects" help:"With --store ceph: the user, without the leading client."`
	KeyFile  string        `help:"With --store ceph: keyring, or file with the bare key. Empty: BOGOPS_CEPH_KEY, or else what ceph.conf says."`
	InFlight int           `default:"128" help:"With --store ceph: operations at once; what is more waits for its turn."`
	Timeout  time.Duration `default:"3s" help:"With --store ceph: how long an operation may take. What a write that takes longer has done is unknown."`
}

// S3Config says how to reach an S3 server, for --store s3 and --fallback s3.
// The credentials are what the AWS SDK finds: AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY, a shared file, or the machine's role.
type S3Config struct {
	Endpoint  string `help:"URL of the S3 server. Empty: that of AWS in the region."`
	Region    string `help:"Region of the bucket. Empty: what the AWS SDK finds, or else us-east-1."`
	PathStyle bool   `help:"Put the bucket into the path and not into the host's name: most servers other than AWS want that."`
	Create    bool   `help:"Make the bucket where there is none."`
	Roots     string `help:"File with the roots (PEM) that the S3 server's certificate ends in. Empty: the system's."`
}

// storeURL is what a store's URL names: where a file store, a bucket or a pool
// lies.
type storeURL struct{ scheme, name, namespace string }

// splitStore reads --store.
func splitStore(text string) (storeURL, error) {
	scheme, rest, _ := strings.Cut(text, ":")
	u := storeURL{scheme: scheme, name: rest}
	switch {
	case scheme == "file" && rest != "", scheme == "mem" && rest == "", scheme == "s3" && isBucket(rest):
		return u, nil
	case scheme == "ceph":
		named := false
		u.name, u.namespace, named = strings.Cut(rest, "/")
		if u.name == "" || named && u.namespace == "" || strings.Contains(u.namespace, "/") {
			break
		}
		if !withCeph {
			return storeURL{}, usagef("--store: %q given, and this binary was built without Ceph; want one that was built with -tags ceph, which make build sets where librados-dev is installed", text)
		}
		return u, nil
	}
	return storeURL{}, usagef("--store: %q given; want ceph:POOL or ceph:POOL/NAMESPACE, s3:BUCKET, file:DIR or mem:", text)
}

func isBucket(name string) bool { return name != "" && !strings.ContainsAny(name, "/:") }

// checkStore refuses settings of stores that cannot work.
func (c *Config) checkStore() error {
	u, err := splitStore(c.Store)
	if err != nil {
		return err
	}
	if u.scheme == "ceph" && c.Ceph.Conf == "" && c.Ceph.Monitors == "" {
		return usagef("--store ceph wants --ceph-conf or --ceph-monitors")
	}
	if c.Ceph.InFlight < 4 || c.Ceph.InFlight > 1000 {
		return usagef("--ceph-in-flight: %d given; want 4 to 1000", c.Ceph.InFlight)
	}
	if c.Ceph.Timeout < time.Second || c.Ceph.Timeout%time.Second != 0 {
		return usagef("--ceph-timeout: %s given; want whole seconds, as Ceph takes it, and at least 1s", c.Ceph.Timeout)
	}
	if e, err := url.Parse(c.S3.Endpoint); c.S3.Endpoint != "" && (err != nil || e.Host == "" || e.User != nil || e.Scheme != "http" && e.Scheme != "https") {
		// Not quoted: it may hold a password.
		return usagef("--s3-endpoint: no such endpoint; want http://HOST:PORT or https://HOST:PORT, without a user")
	}
	if scheme, bucket, _ := strings.Cut(c.Fallback, ":"); c.Fallback != "" && (scheme != "s3" || !isBucket(bucket)) {
		return usagef("--fallback: %q given; want s3:BUCKET", c.Fallback)
	}
	if c.Fallback != "" && u.scheme != "ceph" {
		return usagef("--fallback: given with --store %s; want it with --store ceph: only from Ceph there is a way to fall back", u.scheme)
	}
	// In this order, so that the same mistakes are always told alike.
	for _, least := range []struct {
		flag         string
		given, least time.Duration
	}{
		{"lease", c.Lease, 500 * time.Millisecond}, {"trip-after", c.TripAfter, 500 * time.Millisecond},
		{"back-after", c.BackAfter, 500 * time.Millisecond},
	} {
		if least.given < least.least {
			return usagef("--%s: %s given; want at least %s", least.flag, least.given, least.least)
		}
	}
	return nil
}
