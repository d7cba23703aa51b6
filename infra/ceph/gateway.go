package ceph

import (
	"context"
	"fmt"
	"strings"
)

// A Gateway is an S3 server that keeps its buckets in the cluster.
type Gateway struct {
	Endpoint             string // "http://127.0.0.1:7480"
	AccessKey, SecretKey string
}

// Gateway starts a radosgw and makes its user, or returns the one that is there.
// It stops with the cluster.
func (c *Cluster) Gateway(ctx context.Context) (Gateway, error) {
	out, err := c.run(ctx, "gateway")
	if err != nil {
		return Gateway{}, err
	}
	var g Gateway
	for _, line := range strings.Split(out, "\n") {
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		switch name {
		case "BOGOPS_RGW_ENDPOINT":
			g.Endpoint = value
		case "BOGOPS_RGW_ACCESS_KEY":
			g.AccessKey = value
		case "BOGOPS_RGW_SECRET_KEY":
			g.SecretKey = value
		}
	}
	if g.Endpoint == "" || g.AccessKey == "" || g.SecretKey == "" {
		return Gateway{}, fmt.Errorf("ceph: gateway in %s printed no address or no keys", c.dir)
	}
	return g, nil
}
