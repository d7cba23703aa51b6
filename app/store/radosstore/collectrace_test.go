package radosstore

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// big is a body with tails.
var big = bytes.Repeat([]byte("0123456789abcdef"), (inlineLimit+chunkSize)/16)

func TestACollectorLetsASlowUploadLive(t *testing.T) {
	p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
	uploader, other := memHome(t, p, c), memHome(t, p, c)
	draft, err := uploader.Stage(t.Context(), "k", bytes.NewReader(big), store.PutOptions{Size: int64(len(big))})
	require.NoError(t, err)
	defer draft.Discard()
	for range 10 { // for ten times the grace nothing comes of it
		did, err := other.Collect(t.Context())
		require.NoError(t, err)
		require.Zero(t, did.Gone)
		c.pass(other.cfg.Grace)
		require.NoError(t, uploader.uploads.beat(t.Context()))
	}
	_, err = draft.Commit(t.Context(), versioned.Head{}, following(uploader, versioned.Head{}))
	require.NoError(t, err)
	for range 2 {
		c.pass(2 * other.cfg.Grace)
		did, err := other.Collect(t.Context())
		require.NoError(t, err)
		require.Equal(t, 1, did.Kept)
	}
	require.Equal(t, big, readAll(t, other, "k"))
}

func TestAnUploadThatWasTakenForDeadIsNotCommitted(t *testing.T) {
	schedule := func(t *testing.T, wake func(uploader *Home, p *memPool, d draftID)) (*Home, error) {
		p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
		uploader, other := memHome(t, p, c), memHome(t, p, c)
		staged, err := uploader.Stage(t.Context(), "k", bytes.NewReader(big), store.PutOptions{Size: int64(len(big))})
		require.NoError(t, err)
		defer staged.Discard()
		collectFor(t, other, c, 2)
		require.Empty(t, p.names(tailPrefix), "its process stood still, and the tails went")
		wake(uploader, p, staged.(*draft).upload.draft)
		_, err = staged.Commit(t.Context(), versioned.Head{}, following(uploader, versioned.Head{}))
		return other, err
	}
	t.Run("it learns of it", func(t *testing.T) {
		other, err := schedule(t, func(*Home, *memPool, draftID) {})
		require.ErrorIs(t, err, errGivenUp)
		require.NotErrorIs(t, err, store.ErrUnknown)
		require.Empty(t, listedKeys(t, other))
	})
	t.Run("it learns of it, though another upload has learned of the fence", func(t *testing.T) {
		_, err := schedule(t, func(uploader *Home, _ *memPool, d draftID) {
			other := draftID{d[0], 1} // of the same shard
			require.NoError(t, uploader.uploads.begin(t.Context(), upload{key: "o", draft: other}))
		})
		require.ErrorIs(t, err, errGivenUp)
	})
	t.Run("it arms its record whatever has happened to it", func(t *testing.T) {
		other, err := schedule(t, func(uploader *Home, p *memPool, d draftID) {
			fence, err := readFence(t.Context(), uploader.pool, registerName(d))
			require.NoError(t, err)
			uploader.uploads.find(d).fence = fence
		})
		require.NoError(t, err)
		_, _, err = other.Open(t.Context(), "k", store.Whole)
		require.Error(t, err, "an acknowledged object without its bytes")
	})
}

// collectFor makes passes, each a grace and a bit after the one before.
func collectFor(t *testing.T, h *Home, c *clock, passes int) (all Collected) {
	t.Helper()
	for range passes {
		did, err := h.Collect(t.Context())
		require.NoError(t, err)
		all.Gone += did.Gone
		all.Fenced += did.Fenced
		all.Tails += did.Tails
		c.pass(h.cfg.Grace + time.Second)
	}
	return all
}

func readAll(t *testing.T, h *Home, key string) []byte {
	t.Helper()
	body, _, err := h.Open(t.Context(), key, store.Whole)
	require.NoError(t, err)
	defer body.Close()
	b, err := io.ReadAll(body)
	require.NoError(t, err)
	return b
}

func TestAGhostHeadDoesNotLandAfterItsTailsWereCollected(t *testing.T) {
	bases := map[string]func(t *testing.T, h *Home) versioned.Head{
		"nothing": func(*testing.T, *Home) versioned.Head { return versioned.Head{} },
		"an object": func(t *testing.T, h *Home) versioned.Head {
			head, err := write(t.Context(), h, "k", []byte("before"), versioned.Head{})
			require.NoError(t, err)
			return head
		},
		"a tombstone": func(t *testing.T, h *Home) versioned.Head {
			head, err := bury(t.Context(), h, "k", versioned.Head{})
			require.NoError(t, err)
			return head
		},
	}
	for name, before := range bases {
		// schedule holds the head of an upload back, lets collect do its work, and
		// returns what becomes of the head when it arrives.
		schedule := func(t *testing.T, collect func(h *Home, c *clock, d draftID)) (*Home, versioned.Head, error) {
			p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
			h := memHome(t, p, c)
			base := before(t, h)
			staged, err := h.Stage(t.Context(), "k", bytes.NewReader(big), store.PutOptions{Size: int64(len(big))})
			require.NoError(t, err)
			var ghost change
			p.hold = func(name string, ch change) error {
				if isHead(name) {
					ghost = ch
					return store.ErrUnknown
				}
				return nil
			}
			_, err = staged.Commit(t.Context(), base, following(h, base))
			require.ErrorIs(t, err, store.ErrUnknown)
			staged.Discard()
			p.hold = nil
			collect(h, c, staged.(*draft).upload.draft)
			require.Empty(t, p.names(tailPrefix))
			return h, base, p.apply(headName("k"), ghost)
		}
		t.Run("over "+name, func(t *testing.T) {
			h, base, landed := schedule(t, func(h *Home, c *clock, _ draftID) {
				did := collectFor(t, h, c, 2)
				require.Equal(t, Collected{Gone: 1, Fenced: 1, Tails: 2}, did)
			})
			require.ErrorIs(t, landed, errGuard)
			now, err := h.Head(t.Context(), "k")
			require.NoError(t, err)
			require.Equal(t, base.Exists(), now.Exists())
			require.Equal(t, base.Info.ETag, now.Info.ETag, "the fence is no new version")
			if base.Exists() {
				require.Equal(t, []byte("before"), readAll(t, h, "k"))
				_, err := write(t.Context(), h, "k", []byte("after"), now)
				require.NoError(t, err)
			}
		})
		t.Run("without a fence, over "+name, func(t *testing.T) {
			h, _, landed := schedule(t, func(h *Home, _ *clock, d draftID) {
				require.NoError(t, h.collector.remove(t.Context(), d, record{Key: "k"}, &Collected{}))
			})
			require.NoError(t, landed)
			_, _, err := h.Open(t.Context(), "k", store.Whole)
			require.Error(t, err, "an object without its bytes")
		})
	}
}

