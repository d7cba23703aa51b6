package fallback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/storetest"
	"bogops/app/store/versioned/memplace"
)

func TestInFallBackOnlyTheAreaIsServed(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	n, ctx := p.nodes[0], t.Context()
	old, err := n.write(ctx, "old", "in Ceph", store.PutOptions{})
	require.NoError(t, err)
	p.leave()
	for what, do := range map[string]func() error{
		"GET":           func() error { _, _, err := n.Get(ctx, "old", store.Whole); return err },
		"HEAD":          func() error { _, err := n.Stat(ctx, "old"); return err },
		"evidence":      func() error { _, err := n.Locate(ctx, "old"); return err },
		"If-Match":      func() error { _, err := n.write(ctx, "old", "x", store.PutOptions{IfMatch: old.ETag}); return err },
		"If-Match *":    func() error { _, err := n.write(ctx, "old", "x", store.PutOptions{IfMatch: "*"}); return err },
		"If-None-Match": func() error { _, err := n.write(ctx, "never", "x", store.PutOptions{IfAbsent: true}); return err },
		"DELETE if":     func() error { return n.Delete(ctx, "old", old.ETag) },
		"LIST":          func() error { _, err := n.List(ctx, store.ListOptions{Limit: 1}); return err },
	} {
		require.ErrorIs(t, do(), store.ErrUnavailable, what)
	}
	info, err := n.write(ctx, "old", "in S3", store.PutOptions{})
	require.NoError(t, err)
	require.False(t, info.Replaced)
	require.Equal(t, "in S3", n.read(ctx, "old"))
	_, err = n.write(ctx, "old", "x", store.PutOptions{IfAbsent: true})
	require.ErrorIs(t, err, store.ErrCondition)
	_, err = n.write(ctx, "old", "again", store.PutOptions{IfMatch: info.ETag})
	require.NoError(t, err)
	require.NoError(t, n.Delete(ctx, "never", ""))
	require.Equal(t, "nothing", n.read(ctx, "never"))
	_, err = n.write(ctx, "never", "now", store.PutOptions{IfAbsent: true})
	require.NoError(t, err, "the area knows that there is nothing")
}

// The area is made to know every key first, by a delete; what only Ceph could
// answer is left out: what lists, and that a store which is away is healthy.
func TestAPlatformInFallBackKeepsTheRulesForWhatItsAreaKnows(t *testing.T) {
	run(t, func(name string) bool {
		return !strings.HasPrefix(name, "list-") && name != "second-view" && name != "known-digest" && name != "health"
	}, func(t testing.TB) *platform {
		p := newPlatform(t, 1, broken{})
		p.leave()
		return p
	}, func(s *Store) store.Store { return &knowing{Store: s} })
}

func TestAPlatformThatBringsHomeKeepsTheRules(t *testing.T) {
	run(t, func(name string) bool { return name != "health" }, func(t testing.TB) *platform {
		p := newPlatform(t, 1, broken{})
		p.leave()
		require.NoError(t, p.nodes[0].Delete(t.Context(), "of before", ""))
		p.comeBack()
		return p
	}, func(s *Store) store.Store { return s })
}

// run checks the rules of a store that pick names.
func run(t *testing.T, pick func(string) bool, begin func(testing.TB) *platform, wrap func(*Store) store.Store) {
	checked := 0
	for _, rule := range storetest.Rules() {
		if !pick(rule.Name) {
			continue
		}
		checked++
		t.Run(rule.Name, func(t *testing.T) {
			t.Parallel()
			p := begin(t)
			mode := p.mode()
			require.NoError(t, rule.Check(t.Context(), storetest.Subject{
				Store: wrap(p.nodes[0].Store),
				Again: func(context.Context) (store.Store, error) {
					n := p.add(broken{})
					p.pass(2*testLease, p.nodes...)
					require.True(t, n.State().Serving)
					return wrap(n.Store), nil
				},
			}), rule.Why)
			require.Equal(t, mode, p.mode())
		})
	}
	require.Greater(t, checked, 19)
}

// knowing deletes each key before the first operation on it.
type knowing struct {
	*Store
	keys sync.Map
}

func (k *knowing) know(ctx context.Context, key string) {
	ctx = context.WithoutCancel(ctx)
	once, _ := k.keys.LoadOrStore(key, new(sync.Once))
	once.(*sync.Once).Do(func() {
		if _, err := k.Store.Stat(ctx, key); errors.Is(err, errOnlyCeph) {
			_ = k.Store.Delete(ctx, key, "")
		}
	})
}

func (k *knowing) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	k.know(ctx, key)
	return k.Store.Put(ctx, key, body, opts)
}

func (k *knowing) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	k.know(ctx, key)
	return k.Store.Get(ctx, key, rng)
}

func (k *knowing) Stat(ctx context.Context, key string) (store.Info, error) {
	k.know(ctx, key)
	return k.Store.Stat(ctx, key)
}

func (k *knowing) Delete(ctx context.Context, key, ifMatch string) error {
	k.know(ctx, key)
	return k.Store.Delete(ctx, key, ifMatch)
}

func TestWhileReconcilingTheNewestIsReadWhereverItLies(t *testing.T) {
	for _, rules := range []broken{{}, {firstHit: true}} {
		p := newPlatform(t, 2, rules)
		one, two := p.nodes[0], p.nodes[1]
		_, err := one.write(t.Context(), "k", "in Ceph, older", store.PutOptions{})
		require.NoError(t, err)
		p.leave()
		_, err = one.write(t.Context(), "k", "in the area, newer", store.PutOptions{})
		require.NoError(t, err)
		p.comeBack()
		got := two.read(t.Context(), "k")
		if rules.firstHit {
			require.Equal(t, "in Ceph, older", got, "the broken rule goes unnoticed")
			continue
		}
		require.Equal(t, "in the area, newer", got)
	}
}

