//go:build ceph

package radosstore

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/storetest"
	"bogops/app/store/versioned"
)

func TestAPoolKeepsEveryRuleOfStores(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		first := realHome(t, namespace(t)) // it cleans up when the others are closed
		open := func() store.Store { return versioned.Alone(beside(t, first), versioned.Options{}) }
		return storetest.Subject{
			Store: open(),
			Again: func(context.Context) (store.Store, error) { return open(), nil },
		}
	})
}

// beside is another instance over the same namespace. The test closes it.
func beside(t testing.TB, first *Home) *Home {
	t.Helper()
	h, err := Open(first.cfg)
	require.NoError(t, err)
	waitHealthy(t, h)
	return h
}
