package s3store

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/storetest"
	infra "bogops/infra/s3"
)

func TestMain(m *testing.M) { os.Exit(infra.Main(m)) }

func TestS3storeKeepsEveryRuleOnMoto(t *testing.T) { keepsEveryRule(t, infra.StartMoto(t)) }

func TestS3storeKeepsEveryRuleOnRadosgw(t *testing.T) { keepsEveryRule(t, gateway(t)) }

// As on a server like AWS, which has all that moto has and radosgw has not.
func TestS3storeKeepsEveryRuleWithConditionalCompletions(t *testing.T) {
	keepsEveryRule(t, bent(t, infra.StartMoto(t), completing))
}

func keepsEveryRule(t *testing.T, server infra.Server) {
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		opts := at(server)
		again := func(ctx context.Context) (store.Store, error) { return Open(ctx, opts) }
		s, err := again(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return storetest.Subject{Store: s, Again: again}
	})
}
