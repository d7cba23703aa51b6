package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/memstore"
)

func TestAServerOnFilesSaysSoAndShowsNothingMore(t *testing.T) {
	app, _ := startHere(t, "--store", "file:"+t.TempDir(), "--admin-listen", "127.0.0.1:0")
	_, body, err := call(http.DefaultClient, "PUT", app.url+"/v1/objects/k", strings.NewReader("hello"))
	require.NoError(t, err)
	var put struct{ ETag string }
	require.NoError(t, json.Unmarshal([]byte(body), &put))
	require.NotEmpty(t, put.ETag)
	status, body, err := call(http.DefaultClient, "GET", app.url+"/v1/evidence/k", nil)
	require.NoError(t, err)
	require.Equal(t, 200, status)
	require.JSONEq(t, fmt.Sprintf(`{"store":"filesystem","etag":%q,"size":5}`, put.ETag), body)
	status, _, err = call(http.DefaultClient, "GET", app.url+"/v1/evidence/none", nil)
	require.NoError(t, err)
	require.Equal(t, 404, status)
	_, metrics, err := call(http.DefaultClient, "GET", adminURL(t, app)+"/metrics", nil)
	require.NoError(t, err)
	require.Contains(t, metrics, `bogops_store_operation_duration_seconds_count{operation="locate",result="ok"} 1`)
	status, _, err = callAs(http.DefaultClient, reader, "GET", app.url+"/v1/evidence/k", nil)
	require.NoError(t, err)
	require.Equal(t, 403, status)
}

// mapped is a store that knows where its bytes lie.
type mapped struct{ *memstore.Store }

func (mapped) Locate(context.Context, string) (store.Location, error) {
	return store.Location{Kind: "ceph", FSID: "f"}, nil
}

func TestAStoreThatKnowsWhereItsBytesLieIsAskedItself(t *testing.T) {
	at, err := locator(mapped{memstore.New()}).Locate(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, store.Location{Kind: "ceph", FSID: "f"}, at)
}
