package linear

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ms is an operation from one millisecond to another.
func ms(call, end time.Duration, op Op) Op {
	op.Key, op.Call, op.Return = "k", call*time.Millisecond, end*time.Millisecond
	return op
}

func put(data string) Op { return Op{Kind: Put, Data: data, ETag: "etag of " + data} }

func get(data string) Op {
	op := Op{Kind: Get, Data: data}
	if data != "" {
		op.ETag = "etag of " + data
	}
	return op
}

func lost(op Op) Op { op.ETag, op.Unknown = "", true; return op }

func refused(op Op) Op { op.ETag, op.Refused = "", true; return op }

func when(op Op, etag string) Op { op.IfMatch = etag; return op }

func absent(op Op) Op { op.IfAbsent = true; return op }

func told(op Op, created bool) Op { op.Tells, op.Created = true, created; return op }

func TestHistoriesThatCanHappenPassAndOthersDoNot(t *testing.T) {
	del := Op{Kind: Delete}
	for name, c := range map[string]struct {
		right bool
		ops   []Op
	}{
		"a read of what was written":     {true, []Op{ms(0, 1, put("a")), ms(2, 3, get("a"))}},
		"a write that is lost":           {false, []Op{ms(0, 1, put("a")), ms(2, 3, get(""))}},
		"a write that is lost to an old": {false, []Op{ms(0, 1, put("a")), ms(2, 3, put("b")), ms(4, 5, get("a"))}},
		"a read beside a write":          {true, []Op{ms(0, 9, put("a")), ms(1, 2, get("")), ms(3, 4, get("a"))}},
		"a read that goes back":          {false, []Op{ms(0, 9, put("a")), ms(1, 2, get("a")), ms(3, 4, get(""))}},
		"a delete":                       {true, []Op{ms(0, 1, put("a")), ms(2, 3, del), ms(4, 5, get(""))}},
		"a delete that did nothing":      {false, []Op{ms(0, 1, put("a")), ms(2, 3, del), ms(4, 5, get("a"))}},
		"bytes that nobody wrote":        {false, []Op{ms(0, 1, put("a")), ms(2, 3, get("b"))}},

		"no answer, and it happened":      {true, []Op{ms(0, 1, lost(put("a"))), ms(2, 3, get("a"))}},
		"no answer, and it did not":       {true, []Op{ms(0, 1, lost(put("a"))), ms(2, 3, get(""))}},
		"no answer, and it happens later": {true, []Op{ms(0, 1, lost(put("a"))), ms(2, 3, get("")), ms(4, 5, get("a"))}},
		"no answer, and it happens twice": {false, []Op{ms(0, 1, lost(put("a"))), ms(2, 3, get("a")), ms(4, 5, del), ms(6, 7, get("a"))}},
		"no answer, and it comes after one that began later": {false,
			[]Op{ms(0, 1, lost(put("a"))), ms(2, 3, put("b")), ms(4, 5, get("b")), ms(6, 7, get("a"))}},
		"no answer, and it comes just before the acknowledgement of one that began later": {true,
			[]Op{ms(0, 1, lost(put("a"))), ms(2, 3, put("b")), ms(4, 5, get("a"))}},
		"no answer, and it comes after one that began before": {true,
			[]Op{ms(0, 2, lost(put("a"))), ms(1, 3, put("b")), ms(4, 5, get("a"))}},
		"no answer, and a refused one does not end it": {true,
			[]Op{ms(0, 1, lost(put("a"))), ms(2, 3, refused(when(put("b"), "x"))), ms(4, 5, get("a"))}},
		"a delete without an answer that comes too late": {false,
			[]Op{ms(0, 1, lost(del)), ms(2, 3, put("b")), ms(4, 5, get("b")), ms(6, 7, get(""))}},
		"no answer and a bound": {false, []Op{
			func() Op { op := ms(0, 1, lost(put("a"))); op.Until = op.Return; return op }(), ms(2, 3, get("")), ms(4, 5, get("a"))}},

		"two creators of which one wins":          {true, []Op{ms(0, 9, absent(put("a"))), ms(0, 9, refused(absent(put("b"))))}},
		"two creators that both win":              {false, []Op{ms(0, 9, absent(put("a"))), ms(0, 9, absent(put("b")))}},
		"two creators that both lose":             {false, []Op{ms(0, 9, refused(absent(put("a")))), ms(0, 9, refused(absent(put("b"))))}},
		"a match that is met":                     {true, []Op{ms(0, 1, put("a")), ms(2, 3, when(put("b"), "etag of a"))}},
		"a match that is not, and overwrites":     {false, []Op{ms(0, 1, put("a")), ms(2, 3, put("b")), ms(4, 5, when(put("c"), "etag of a"))}},
		"a match that is, and is refused":         {false, []Op{ms(0, 1, put("a")), ms(2, 3, refused(when(put("b"), "etag of a")))}},
		"a match on what a lost write left":       {true, []Op{ms(0, 1, lost(put("a"))), ms(2, 3, get("a")), ms(4, 5, when(put("b"), "etag of a"))}},
		"a creator that says so":                  {true, []Op{ms(0, 1, told(put("a"), true)), ms(2, 3, told(put("b"), false))}},
		"a replacement that says it created":      {false, []Op{ms(0, 1, told(put("a"), true)), ms(2, 3, told(put("b"), true))}},
		"a creation that says it replaced":        {false, []Op{ms(0, 1, told(put("a"), false))}},
		"one that may have replaced a lost write": {true, []Op{ms(0, 1, lost(put("a"))), ms(2, 3, told(put("b"), false))}},
	} {
		t.Run(name, func(t *testing.T) {
			err := Check(c.ops, 10*time.Second)
			if c.right {
				require.NoError(t, err)
				return
			}
			require.ErrorAs(t, err, new(*Error))
		})
	}
}

func TestKeysAreCheckedEachOnItsOwn(t *testing.T) {
	other := ms(2, 3, get(""))
	other.Key = "other"
	require.NoError(t, Check([]Op{ms(0, 1, put("a")), other}, 10*time.Second))
	other.Data, other.ETag = "x", "x"
	require.ErrorContains(t, Check([]Op{ms(0, 1, put("a")), other}, 10*time.Second), "other: ")
}
