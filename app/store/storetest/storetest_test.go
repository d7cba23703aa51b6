package storetest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/app/store"
	"bogops/app/store/memstore"
	"bogops/app/store/storetest"
)

// broken is a store that breaks one promise, and the rules that say so.
type broken struct {
	name string
	open func() storetest.Subject
	by   []string // exactly these fail
	also []string // these may: whether they do is a matter of moments
}

func brokenStores() []broken {
	return []broken{
		{"truncates at 1 MiB", over(func(s mem) store.Store { return &truncating{mem: s} }), only("round-trip"), nil},
		{"cleans keys", over(func(s mem) store.Store { return &renaming{s, clean} }), only("odd-keys"), nil},
		{"folds the case of keys", over(func(s mem) store.Store { return &renaming{s, fold} }),
			only("odd-keys", "list-order"), nil},
		{"decodes keys once more", over(func(s mem) store.Store { return &renaming{s, decode} }), only("odd-keys"), nil},
		{"composes accents", over(func(s mem) store.Store { return &renaming{s, compose} }), only("odd-keys"), nil},
		{"cuts keys at 255 bytes", over(func(s mem) store.Store { return &renaming{s, cut} }), only("odd-keys"), nil},

		{"appends on overwrite", over(func(s mem) store.Store { return &appending{s} }), only("overwrite"), nil},
		{"never says replaced", over(func(s mem) store.Store { return &unsaid{s} }), only("overwrite"), nil},
		{"refuses unknown sizes", over(func(s mem) store.Store { return &sized{s} }),
			only("unknown-size", "truncated-body", "oversized-body", "digest"), nil},
		{"takes a short body", over(func(s mem) store.Store { return &lax{mem: s, short: true} }), only("truncated-body"), nil},
		{"takes a failed body", over(func(s mem) store.Store { return &lax{mem: s, failed: true} }), only("truncated-body"), nil},
		{"takes a long body", over(func(s mem) store.Store { return &lax{mem: s, long: true} }), only("oversized-body"), nil},
		{"knows no limit", over(func(s mem) store.Store { return &lax{mem: s, unlimited: true} }), only("oversized-body"), nil},
		{"ignores the digest", over(func(s mem) store.Store { return &lax{mem: s, undigested: true} }), only("digest"), nil},
		{"removes before it writes", over(func(s mem) store.Store { return &removing{s} }),
			only("truncated-body", "oversized-body", "digest", "unfinished-unseen", "context"), only("no-torn-reads")},
		{"shows half a write", over(func(s mem) store.Store { return &tearing{s} }),
			only("truncated-body", "oversized-body", "digest", "unfinished-unseen"), only("no-torn-reads")},
		{"keeps the body's memory", over(func(s mem) store.Store { return &keeping{mem: s} }), only("buffers"), nil},
		{"keeps the caller's metadata", over(func(s mem) store.Store { return &metaSharing{mem: s} }), only("buffers"), nil},
		{"drops metadata", over(func(s mem) store.Store { return &dropping{mem: s, meta: true} }),
			only("buffers", "description"), nil},
		{"drops the content type", over(func(s mem) store.Store { return &dropping{mem: s, contentType: true} }),
			only("description"), nil},
		{"dates by the reading", over(func(s mem) store.Store { return &dating{s} }), only("description", "list-order"), nil},
		{"changes ETags between reads", over(func(s mem) store.Store { return &ticking{mem: s} }), only("etag"), nil},
		{"keeps the ETag on overwrite", over(func(s mem) store.Store { return &sameTag{s} }),
			only("etag", "if-match", "delete-if-match"), nil},

		{"digests the part that is read", over(func(s mem) store.Store { return &misdigesting{s} }), only("known-digest"), nil},
		{"keeps the digest on overwrite", over(func(s mem) store.Store { return &firstDigest{mem: s} }), only("known-digest"), nil},
		{"lends the memory of its digests", over(func(s mem) store.Store { return &lendsDigest{mem: s} }), only("known-digest"), nil},

		{"lets two creators win", over(func(s mem) store.Store { return &racing{mem: s, create: true} }),
			only("one-creator"), nil},
		{"lets two swappers win", over(func(s mem) store.Store { return &racing{mem: s, swap: true} }), only("one-swapper"), nil},
		{"takes weak tags for strong", over(func(s mem) store.Store { return &weak{s} }),
			only("if-match", "delete-if-match"), nil},
		{"takes * for anything", over(func(s mem) store.Store { return &starry{s} }), only("if-match"), nil},
		{"ignores a delete's condition", over(func(s mem) store.Store { return &deleting{mem: s, unconditional: true} }),
			only("delete-if-match"), nil},
		{"fails to delete what is missing", over(func(s mem) store.Store { return &deleting{mem: s, strict: true} }),
			only("delete-missing"), nil},
		{"empties instead of deleting", over(func(s mem) store.Store { return &deleting{mem: s, empties: true} }),
			only("delete", "delete-if-match", "list-acknowledged", "second-view"), nil},

		{"reads the second half late", over(func(s mem) store.Store { return &late{s} }),
			only("reader-keeps-bytes"), only("no-torn-reads")},
		{"mixes versions during a write", over(func(s mem) store.Store { return &mixing{mem: s} }),
			only("unfinished-unseen"), only("no-torn-reads")},
		{"describes one version and serves the next", over(func(s mem) store.Store { return &hasty{mem: s} }),
			only("no-torn-reads"), nil},
		{"reads old bytes now and then", over(func(s mem) store.Store { return &stale{mem: s} }),
			only("overwrite", "unfinished-unseen", "one-swapper", "if-match", "delete-if-match", "second-view", "known-digest"), only("no-torn-reads")},
		{"takes lengths for ends", over(func(s mem) store.Store { return &ranging{mem: s, asEnd: true} }), only("ranges"), nil},
		{"refuses ranges past the end", over(func(s mem) store.Store { return &ranging{mem: s, refuses: true} }),
			only("ranges"), nil},

		{"lists backwards", over(func(s mem) store.Store { return &listing{s, backwards} }),
			only("list-order", "list-prefix", "list-delimiter", "list-pages", "list-acknowledged"), nil},
		{"lists by another collation", over(func(s mem) store.Store { return &listing{s, collated} }), only("list-order"), nil},
		{"lists without descriptions", over(func(s mem) store.Store { return &listing{s, bare} }), only("list-order"), nil},
		{"lists prefixes as directories", over(func(s mem) store.Store { return &prefixing{mem: s} }),
			only("list-prefix", "list-delimiter"), nil},
		{"knows no delimiter but /", over(func(s mem) store.Store { return &slashing{s} }), only("list-delimiter"), nil},
		{"shows a prefix on every page", over(func(s mem) store.Store { return &repeating{s} }), only("list-pages"), nil},
		{"does not count prefixes", over(func(s mem) store.Store { return &uncounted{s} }), only("list-pages"), nil},
		{"begins pages with After", over(func(s mem) store.Store { return &inclusive{s} }), only("list-pages"), nil},
		{"lists the newest late", over(func(s mem) store.Store { return &indexing{mem: s} }),
			only("list-order", "list-delimiter", "list-acknowledged", "second-view"), nil},
		{"loses from lists what is replaced", over(func(s mem) store.Store { return &unlisting{mem: s} }),
			only("list-acknowledged", "second-view"), nil},

		{"forgets on restart", forgetting, only("reopen"), nil},
		{"answers before others can see it", hiding, only("one-creator", "second-view"), nil},
		{"ignores contexts", over(func(s mem) store.Store { return &tireless{s} }), only("context"), nil},
		{"works on when closed", over(func(s mem) store.Store { return &restless{s} }), only("health"), nil},
		{"is always well", over(func(s mem) store.Store { return &feeling{s, store.Healthy} }), only("health"), nil},
		{"is never well", over(func(s mem) store.Store { return &feeling{s, store.Down} }), only("health"), nil},
	}
}

