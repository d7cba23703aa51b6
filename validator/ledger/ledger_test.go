package ledger

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func fresh(t *testing.T) *Ledger {
	l, err := open(filepath.Join(t.TempDir(), "ledger.jsonl"), 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// play runs a schedule on one key: "b3" begins the write of version 3, "a3",
// "m3" and "n3" end it as acknowledged, maybe and never. Version 0 deletes.
func play(t require.TestingT, l *Ledger, key, schedule string) {
	ids := map[string]WriteID{}
	for _, event := range strings.Fields(schedule) {
		what, version := event[:1], event[1:]
		if what == "b" {
			var number uint64
			_, err := fmt.Sscan(version, &number)
			require.NoError(t, err)
			ids[version], err = l.Begin(key, number, int64(number)*10)
			require.NoError(t, err)
			continue
		}
		outcome := map[string]Outcome{"a": Acknowledged, "m": Maybe, "n": Never}[what]
		require.NoError(t, l.End(ids[version], outcome))
	}
}

func numbers(versions []Version) (n []uint64) {
	for _, v := range versions {
		n = append(n, v.Number)
	}
	slices.Sort(n)
	return slices.Compact(n)
}

func TestOnlyLawfulVersionsAreLawful(t *testing.T) {
	for _, c := range []struct {
		name, schedule string
		want           []uint64
	}{
		{"nothing written", "", []uint64{0}},
		{"under way", "b1", []uint64{0, 1}},
		{"acknowledged", "b1 a1", []uint64{1}},
		{"refused", "b1 n1", []uint64{0}},
		{"no answer", "b1 m1", []uint64{0, 1}},
		{"one after the other", "b1 a1 b2 a2", []uint64{2}},
		{"no answer, then acknowledged", "b1 m1 b2 a2", []uint64{2}},
		{"no answer twice", "b1 a1 b2 m2 b3 m3", []uint64{1, 2, 3}},
		{"overlapping, first to begin ends last", "b1 b2 a2 a1", []uint64{1, 2}},
		{"overlapping, first to begin ends first", "b1 b2 a1 a2", []uint64{1, 2}},
		{"an overlapping one gives up after the other's answer", "b1 b2 a2 m1", []uint64{1, 2}},
		{"it gives up before the other's answer", "b1 b2 m1 a2", []uint64{1, 2}},
		{"a third began when one of two had ended", "b1 b2 a1 b3 a2 a3", []uint64{2, 3}},
		{"a third began when both had ended", "b1 b2 a1 a2 b3 a3", []uint64{3}},
		{"a long write spans two that follow each other", "b1 b2 a2 b3 a3 a1", []uint64{1, 3}},
		{"no acknowledgement, no removal", "b1 a1 b2 m2 b3 n3", []uint64{1, 2}},
		{"deleted", "b1 a1 b0 a0", []uint64{0}},
		{"perhaps deleted", "b1 a1 b0 m0", []uint64{0, 1}},
		{"deleted while written", "b1 b0 a0 a1", []uint64{0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := fresh(t)
			play(t, l, "key", c.schedule)
			require.Equal(t, c.want, numbers(l.Lawful("key")))
		})
	}
}

func TestAReadIsJudgedByWhatWasLawfulWhileItLasted(t *testing.T) {
	l := fresh(t)
	play(t, l, "key", "b1 a1")
	during := l.Read("key")
	play(t, l, "key", "b2 a2 b3 a3")
	for version, want := range map[uint64]Class{0: Lost, 1: Right, 2: Right, 3: Right, 4: Foreign} {
		require.Equal(t, want, during.Judge(version), version)
	}
	for version, want := range map[uint64]Class{0: Lost, 1: Stale, 2: Stale, 3: Right, 4: Foreign} {
		require.Equal(t, want, l.Judge("key", version), version)
	}
	require.Equal(t, []Version{{2, 20}, {1, 10}, {}}, l.Read("key").Past())
}

func TestARefusedVersionIsForeignAndAnUnknownKeyIsAbsent(t *testing.T) {
	l := fresh(t)
	play(t, l, "key", "b1 a1 b2 n2")
	require.Equal(t, Foreign, l.Judge("key", 2))
	require.Equal(t, Right, l.Judge("other", 0))
	require.Equal(t, Foreign, l.Judge("other", 1))
}

func TestKeysAndCountsAreThoseOfAcknowledgedWrites(t *testing.T) {
	l := fresh(t)
	play(t, l, "b", "b1 a1 b2 m2")
	play(t, l, "a", "b1 a1")
	play(t, l, "c", "b1 m1")
	play(t, l, "d", "b1 n1")
	require.Equal(t, []string{"a", "b"}, l.Acknowledged())
	require.Equal(t, 2, l.Maybe())
	require.True(t, l.Has("a"))
	require.False(t, l.Has("c"))
}

func TestAWriteEndsOnce(t *testing.T) {
	l := fresh(t)
	id, err := l.Begin("key", 1, 1)
	require.NoError(t, err)
	require.NoError(t, l.End(id, Maybe))
	require.ErrorContains(t, l.End(id, Acknowledged), "not pending")
}

// history is one write of the model: when it began and ended, in steps.
type history struct {
	version    uint64
	begun      int
	ended      int // 0: not yet
	must, gone bool
}

func TestTheLawfulVersionsAreThoseOfSomeLawfulOrder(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		checkModel(t, filepath.Join(dir, fmt.Sprint(runs)))
	})
}

