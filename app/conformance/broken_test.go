package conformance

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
)

// brokenBy in the environment names what is wrong with the one platform that
// the suites then run on, in a process of their own: they fail the test that
// runs them, and here they have to.
const brokenBy = "BOGOPS_TEST_BROKEN_BY"

// broken is a platform with some of its calls replaced.
type broken struct {
	platform
	put  func(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error)
	get  func(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error)
	page func(ctx context.Context, prefix, delimiter, token string, limit int) (store.Page, string, error)
	del  func() error
}

func (b broken) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	if b.put == nil {
		return b.platform.Put(ctx, key, body, opts)
	}
	return b.put(ctx, key, body, opts)
}

func (b broken) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	if b.get == nil {
		return b.platform.Get(ctx, key, rng)
	}
	return b.get(ctx, key, rng)
}

func (b broken) Page(ctx context.Context, prefix, delimiter, token string, limit int) (store.Page, string, error) {
	if b.page == nil {
		return b.platform.Page(ctx, prefix, delimiter, token, limit)
	}
	return b.page(ctx, prefix, delimiter, token, limit)
}

func (b broken) Delete(ctx context.Context, key, ifMatch string) error {
	if b.del == nil {
		return b.platform.Delete(ctx, key, ifMatch)
	}
	return b.del()
}

// breaks are what a platform may get wrong, and where a suite must notice.
var breaks = map[string]struct {
	of            func(platform) broken
	suite, caught string
}{
	"creates over what is there": {func(p platform) broken {
		return broken{put: func(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
			opts.IfAbsent = false
			return p.Put(ctx, key, body, opts)
		}}
	}, gocloud, "broken/TestIfNotExist"},
	"loses metadata": {func(p platform) broken {
		return broken{put: func(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
			opts.Meta = nil
			return p.Put(ctx, key, body, opts)
		}}
	}, gocloud, "broken/TestMetadata/valid_metadata"},
	"keeps half a body": {func(p platform) broken {
		return broken{put: func(_ context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
			half, _ := io.ReadAll(body)
			return p.Put(context.Background(), key, bytes.NewReader(half), opts)
		}}
	}, gocloud, "broken/TestCanceledWrite"},
	"reads a byte too far": {func(p platform) broken {
		return broken{get: func(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
			if rng.Length > 0 {
				rng.Length++
			}
			return p.Get(ctx, key, rng)
		}}
	}, gocloud, "broken/TestRead/read_a_part_in_middle"},
	"deletes nothing": {func(platform) broken { return broken{del: func() error { return nil }} }, gocloud, "broken/TestDelete/Works"},
	"forgets one where pages meet": {func(p platform) broken {
		return broken{page: func(ctx context.Context, prefix, delimiter, token string, limit int) (store.Page, string, error) {
			page, next, err := p.Page(ctx, prefix, delimiter, token, limit)
			if token != "" && len(page.Objects) > 0 {
				page.Objects = page.Objects[1:]
			}
			return page, next, err
		}}
	}, thanos, "broken"},
}

const (
	gocloud = "TestTheDriverTestsOfGoCloudPass"
	thanos  = "TestTheAcceptanceTestOfThanosPasses"
)

func TestTheSuitesFailAPlatformThatIsWrongInOneThing(t *testing.T) {
	if os.Getenv(brokenBy) != "" {
		return
	}
	for wrong, b := range breaks {
		t.Run(wrong, func(t *testing.T) {
			suite := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run", "^"+b.suite+"$")
			suite.Env = append(os.Environ(), brokenBy+"="+wrong)
			said, err := suite.CombinedOutput()
			require.Error(t, err, "the suite passes")
			require.Contains(t, string(said), "--- FAIL: "+b.suite+"/"+b.caught)
			require.NotContains(t, string(said), "panic:")
		})
	}
}
