package radosstore

import (
	"context"
	"testing"

	"bogops/app/store"
	"bogops/app/store/storetest"
	"bogops/app/store/versioned"
)

func TestAHomeInMemoryKeepsEveryRuleOfStores(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		p := newMemPool()
		open := func() store.Store { return versioned.Alone(memHome(t, p, nil), versioned.Options{}) }
		return storetest.Subject{
			Store: open(),
			Again: func(context.Context) (store.Store, error) { return open(), nil },
		}
	})
}