// checkModel runs a random schedule and compares after every step with the
// last writes of all orders that the contract allows.
func checkModel(t *rapid.T, path string) {
	l, err := open(path, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	var writes []history
	ids := map[int]WriteID{}
	for step := 1; step <= 9; step++ {
		var pending []int
		for i, w := range writes {
			if w.ended == 0 {
				pending = append(pending, i)
			}
		}
		if len(pending) == 0 || (len(writes) < 5 && rapid.Bool().Draw(t, "begin")) {
			if len(writes) == 5 {
				return
			}
			version := uint64(len(writes) + 1)
			ids[len(writes)], err = l.Begin("key", version, 1)
			require.NoError(t, err)
			writes = append(writes, history{version: version, begun: step})
		} else {
			i := rapid.SampledFrom(pending).Draw(t, "end")
			outcome := rapid.SampledFrom([]Outcome{Acknowledged, Maybe, Never}).Draw(t, "outcome")
			require.NoError(t, l.End(ids[i], outcome))
			writes[i].ended, writes[i].must, writes[i].gone = step, outcome == Acknowledged, outcome == Never
		}
		require.Equal(t, bruteForce(writes), numbers(l.Lawful("key")), "%+v", writes)
	}
}

// bruteForce tries every order of every choice of writes that took effect.
func bruteForce(writes []history) []uint64 {
	last := map[uint64]bool{}
	var extend func(order []int)
	extend = func(order []int) {
		if complete(writes, order) {
			version := uint64(0)
			if len(order) > 0 {
				version = writes[order[len(order)-1]].version
			}
			last[version] = true
		}
		for i, w := range writes {
			if !w.gone && !slices.Contains(order, i) && mayFollow(writes, order, w) {
				extend(append(slices.Clone(order), i))
			}
		}
	}
	extend(nil)
	var versions []uint64
	for v := range last {
		versions = append(versions, v)
	}
	slices.Sort(versions)
	return versions
}

func complete(writes []history, order []int) bool {
	for i, w := range writes {
		if w.must && !slices.Contains(order, i) {
			return false
		}
	}
	return true
}

// mayFollow refuses a write that had ended before one of the order began.
func mayFollow(writes []history, order []int, w history) bool {
	return !slices.ContainsFunc(order, func(i int) bool { return w.ended != 0 && w.ended < writes[i].begun })
}
