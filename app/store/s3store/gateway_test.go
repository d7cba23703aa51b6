package s3store

import (
	"os"
	"testing"

	"bogops/infra/ceph/cephtest"
	infra "bogops/infra/s3"
)

// gateway is the S3 gateway of the cluster that the tests share, or one that
// the environment names.
func gateway(t testing.TB) infra.Server {
	if testing.Short() {
		t.Skip("a gateway takes a minute or two")
	}
	if endpoint := os.Getenv("BOGOPS_RGW_ENDPOINT"); endpoint != "" {
		return infra.Server{Name: "radosgw", Endpoint: endpoint,
			AccessKey: os.Getenv("BOGOPS_RGW_ACCESS_KEY"), SecretKey: os.Getenv("BOGOPS_RGW_SECRET_KEY")}
	}
	g := cephtest.Gateway(t)
	return infra.Server{Name: "radosgw", Endpoint: g.Endpoint, AccessKey: g.AccessKey, SecretKey: g.SecretKey}
}
