package memstore_test

import (
	"context"
	"testing"

	"bogops/app/store"
	"bogops/app/store/memstore"
	"bogops/app/store/storetest"
)

func TestMemstoreKeepsEveryRule(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Subject {
		s := memstore.New()
		// It is shared within its process only: every view is the store.
		return storetest.Subject{Store: s, Again: func(context.Context) (store.Store, error) { return s, nil }}
	})
}
