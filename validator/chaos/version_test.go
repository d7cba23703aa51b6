package chaos

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/target"
)

func TestOnlyAWholeSelfDescriptionIsAVersion(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   string // empty: it does not serve
	}{
		{"it serves", 200, `{"version":"5ea0773+n","team":"loutres"}`, "5ea0773+n"},
		{"it is being replaced", 503, `{"version":"5ea0773+n"}`, ""},
		{"a balancer answers in its place", 200, "<html>soon back</html>", ""},
		{"it forgot its version", 200, `{"team":"loutres"}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			at, err := url.Parse(server.URL)
			require.NoError(t, err)
			got, err := VersionOf(target.Target{URL: at})(t.Context())
			require.Equal(t, c.want, got)
			require.Equal(t, c.want == "", err != nil)
		})
	}
}
