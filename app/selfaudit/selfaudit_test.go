package selfaudit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/selfaudit"
	"bogops/app/store"
	"bogops/app/store/memstore"
	"bogops/app/store/storetest"
)

// wrong is a store that reads wrongly in the one way that get says.
type wrong struct {
	store.Store
	get func(key string) (io.ReadCloser, store.Info, error)
}

func (w *wrong) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	if w.get == nil {
		return w.Store.Get(ctx, key, rng)
	}
	return w.get(key)
}

// bench is an audit of a store that can be made wrong.
type bench struct {
	t       *testing.T
	store   *wrong
	auditor *selfaudit.Auditor
	watched store.Store
	log     strings.Builder
}

func newBench(t *testing.T, alone bool, change ...func(*selfaudit.Config)) *bench {
	b := &bench{t: t, store: &wrong{Store: memstore.New()}}
	cfg := selfaudit.Config{Store: b.store, Alone: alone, Logger: slog.New(slog.NewTextHandler(&b.log, nil))}
	for _, c := range change {
		c(&cfg)
	}
	b.auditor = selfaudit.New(cfg)
	b.watched = b.auditor.Watch(b.store)
	return b
}

func (b *bench) put(key, body string) store.Info { return put(b.t, b.watched, key, body) }

func put(t *testing.T, s store.Store, key, body string) store.Info {
	t.Helper()
	info, err := s.Put(t.Context(), key, strings.NewReader(body), store.PutOptions{Size: int64(len(body))})
	require.NoError(t, err)
	return info
}

func (b *bench) read(key string) (string, store.Info) {
	body, info, err := b.store.Store.Get(b.t.Context(), key, store.Whole)
	require.NoError(b.t, err)
	text, err := io.ReadAll(body)
	require.NoError(b.t, err)
	return string(text), info
}

func (b *bench) step() selfaudit.Result { return b.auditor.Step(b.t.Context(), nil) }

func answer(text string, info store.Info) (io.ReadCloser, store.Info, error) {
	return io.NopCloser(strings.NewReader(text)), info, nil
}

