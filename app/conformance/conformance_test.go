package conformance

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/thanos-io/objstore"
	"gocloud.dev/blob/driver"
	"gocloud.dev/blob/drivertest"

	"bogops/app/store/filestore"
	"bogops/app/store/memstore"
)

// platforms are those that every suite runs on, each empty; in a process that
// is to fail, the broken one alone.
func platforms(t *testing.T) map[string]func(t *testing.T) platform {
	if wrong := os.Getenv(brokenBy); wrong != "" {
		return map[string]func(*testing.T) platform{"broken": func(t *testing.T) platform {
			honest := direct{memstore.New()}
			b := breaks[wrong].of(honest)
			b.platform = honest
			return b
		}}
	}
	server := startServer(t)
	return map[string]func(t *testing.T) platform{
		"memstore": func(*testing.T) platform { return direct{memstore.New()} },
		"filestore": func(t *testing.T) platform {
			s, err := filestore.Open(t.TempDir())
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			return direct{s}
		},
		"server": func(t *testing.T) platform {
			require.NoError(t, empty(t.Context(), server), "emptying the server")
			return server
		},
	}
}

// excluded are the tests of gocloud.dev that ask for what the contract does
// not promise; docs/decisions.md says more.
var excluded = map[string]string{
	"/TestNonexistentBucket":        "a platform is one bucket, and there is no other that could be missing",
	"/TestSignedURL":                "the contract has no signed URLs",
	"server/TestListDelimiters/abc": "the contract's delimiter is one character",
}

type harness struct{ bucket }

func (h harness) MakeDriver(context.Context) (driver.Bucket, error) { return h.bucket, nil }
func (h harness) MakeDriverForNonexistentBucket(context.Context) (driver.Bucket, error) {
	return nil, nil // excluded
}
func (h harness) HTTPClient() *http.Client         { return nil } // for signed URLs only
func (h harness) SupportsCopy() bool               { return true }
func (h harness) SupportsNonSlashDelimiters() bool { return true }
func (h harness) Close()                           {}

func TestTheDriverTestsOfGoCloudPass(t *testing.T) {
	for name, open := range platforms(t) {
		t.Run(name, func(t *testing.T) {
			drivertest.RunConformanceTests(t, func(_ context.Context, t *testing.T) (drivertest.Harness, error) {
				for test, why := range excluded {
					if strings.HasSuffix(t.Name(), test) {
						t.Skip("excluded by docs/decisions.md: " + why)
					}
				}
				return harness{bucket{open(t), name == "server"}}, nil
			}, nil)
		})
	}
}

func TestTheAcceptanceTestOfThanosPasses(t *testing.T) {
	if testing.Short() {
		t.Skip("it stores an object of 200 MiB in each store")
	}
	for name, open := range platforms(t) {
		t.Run(name, func(t *testing.T) {
			objstore.AcceptanceTest(t, blocks{open(t)})
		})
	}
}
