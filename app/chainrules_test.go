//go:build ceph

package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/fallback"
	"bogops/app/store/radosstore"
	"bogops/app/store/s3store"
	"bogops/app/store/storetest"
	"bogops/infra/ceph/cephtest"
	"bogops/infra/s3"
)

// The whole chain as it is deployed: the fall-back over a real Ceph and an S3
// server. That Ceph goes away is for the proof.
func TestTheFallBackOverCephAndS3KeepsEveryRuleOfStores(t *testing.T) {
	if testing.Short() {
		t.Skip("every subject waits for leases")
	}
	server := s3.StartMoto(t)
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		place := cephtest.Shared(t)
		open := func(ctx context.Context) (store.Store, error) { return chain(t, ctx, place, server) }
		s, err := open(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return storetest.Subject{Store: s, Again: open}
	})
}

// chain is one instance, once it serves.
func chain(t testing.TB, ctx context.Context, place cephtest.Place, server s3.Server) (store.Store, error) {
	home, err := radosstore.Open(radosstore.Config{Conf: place.Conf, User: place.User, KeyFile: place.Keyring, Pool: place.Pool, Namespace: place.Namespace})
	require.NoError(t, err)
	away, err := s3store.NewAway(ctx, s3store.Options{
		Bucket: strings.ToLower(place.Namespace), Create: true, Endpoint: server.Endpoint, PathStyle: true,
		AccessKey: server.AccessKey, SecretKey: server.SecretKey,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, away.Close()) })
	s, err := fallback.Open(ctx, fallback.Config{Home: home, Away: away, Instance: "chain", Lease: 2 * time.Second})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.Health(ctx).State == store.Healthy }, 20*time.Second, 10*time.Millisecond)
	return s, nil
}
