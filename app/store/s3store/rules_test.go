package s3store_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/s3store"
	"bogops/app/store/storetest"
	"bogops/infra/s3"
)

func TestMain(m *testing.M) { os.Exit(s3.Main(m)) }

func TestS3storeKeepsEveryRuleOnMoto(t *testing.T) {
	keepsEveryRule(t, s3.StartMoto(t))
}

func keepsEveryRule(t *testing.T, server s3.Server) {
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		opts := optionsFor(server)
		again := func(ctx context.Context) (store.Store, error) { return s3store.Open(ctx, opts) }
		s, err := again(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return storetest.Subject{Store: s, Again: again}
	})
}

// optionsFor names a bucket that nobody else has.
func optionsFor(server s3.Server) s3store.Options {
	return s3store.Options{
		Bucket: randomBucket(), Create: true, Endpoint: server.Endpoint, Region: "us-east-1", PathStyle: true,
		AccessKey: server.AccessKey, SecretKey: server.SecretKey,
	}
}

func randomBucket() string {
	var name [8]byte
	rand.Read(name[:])
	return "bogops-" + hex.EncodeToString(name[:])
}
