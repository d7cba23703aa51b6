package filestore

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/storetest"
)

func TestFilestoreKeepsEveryRule(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Subject { return subject(t, true) })
}

// As on a file system that takes no files without names.
func TestFilestoreKeepsEveryRuleWithNamedDrafts(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Subject { return subject(t, false) })
}

func subject(t testing.TB, nameless bool) storetest.Subject {
	dir := t.TempDir()
	again := func(context.Context) (store.Store, error) {
		s, err := Open(dir)
		if err == nil {
			s.nameless = s.nameless && nameless
		}
		return s, err
	}
	s, err := again(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return storetest.Subject{Store: s, Again: again}
}