func TestADeleteOfMeanwhileHidesWhatCephHolds(t *testing.T) {
	p := newPlatform(t, 2, broken{})
	one, two := p.nodes[0], p.nodes[1]
	_, err := one.write(t.Context(), "k", "old", store.PutOptions{})
	require.NoError(t, err)
	p.leave()
	require.NoError(t, one.Delete(t.Context(), "k", ""))
	p.comeBack()
	page, err := two.List(t.Context(), store.ListOptions{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, page.Objects)
	require.Equal(t, "nothing", two.read(t.Context(), "k"))
	p.bringHome()
	require.Equal(t, "nothing", two.read(t.Context(), "k"))
}

func TestCephIsAskedOnlyAfterEveryArea(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	p.leave()
	n := p.nodes[0]
	_, err := n.write(t.Context(), "k", "x", store.PutOptions{})
	require.NoError(t, err)
	p.comeBack()
	// The object goes home, and leaves its area, between the two questions.
	var asked []string
	note := func(call memplace.Call) memplace.Outcome {
		if call.Key == "k" {
			asked = append(asked, call.Site+" "+call.Op)
		}
		return memplace.Proceed
	}
	p.world.Away.SetDecide(note)
	p.world.Home.SetDecide(note)
	require.Equal(t, "x", n.read(t.Context(), "k"))
	require.Equal(t, []string{"away head", "home open"}, asked[:2])
}

func TestWhatWasReadFromAnAreaIsHomeBeforeItIsTold(t *testing.T) {
	for _, rules := range []broken{{}, {noHelp: true}} {
		p := newPlatform(t, 1, rules)
		p.leave()
		n := p.nodes[0]
		_, err := n.write(t.Context(), "k", "x", store.PutOptions{})
		require.NoError(t, err)
		p.comeBack()
		require.Equal(t, "x", n.read(t.Context(), "k"))
		head, err := n.home.Head(t.Context(), "k")
		require.NoError(t, err)
		require.Equal(t, !rules.noHelp, head.Exists())
	}
}

func TestWhileReconcilingAStoreThatIsAwayMeansNoAnswer(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	p.leave()
	n := p.nodes[0]
	_, err := n.write(t.Context(), "k", "x", store.PutOptions{})
	require.NoError(t, err)
	p.comeBack()
	p.world.Away.SetDown(true)
	require.Equal(t, "503", n.read(t.Context(), "k"))
	p.world.Away.SetDown(false)
	p.world.Home.SetDown(true)
	require.Equal(t, "503", n.read(t.Context(), "k"))
}

func TestAConditionWhileReconcilingIsJudgedByWhatLiesAnywhere(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	p.leave()
	n := p.nodes[0]
	away, err := n.write(t.Context(), "k", "x", store.PutOptions{})
	require.NoError(t, err)
	p.comeBack()
	_, err = n.write(t.Context(), "k", "y", store.PutOptions{IfAbsent: true})
	require.ErrorIs(t, err, store.ErrCondition)
	info, err := n.write(t.Context(), "k", "y", store.PutOptions{IfMatch: away.ETag})
	require.NoError(t, err)
	require.True(t, info.Replaced)
	require.Equal(t, "y", n.read(t.Context(), "k"))
	p.bringHome()
	require.Equal(t, "y", n.read(t.Context(), "k"))
}

func TestAListingShowsWhatIsAwayOrSaysThatItCannot(t *testing.T) {
	for _, many := range []bool{false, true} {
		p := newPlatform(t, 1, broken{})
		n, objects := p.nodes[0], 3
		_, err := n.write(t.Context(), "a/home", "x", store.PutOptions{})
		require.NoError(t, err)
		p.leave()
		if many {
			objects = mostListed + 1
		}
		for i := range objects {
			_, err := n.write(t.Context(), fmt.Sprintf("a/%03d", i), "x", store.PutOptions{})
			require.NoError(t, err)
		}
		p.comeBack()
		page, err := n.List(t.Context(), store.ListOptions{Prefix: "a/", Limit: 1000})
		if many {
			require.ErrorIs(t, err, store.ErrUnavailable)
			_, err = n.List(t.Context(), store.ListOptions{Prefix: "b/", Limit: 1000})
			require.NoError(t, err, "nothing of this listing is away")
			continue
		}
		require.NoError(t, err)
		require.Len(t, page.Objects, 4)
	}
}

func TestABodyIsNotReadWhereItsConditionFailsAlready(t *testing.T) {
	for _, leave := range []bool{false, true} {
		p := newPlatform(t, 1, broken{})
		if leave {
			p.leave()
		}
		n := p.nodes[0]
		_, err := n.write(t.Context(), "k", "x", store.PutOptions{})
		require.NoError(t, err)
		body := strings.NewReader("unread")
		_, err = n.Put(t.Context(), "k", body, store.PutOptions{Size: 6, IfAbsent: true})
		require.ErrorIs(t, err, store.ErrCondition)
		require.Equal(t, 6, body.Len())
	}
}

func TestANewSmallObjectIsOneStepInCeph(t *testing.T) {
	p := newPlatform(t, 1, broken{})
	var asked []string
	p.world.Home.SetDecide(func(call memplace.Call) memplace.Outcome {
		asked = append(asked, call.Op)
		return memplace.Proceed
	})
	_, err := p.nodes[0].write(t.Context(), "k", "x", store.PutOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{"stage", "commit"}, asked)
}
