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
		first := realHome(t, namespace(t))
		open := func() store.Store { return versioned.Alone(beside(t, first), versioned.Options{}) }
		return storetest.Subject{
			Store: open(),
			Again: func(context.Context) (store.Store, error) { return open(), nil },
		}
	})
}

// beside is another instance over the same namespace. A test may close it before
// its end does.
func beside(t testing.TB, first *Home) *Home {
	t.Helper()
	h, err := Open(first.cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	waitHealthy(t, h)
	return h
}