func TestAGhostThatLandsBeforeItsFenceKeepsItsTails(t *testing.T) {
	p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
	h := memHome(t, p, c)
	staged, err := h.Stage(t.Context(), "k", bytes.NewReader(big), store.PutOptions{Size: int64(len(big))})
	require.NoError(t, err)
	var ghost *change
	p.hold = func(name string, ch change) error {
		switch {
		case !isHead(name):
		case ghost == nil:
			ghost = &ch
			return store.ErrUnknown
		default: // the fence is on its way: the ghost is faster
			require.NoError(t, p.apply(name, *ghost))
		}
		return nil
	}
	_, err = staged.Commit(t.Context(), versioned.Head{}, following(h, versioned.Head{}))
	require.ErrorIs(t, err, store.ErrUnknown)
	staged.Discard()
	did := collectFor(t, h, c, 4)
	require.Zero(t, did.Gone)
	require.Equal(t, big, readAll(t, h, "k"))
	require.Equal(t, []string{"k"}, listedKeys(t, h))
}

func TestAReaderOfAReplacedObjectHasTheGraceToFinish(t *testing.T) {
	p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
	h := memHome(t, p, c)
	first, err := write(t.Context(), h, "k", big, versioned.Head{})
	require.NoError(t, err)
	collectFor(t, h, c, 3)
	body, _, err := h.Open(t.Context(), "k", store.Whole)
	require.NoError(t, err)
	_, err = write(t.Context(), h, "k", []byte("small"), first)
	require.NoError(t, err)
	did, err := h.Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, did.Waiting)
	c.pass(h.cfg.Grace - time.Second)
	did, err = h.Collect(t.Context())
	require.NoError(t, err)
	require.Zero(t, did.Gone)
	got, err := io.ReadAll(body)
	require.NoError(t, errors.Join(err, body.Close()))
	require.Equal(t, big, got)
	c.pass(2 * time.Second)
	did, err = h.Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, did.Gone)
	require.Empty(t, p.names(tailPrefix))
}

// A head that is on its way may land, be read and be replaced at any moment
// before it is fenced. From then on its readers have a grace of their own.
func TestAReaderOfALateHeadHasTheGraceToFinish(t *testing.T) {
	moments := map[string]func(t *testing.T, h *Home, p *memPool, c *clock, landAndGo func()){
		"long before the pass": func(t *testing.T, h *Home, _ *memPool, c *clock, landAndGo func()) {
			collectFor(t, h, c, 1)
			landAndGo()
			collectFor(t, h, c, 1)
		},
		"in the pass": func(t *testing.T, h *Home, p *memPool, c *clock, landAndGo func()) {
			collectFor(t, h, c, 1)
			p.hold = func(name string, ch change) error {
				if strings.HasPrefix(name, "u:") && len(ch.patch) > 0 { // the draft is doomed
					p.hold = nil
					landAndGo()
				}
				return nil
			}
			collectFor(t, h, c, 1)
		},
	}
	for name, collect := range moments {
		t.Run("replaced "+name, func(t *testing.T) {
			p, c := newMemPool(), &clock{now: time.Unix(1e9, 0)}
			h := memHome(t, p, c)
			staged, err := h.Stage(t.Context(), "k", bytes.NewReader(big), store.PutOptions{Size: int64(len(big))})
			require.NoError(t, err)
			var ghost change
			p.hold = func(name string, ch change) error {
				if isHead(name) {
					ghost = ch
					return store.ErrUnknown
				}
				return nil
			}
			_, err = staged.Commit(t.Context(), versioned.Head{}, following(h, versioned.Head{}))
			require.ErrorIs(t, err, store.ErrUnknown)
			staged.Discard()
			p.hold = nil
			var body io.ReadCloser
			collect(t, h, p, c, func() {
				require.NoError(t, p.apply(headName("k"), ghost))
				var now versioned.Head
				body, now, err = h.Open(t.Context(), "k", store.Whole)
				require.NoError(t, err)
				_, err = write(t.Context(), h, "k", []byte("small"), now)
				require.NoError(t, err)
			})
			require.NotEmpty(t, p.names(tailPrefix)) // a reader reads ahead, and may not miss them yet
			got, err := io.ReadAll(body)
			require.NoError(t, errors.Join(err, body.Close()))
			require.Equal(t, big, got)
			collectFor(t, h, c, 3)
			require.Empty(t, p.names(tailPrefix))
		})
	}
}