type mem = *memstore.Store

func only(rules ...string) []string { return rules }

// over opens a store that breaks a promise over a sound one.
func over(breaks func(mem) store.Store) func() storetest.Subject {
	return func() storetest.Subject {
		s := breaks(memstore.New())
		return storetest.Subject{Store: s, Again: func(context.Context) (store.Store, error) { return s, nil }}
	}
}

func TestEveryBrokenStoreIsCaughtByTheRuleItBreaks(t *testing.T) {
	for _, b := range brokenStores() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			failed := map[string]error{}
			for _, rule := range storetest.Rules() {
				if err := check(t, rule, b.open()); err != nil {
					failed[rule.Name] = err
				}
			}
			for _, name := range b.by {
				require.Contains(t, failed, name, "this rule should have failed")
				delete(failed, name)
			}
			for _, name := range b.also {
				delete(failed, name)
			}
			require.Empty(t, failed, "these rules have nothing to do with it")
		})
	}
}

// Otherwise a rule could be dropped, or check nothing, and no test would say so.
func TestEveryRuleCatchesSomeBrokenStore(t *testing.T) {
	named := map[string]bool{}
	for _, b := range brokenStores() {
		for _, name := range b.by {
			named[name] = true
		}
	}
	for _, rule := range storetest.Rules() {
		require.NotEmpty(t, rule.Why, rule.Name)
		require.True(t, named[rule.Name], "no broken store shows that %q can fail", rule.Name)
		delete(named, rule.Name)
	}
	require.Empty(t, named, "no such rules")
}

func TestASoundStoreIsCaughtByNoRule(t *testing.T) {
	sound := over(func(s mem) store.Store { return s })
	for _, rule := range storetest.Rules() {
		require.NoError(t, check(t, rule, sound()), rule.Name)
	}
}

func check(t *testing.T, rule storetest.Rule, subject storetest.Subject) error {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return rule.Check(ctx, subject)
}
