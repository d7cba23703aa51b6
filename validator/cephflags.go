package main

import (
	"errors"
	"fmt"

	"bogops/validator/ceph"
	"bogops/validator/contest"
	"bogops/validator/target"
)

// cephFlags is the `ceph` section of a contest file, for one probe: what each
// key means stands there. A program is given as words, separated by commas.
type cephFlags struct {
	Monitors  []string `placeholder:"ADDRESS" sep:";" help:"Addresses of the monitors, separated by semicolons; needs a judge built with the tag ceph."`
	User      string   `default:"judge" help:"Name of the read-only user."`
	Key       string   `help:"Its key or keyring: env:NAME or file:PATH."`
	Pool      string   `help:"Pool of the objects; left out: the one that the evidence names."`
	Namespace string   `help:"Namespace in the pool."`
	Endpoint  string   `placeholder:"URL" help:"The S3 gateway of the cluster."`
	Bucket    string   `help:"Its bucket."`
	AccessKey string   `help:"Its access key: env:NAME or file:PATH."`
	SecretKey string   `help:"Its secret key, likewise."`
	Command   []string `placeholder:"WORD" help:"Program that is called with POOL NAMESPACE NAME OFFSET LENGTH and prints those bytes."`
	Status    []string `placeholder:"WORD" help:"Program that is called with the words of a ceph command, in place of monitors."`
	Metrics   string   `placeholder:"URL" help:"The manager's metrics."`
	Sentinel  []string `placeholder:"WORD" help:"Program that is called with POOL NAMESPACE NAME and removes that object inside Ceph."`
}

func (f cephFlags) given() bool {
	return len(f.Monitors)+len(f.Command)+len(f.Status) > 0 || f.Endpoint != "" || f.Metrics != ""
}

// open returns the way that the flags give, and one into nowhere without them.
func (f cephFlags) open(env *environment, t target.Target) (*ceph.Cluster, error) {
	if !f.given() {
		if f.Key+f.Pool+f.Namespace+f.Bucket+f.AccessKey+f.SecretKey != "" || len(f.Sentinel) > 0 {
			return nil, errors.New("a flag of Ceph stands without a way into it: want --ceph-monitors, --ceph-command, --ceph-status, --ceph-endpoint or --ceph-metrics")
		}
		return ceph.Nowhere(), nil
	}
	if len(f.Monitors) > 0 && f.Key == "" {
		return nil, errors.New("--ceph-monitors stands without --ceph-key: monitors answer nobody else")
	}
	if len(f.Monitors) > 0 && len(f.Status) > 0 {
		return nil, errors.New("--ceph-status stands beside --ceph-monitors: want one of the two ways to ask them")
	}
	if len(f.Monitors) > 0 && len(f.Command) > 0 {
		return nil, errors.New("--ceph-command stands beside --ceph-monitors: want one of the two ways to read")
	}
	if f.Endpoint != "" && (f.Bucket == "" || f.AccessKey == "" || f.SecretKey == "") {
		return nil, errors.New("--ceph-endpoint wants --ceph-bucket, --ceph-access-key and --ceph-secret-key beside it")
	}
	section := &contest.Ceph{
		Mode: f.mode(), Monitors: f.Monitors, User: f.User, Pool: f.Pool, Namespace: f.Namespace,
		Endpoint: f.Endpoint, Bucket: f.Bucket, Command: f.Command, Status: f.Status, Metrics: f.Metrics,
		Sentinel: contest.Sentinel{Command: f.Sentinel},
	}
	for _, secret := range []struct {
		flag, value string
		into        *contest.Secret
	}{
		{"--ceph-key", f.Key, &section.Key}, {"--ceph-access-key", f.AccessKey, &section.AccessKey}, {"--ceph-secret-key", f.SecretKey, &section.SecretKey},
	} {
		found, err := resolved(env, secret.flag, secret.value)
		if err != nil {
			return nil, err
		}
		if found != "" && found == secret.value {
			return nil, fmt.Errorf("%s: want env:NAME or file:PATH: secrets do not stand on a command line", secret.flag)
		}
		*secret.into = contest.Secret(found)
	}
	return ceph.Open(section, ceph.Options{Roots: t.Roots, Resolve: t.Address}), nil
}

func (f cephFlags) mode() string {
	switch {
	case f.Endpoint != "":
		return "rgw"
	case len(f.Monitors) > 0:
		return "rados"
	}
	return "exec"
}
