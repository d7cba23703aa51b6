package radosstore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// Each schedule here is run twice: as it is, and with one wrong thing done in
// the place of the right one, which must show. A schedule that cannot tell them
// apart proves nothing.

func write(ctx context.Context, h *Home, key string, body []byte, base versioned.Head) (versioned.Head, error) {
	draft, err := h.Stage(ctx, key, bytes.NewReader(body), store.PutOptions{Size: int64(len(body))})
	if err != nil {
		return versioned.Head{}, err
	}
	defer draft.Discard()
	return draft.Commit(ctx, base, following(h, base))
}

// following is a new write over base.
func following(h *Home, base versioned.Head) versioned.Head {
	next := versioned.Head{Version: versioned.Version{Epoch: 1, Generation: base.Version.Generation + 1}}
	nonce := draws.Add(1)
	for i := range 8 {
		next.Version.Nonce[i] = byte(nonce >> (8 * i))
	}
	next.Info.Modified = h.now()
	return next
}

func bury(ctx context.Context, h *Home, key string, base versioned.Head) (versioned.Head, error) {
	return h.Bury(ctx, key, base, following(h, base))
}

// draws are the nonces: no two writes have the same.
var draws atomic.Int64

func listedKeys(t testing.TB, h *Home) []string {
	t.Helper()
	page, err := h.List(t.Context(), store.ListOptions{})
	require.NoError(t, err)
	keys := []string{}
	for _, info := range page.Objects {
		keys = append(keys, info.Key)
	}
	return keys
}

func isHead(name string) bool { return strings.HasPrefix(name, headPrefix) }
func isIndex(name string) bool {
	return strings.HasPrefix(name, "i:") && name != layoutName
}

func TestAListerBesideAPutInFlightDoesNotHideItForGood(t *testing.T) {
	// The entry is there and the head is not when the lister comes.
	schedule := func(t *testing.T, list func(writer, lister *Home)) []string {
		p := newMemPool()
		writer, lister := memHome(t, p, nil), memHome(t, p, nil)
		arrived, goOn, indexed := make(chan bool), make(chan bool), make(chan bool, 8)
		p.hold = func(name string, _ change) error {
			if isHead(name) {
				arrived <- true
				<-goOn
			}
			return nil
		}
		p.answer = func(name string, _ change) error {
			if isIndex(name) {
				indexed <- true
			}
			return nil
		}
		acknowledged := make(chan error, 1)
		go func() {
			_, err := write(t.Context(), writer, "k", []byte("v"), versioned.Head{})
			acknowledged <- err
		}()
		<-arrived
		<-indexed
		list(writer, lister)
		close(goOn)
		require.NoError(t, <-acknowledged)
		writer.index.flights.Wait()
		return listedKeys(t, memHome(t, p, nil))
	}
	t.Run("a lister that looks", func(t *testing.T) {
		require.Equal(t, []string{"k"}, schedule(t, func(_, lister *Home) {
			require.Empty(t, listedKeys(t, lister), "no head, nothing to show")
			lister.index.flush()
			lister.index.flights.Wait()
		}))
	})
	t.Run("a lister that tidies up what has no head", func(t *testing.T) {
		require.Empty(t, schedule(t, func(_, lister *Home) {
			entries, err := lister.index.entriesOf(t.Context(), "k")
			require.NoError(t, err)
			lister.index.drop(entries[0])
			lister.index.flush()
			lister.index.flights.Wait()
		}))
	})
}

func TestAPutWhoseEntryIsNotThereIsNotAcknowledged(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	_, err := h.index.open(t.Context())
	require.NoError(t, err)
	p.hold = func(name string, _ change) error {
		if isIndex(name) {
			return store.ErrUnavailable
		}
		return nil
	}
	_, err = write(t.Context(), h, "k", []byte("v"), versioned.Head{})
	require.ErrorIs(t, err, store.ErrUnknown)
	head, err := h.Head(t.Context(), "k")
	require.NoError(t, err)
	require.True(t, head.Exists(), "the head was written")
	require.Empty(t, listedKeys(t, h))

	p.hold = nil
	h.index.flush()
	h.index.flights.Wait()
	require.Equal(t, []string{"k"}, listedKeys(t, h), "the entry was tried again")
}

func TestAnOverwriteInFlightIsListedAsWhatIsThere(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	old, err := write(t.Context(), h, "k", []byte("old"), versioned.Head{})
	require.NoError(t, err)
	// An entry above the head, as a writer leaves it that is slow or has died.
	next := following(h, old)
	pending, err := h.index.put(pendingEntry(next, "k", h.now()))
	require.NoError(t, err)
	require.NoError(t, pending.wait(t.Context()))
	page, err := h.List(t.Context(), store.ListOptions{})
	require.NoError(t, err)
	require.Len(t, page.Objects, 1)
	require.Equal(t, old.Info.ETag, page.Objects[0].ETag)
	require.Equal(t, int64(3), page.Objects[0].Size)
}

func TestASettlingThatComesLateBringsNoRemovedKeyBack(t *testing.T) {
	schedule := func(t *testing.T, late func(slow *Home)) []string {
		p := newMemPool()
		slow, other := memHome(t, p, nil), memHome(t, p, nil)
		head, err := write(t.Context(), slow, "k", []byte("v"), versioned.Head{})
		require.NoError(t, err) // its settling is queued, and stays so for now
		slow.index.flights.Wait()
		stone, err := bury(t.Context(), other, "k", head)
		require.NoError(t, err)
		other.index.flush()
		other.index.flights.Wait()
		require.NoError(t, other.Remove(t.Context(), "k", stone))
		other.index.flush()
		other.index.flights.Wait()
		late(slow)
		slow.index.flush()
		slow.index.flights.Wait()
		return listedKeys(t, other)
	}
	t.Run("under the fence it was known under", func(t *testing.T) {
		require.Empty(t, schedule(t, func(*Home) {}))
	})
	t.Run("under any fence", func(t *testing.T) {
		require.Equal(t, []string{"k"}, schedule(t, func(slow *Home) {
			s := slow.index.shardOf("k")
			for i := range s.queued {
				s.queued[i].fenced = false
			}
		}))
	})
}

func TestAKeyThatWasRemovedCanBeMadeAnew(t *testing.T) {
	p := newMemPool()
	h := memHome(t, p, nil)
	base := versioned.Head{}
	var err error
	for range 3 {
		base, err = write(t.Context(), h, "k", []byte("v"), base)
		require.NoError(t, err)
	}
	stone, err := bury(t.Context(), h, "k", base)
	require.NoError(t, err)
	h.index.flush()
	h.index.flights.Wait()
	require.NoError(t, h.Remove(t.Context(), "k", stone))
	// Its versions begin below those before.
	_, err = write(t.Context(), h, "k", []byte("new"), versioned.Head{})
	require.NoError(t, err)
	require.Equal(t, []string{"k"}, listedKeys(t, h))
	h.index.flush()
	h.index.flights.Wait()
	require.Equal(t, []string{"k"}, listedKeys(t, h))
	require.Equal(t, 1, p.entryCount())
}

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
