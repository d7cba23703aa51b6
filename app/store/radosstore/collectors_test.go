package radosstore

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// Two collectors take the same upload for dead at the same time, and its process
// wakes up between them. One has fenced the head and removes tails; to the other
// that fence looks as if the head had landed, or lost, a moment ago.
func TestTwoCollectorsDoNotLetAnUploadGoOnWhoseTailsTheyRemove(t *testing.T) {
	p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
	uploader, one, two := memHome(t, p, c), memHome(t, p, c), memHome(t, p, c)
	base, err := write(t.Context(), uploader, "k", []byte("before"), versioned.Head{})
	require.NoError(t, err)
	staged, err := uploader.Stage(t.Context(), "k", bytes.NewReader(big), store.PutOptions{Size: int64(len(big))})
	require.NoError(t, err)
	defer staged.Discard()
	// It is armed, and its process stands still before it sends the head.
	require.NoError(t, uploader.uploads.committing(t.Context(), staged.(*draft).upload, base, following(uploader, base)))
	for _, h := range []*Home{one, two} {
		_, err = h.Collect(t.Context())
		require.NoError(t, err)
	}
	c.pass(one.cfg.Grace + time.Second)

	p.hold = func(name string, ch change) error {
		if strings.HasPrefix(name, "u:") && len(ch.patch) > 0 {
			// The second has looked at the head and dooms the draft. Before it
			// goes on the first makes a whole pass, but for its last step.
			p.hold = func(name string, ch change) error {
				if strings.HasPrefix(name, "u:") && len(ch.drop) == 2 {
					return store.ErrUnavailable
				}
				return nil
			}
			_, err := one.Collect(t.Context())
			require.ErrorIs(t, err, store.ErrUnavailable)
			require.Empty(t, p.names(tailPrefix))
			p.hold = nil
		}
		return nil
	}
	_, err = two.Collect(t.Context())
	require.NoError(t, err)

	// The upload wakes up: its head comes too late, and it tries over what is there.
	now, err := uploader.Head(t.Context(), "k")
	require.NoError(t, err)
	_, committed := staged.Commit(t.Context(), now, following(uploader, now))
	require.ErrorIs(t, committed, errGivenUp)
	body, _, err := one.Open(t.Context(), "k", store.Whole)
	require.NoError(t, err)
	got, err := io.ReadAll(body)
	require.NoError(t, err)
	require.Equal(t, "before", string(got))
}
