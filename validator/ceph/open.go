package ceph

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"

	"bogops/validator/contest"
	"bogops/validator/evidence"
)

// identity is what the monitors want to see.
type identity struct {
	monitors  []string
	user, key string
}

// Options are what opening needs beside the contest file.
type Options struct {
	Roots   *x509.CertPool                       // of the gateway's and the metrics' certificates; nil: the system's
	Resolve func(hostAndPort string) (at string) // where an address is; nil: where it says
}

// Open returns the way into a team's Ceph that a checked contest file gives, and
// Nowhere for nil. It connects to nothing yet, so that a cluster that is down
// keeps no judge from starting. The caller closes it.
func Open(c *contest.Ceph, o Options) *Cluster {
	if c == nil {
		return Nowhere()
	}
	client := o.client()
	secrets := []string{string(c.Key), KeyOf(string(c.Key)), string(c.AccessKey), string(c.SecretKey)}
	hidden := &evidence.Redactor{}
	hidden.Add(secrets...)
	made := func(words []string) program { return program{words, hidden.String} }
	cluster := &Cluster{
		Mode: c.Mode, Pool: c.Pool, Namespace: c.Namespace, Sentinel: c.Sentinel.Key, Secrets: secrets,
		Access: accessOf(c, made(c.Command), made(c.Status)),
	}
	if c.Mode == "rgw" {
		cluster.Gateway = openGateway(c.Endpoint, c.Bucket, string(c.AccessKey), string(c.SecretKey), client)
	}
	if c.Metrics != "" {
		cluster.Metrics = metricsOf(c.Metrics, client)
	}
	if len(c.Sentinel.Command) > 0 {
		cluster.Remove = remover(made(c.Sentinel.Command))
	}
	if len(c.StopOSD) > 0 {
		cluster.OSD = func(ctx context.Context, do string) error {
			_, err := made(c.StopOSD).run(ctx, maxAnswer, do)
			return err
		}
	}
	return cluster
}

// accessOf prefers the monitors: what they say no command can invent.
func accessOf(c *contest.Ceph, read, status program) Access {
	if len(c.Monitors) > 0 {
		return openRADOS(identity{c.Monitors, c.User, KeyOf(string(c.Key))})
	}
	return commands{read, status}
}

// remover is the organiser's command that removes one object inside Ceph: it is
// called with POOL NAMESPACE NAME.
func remover(command program) func(context.Context, Object) error {
	return func(ctx context.Context, o Object) error {
		if _, err := command.run(ctx, maxAnswer, o.Pool, o.Namespace, o.Name); err != nil {
			// Not wrapped: it is the organiser's own hand, so no class of a team's.
			return fmt.Errorf("removing %s: %v", o, err)
		}
		return nil
	}
}

func (o Options) client() *http.Client {
	dialer := &net.Dialer{Timeout: patience / 2}
	return &http.Client{
		Timeout: 2 * patience,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if o.Resolve != nil {
					address = o.Resolve(address)
				}
				return dialer.DialContext(ctx, network, address)
			},
			TLSClientConfig:        &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