func TestAStoreThatIsWrongInOneWayIsFoundOut(t *testing.T) {
	for name, c := range map[string]struct {
		wrong         func(b *bench, first, last store.Info) func(string) (io.ReadCloser, store.Info, error)
		alone, shared selfaudit.Result
	}{
		"honest": {
			func(*bench, store.Info, store.Info) func(string) (io.ReadCloser, store.Info, error) { return nil },
			selfaudit.Verified, selfaudit.Verified,
		},
		"loses": {
			func(*bench, store.Info, store.Info) func(string) (io.ReadCloser, store.Info, error) {
				return func(string) (io.ReadCloser, store.Info, error) { return nil, store.Info{}, store.ErrNotFound }
			},
			selfaudit.Lost, selfaudit.Absent,
		},
		"truncates": {
			func(_ *bench, _, last store.Info) func(string) (io.ReadCloser, store.Info, error) {
				return func(string) (io.ReadCloser, store.Info, error) { return answer("second versio", last) }
			},
			selfaudit.Lost, selfaudit.Lost,
		},
		"lengthens": {
			func(_ *bench, _, last store.Info) func(string) (io.ReadCloser, store.Info, error) {
				return func(string) (io.ReadCloser, store.Info, error) { return answer("second version\x00", last) }
			},
			selfaudit.Lost, selfaudit.Lost,
		},
		"corrupts": {
			func(_ *bench, _, last store.Info) func(string) (io.ReadCloser, store.Info, error) {
				return func(string) (io.ReadCloser, store.Info, error) { return answer("second versiom", last) }
			},
			selfaudit.Lost, selfaudit.Lost,
		},
		"rolls back": {
			func(_ *bench, first, _ store.Info) func(string) (io.ReadCloser, store.Info, error) {
				return func(string) (io.ReadCloser, store.Info, error) { return answer("first version", first) }
			},
			selfaudit.Lost, selfaudit.Lost,
		},
		"rolls back to what nobody here wrote": {
			func(_ *bench, first, _ store.Info) func(string) (io.ReadCloser, store.Info, error) {
				first.ETag = `"unknown"`
				return func(string) (io.ReadCloser, store.Info, error) { return answer("zeroth version", first) }
			},
			selfaudit.Lost, selfaudit.Older,
		},
		"is written elsewhere": {
			func(b *bench, _, last store.Info) func(string) (io.ReadCloser, store.Info, error) {
				last.ETag = `"elsewhere"`
				return func(string) (io.ReadCloser, store.Info, error) { return answer("third version", last) }
			},
			selfaudit.Lost, selfaudit.Superseded,
		},
		"knows its damage": {
			func(*bench, store.Info, store.Info) func(string) (io.ReadCloser, store.Info, error) {
				return func(string) (io.ReadCloser, store.Info, error) {
					return nil, store.Info{}, fmt.Errorf("block 7: %w", store.ErrDamaged)
				}
			},
			selfaudit.Lost, selfaudit.Lost,
		},
		"is out of reach": {
			func(*bench, store.Info, store.Info) func(string) (io.ReadCloser, store.Info, error) {
				return func(string) (io.ReadCloser, store.Info, error) { return nil, store.Info{}, store.ErrUnavailable }
			},
			selfaudit.Unreadable, selfaudit.Unreadable,
		},
		"breaks off": {
			func(_ *bench, _, last store.Info) func(string) (io.ReadCloser, store.Info, error) {
				return func(string) (io.ReadCloser, store.Info, error) {
					return io.NopCloser(io.MultiReader(strings.NewReader("second"), broken{})), last, nil
				}
			},
			selfaudit.Unreadable, selfaudit.Unreadable,
		},
		"is wrong once": {
			func(b *bench, _, last store.Info) func(string) (io.ReadCloser, store.Info, error) {
				return func(string) (io.ReadCloser, store.Info, error) {
					b.store.get = nil
					return answer("second versiom", last)
				}
			},
			selfaudit.Unconfirmed, selfaudit.Unconfirmed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for alone, want := range map[bool]selfaudit.Result{true: c.alone, false: c.shared} {
				b := newBench(t, alone)
				b.put("a-5ecret-key", "first version")
				_, first := b.read("a-5ecret-key")
				b.put("a-5ecret-key", "second version")
				_, last := b.read("a-5ecret-key")
				b.store.get = c.wrong(b, first, last)
				require.Equal(t, want, b.step(), "alone: %t", alone)
				n := b.auditor.Numbers()
				require.EqualValues(t, 1, n.Found[want])
				lost := int64(0)
				if want == selfaudit.Lost {
					lost = 1
					require.Contains(t, b.log.String(), "level=ERROR")
					require.Contains(t, b.log.String(), store.Fingerprint("a-5ecret-key"))
					require.Contains(t, b.log.String(), strings.Trim(last.ETag, `"`))
				}
				require.Equal(t, lost, n.Found[selfaudit.Lost])
				require.NotContains(t, b.log.String(), "5ecret")
				require.NotContains(t, b.log.String(), "second version")

				// A loss is told once; what may pass is asked again.
				again := b.step()
				switch want {
				case selfaudit.Verified, selfaudit.Unconfirmed:
					require.Equal(t, selfaudit.Verified, again)
				case selfaudit.Unreadable:
					b.store.get = nil
					require.Equal(t, selfaudit.Verified, b.step())
				default:
					require.Empty(t, again)
				}
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

func TestWhatThisInstanceDeletedIsForgotten(t *testing.T) {
	b := newBench(t, true)
	b.put("k", "x")
	require.ErrorIs(t, b.watched.Delete(t.Context(), "k", `"other"`), store.ErrCondition)
	require.Equal(t, selfaudit.Verified, b.step(), "a delete that did not happen")
	require.NoError(t, b.watched.Delete(t.Context(), "k", ""))
	require.Empty(t, b.step())
	require.Zero(t, b.auditor.Numbers().Sample)
}

// ending answers every Put with err, after it may have been done.
type ending struct {
	store.Store
	done bool
	err  error
}

func (e *ending) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	if e.done {
		_, _ = e.Store.Put(ctx, key, body, opts)
	}
	return store.Info{}, e.err
}

func TestAWriteOfUnknownOutcomeIsNoLoss(t *testing.T) {
	for _, done := range []bool{true, false} {
		b := newBench(t, true)
		b.put("k", "acknowledged")
		s := b.auditor.Watch(&ending{b.store, done, store.ErrUnknown})
		_, err := s.Put(t.Context(), "k", strings.NewReader("perhaps"), store.PutOptions{Size: 7})
		require.ErrorIs(t, err, store.ErrUnknown)
		require.Empty(t, b.step(), "neither version is promised")
	}
	b := newBench(t, true)
	b.put("k", "acknowledged")
	s := b.auditor.Watch(&ending{b.store, false, store.ErrCondition})
	_, err := s.Put(t.Context(), "k", strings.NewReader("refused"), store.PutOptions{Size: 7})
	require.ErrorIs(t, err, store.ErrCondition)
	require.Equal(t, selfaudit.Verified, b.step(), "the old version is still promised")
}

func TestWhatIsWrittenWhileItIsReadProvesNothing(t *testing.T) {
	b := newBench(t, true)
	b.put("k", "first")
	_, first := b.read("k")
	b.store.get = func(string) (io.ReadCloser, store.Info, error) {
		b.store.get = nil
		b.put("k", "second")
		return answer("firsT", first) // even so
	}
	require.Empty(t, b.step())
	require.Zero(t, b.auditor.Numbers().Found[selfaudit.Lost])
	require.Equal(t, selfaudit.Verified, b.step())
}

func TestTheSampleIsBoundedAndEveryWriteHasTheSameChance(t *testing.T) {
	draws := rand.New(rand.NewPCG(1, 2))
	early := 0
	for range 40 {
		b := newBench(t, true, func(c *selfaudit.Config) { c.Sample = 50; c.Draw = draws.IntN })
		for i := range 500 {
			b.put(fmt.Sprint(i), "x")
		}
		require.Equal(t, 50, b.auditor.Numbers().Sample)
		// What is gone of the first half shows how much of it was sampled.
		for i := range 250 {
			require.NoError(t, b.watched.Delete(t.Context(), fmt.Sprint(i), ""))
		}
		early += 50 - b.auditor.Numbers().Sample
	}
	// 2,000 drawn, half of them early: 1,000 with a standard deviation of 21.
	require.InDelta(t, 1000, early, 150)
}

// TestNoLossIsSeenWhereNoneIs has two instances over one honest store, written
// and audited at once from all sides.
func TestNoLossIsSeenWhereNoneIs(t *testing.T) {
	shared := memstore.New()
	var auditors []*selfaudit.Auditor
	var views []store.Store
	for range 2 {
		a := selfaudit.New(selfaudit.Config{Store: shared})
		auditors, views = append(auditors, a), append(views, a.Watch(shared))
	}
	var writers, readers sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for i := range 8 {
		writers.Go(func() {
			s := views[i%2]
			for n := range 2000 {
				key := fmt.Sprint(rand.IntN(20))
				switch n % 5 {
				case 0:
					_ = s.Delete(ctx, key, "")
				case 1:
					_, _ = s.Put(ctx, key, strings.NewReader("created"), store.PutOptions{Size: 7, IfAbsent: true})
				default:
					body := fmt.Sprint(i, n)
					_, _ = s.Put(ctx, key, strings.NewReader(body), store.PutOptions{Size: int64(len(body))})
				}
			}
		})
	}
	for _, a := range auditors {
		readers.Go(func() {
			for ctx.Err() == nil {
				a.Step(ctx, nil)
			}
		})
	}
	writers.Wait()
	stop()
	readers.Wait()
	for _, a := range auditors {
		for range 100 {
			a.Step(t.Context(), nil)
		}
		n := a.Numbers()
		require.Zero(t, n.Found[selfaudit.Lost])
		require.Zero(t, n.Found[selfaudit.Unconfirmed])
		require.Positive(t, n.Found[selfaudit.Verified], "nothing was audited: the test proves nothing")
	}
}

func TestAWatchedStoreKeepsEveryPromise(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Subject {
		inner := memstore.New()
		s := selfaudit.New(selfaudit.Config{Store: inner}).Watch(inner)
		return storetest.Subject{Store: s, Again: func(context.Context) (store.Store, error) { return s, nil }}
	})
}

func TestAStoppedAuditCountsNothingAndWaitsForNobody(t *testing.T) {
	b := newBench(t, true)
	b.put("k", "x")
	ctx, cancel := context.WithCancel(t.Context())
	b.store.get = func(string) (io.ReadCloser, store.Info, error) {
		cancel()
		return nil, store.Info{}, ctx.Err()
	}
	b.auditor.Run(ctx)
	for result, count := range b.auditor.Numbers().Found {
		require.Zero(t, count, result)
	}
}

func TestALargeObjectIsReadAtTheGivenPace(t *testing.T) {
	b := newBench(t, true)
	large := string(bytes.Repeat([]byte("x"), 1<<20))
	b.put("k", large)
	asked := 0
	require.Equal(t, selfaudit.Verified, b.auditor.Step(t.Context(), func(n int) error { asked += n; return nil }))
	require.GreaterOrEqual(t, asked, len(large))
	require.Empty(t, b.auditor.Step(t.Context(), func(int) error { return context.Canceled }))
}
