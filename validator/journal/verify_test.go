package journal_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
)

// Each case does one thing to a journal of ten lines and expects to be told
// which line and what.
func TestEveryKindOfTamperingIsLocated(t *testing.T) {
	cases := []struct {
		name   string
		tamper func(lines []string) []string
		line   int
		what   string
	}{
		{"a word in the middle changed", swapText(5, "note 3", "note 9"), 5, journal.Altered},
		{"the first line changed", swapText(1, `"contest":"c"`, `"contest":"d"`), 1, journal.Altered},
		{"the last line changed", swapText(10, "note 8", "note 9"), 10, journal.Altered},
		{"a time changed", swapText(4, "09:00:04", "09:00:03"), 4, journal.Altered},
		{"a hash changed", func(l []string) []string { l[3] = flipLastHashDigit(l[3]); return l }, 4, journal.Altered},
		{"a space added", swapText(6, `{"seq"`, `{ "seq"`), 6, journal.Altered},
		{"a field added", swapText(6, `{"seq"`, `{"x":1,"seq"`), 6, journal.Altered},
		{"a blank line added", func(l []string) []string { return slices.Insert(l, 5, "\n") }, 6, journal.Inserted},
		{"a line of another hand added", func(l []string) []string { return slices.Insert(l, 5, "{}\n") }, 6, journal.Inserted},
		{"a line made unreadable", func(l []string) []string { l[5] = "{}\n"; return l }, 6, journal.Altered},
		{"a line cut short", func(l []string) []string { l[6] = l[6][:40] + "\n"; return l }, 7, journal.Altered},
		{"a line removed", func(l []string) []string { return slices.Delete(l, 4, 5) }, 5, journal.Removed},
		{"three lines removed", func(l []string) []string { return slices.Delete(l, 4, 7) }, 5, journal.Removed},
		{"the first line removed", func(l []string) []string { return l[1:] }, 1, journal.Removed},
		{"a line twice", func(l []string) []string { return slices.Insert(l, 5, l[4]) }, 6, journal.Inserted},
		{"an old line again", func(l []string) []string { return slices.Insert(l, 7, l[2]) }, 8, journal.Inserted},
		{"a later line early", func(l []string) []string { return slices.Insert(l, 3, l[7]) }, 4, journal.Inserted},
		{"the next line early", func(l []string) []string { return slices.Insert(l, 3, l[4]) }, 4, journal.Inserted},
		{"an old line at the end", func(l []string) []string { return append(l, l[2]) }, 11, journal.Inserted},
		{"neighbours swapped", func(l []string) []string { l[4], l[5] = l[5], l[4]; return l }, 5, journal.Swapped},
		{"far lines swapped", func(l []string) []string { l[2], l[7] = l[7], l[2]; return l }, 3, journal.Swapped},
		{"the first two swapped", func(l []string) []string { l[0], l[1] = l[1], l[0]; return l }, 1, journal.Swapped},
		{"the last two swapped", func(l []string) []string { l[8], l[9] = l[9], l[8]; return l }, 9, journal.Swapped},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := written(t, 9)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			lines := c.tamper(strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n"))
			last := len(lines) - 1
			lines[last] = strings.TrimSuffix(lines[last], "\n") + "\n"
			if !strings.HasSuffix(lines[last-1], "\n") {
				lines[last-1] += "\n"
			}
			require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644))

			_, err = journal.Read(path)
			var damage *journal.Damage
			require.ErrorAs(t, err, &damage)
			require.Equal(t, c.line, damage.Line, damage.Error())
			require.Equal(t, c.what, damage.What, damage.Error())
			_, err = journal.Resume(path, ticking())
			require.ErrorAs(t, err, &damage, "resume must refuse what read refuses")
		})
	}
}

func swapText(line int, from, to string) func([]string) []string {
	return func(lines []string) []string {
		lines[line-1] = strings.Replace(lines[line-1], from, to, 1)
		return lines
	}
}

func flipLastHashDigit(line string) string {
	at := len(line) - len("0\"}\n")
	digit := "0"
	if line[at] == '0' {
		digit = "1"
	}
	return line[:at] + digit + line[at+1:]
}

func TestACutTailIsFoundByTheHead(t *testing.T) {
	entries, err := journal.Read(written(t, 9))
	require.NoError(t, err)
	head := entries[9].Hash
	require.NoError(t, journal.Verify(entries, head))
	require.NoError(t, journal.Verify(entries, strings.ToUpper(head[:16])))

	require.NoError(t, journal.Verify(entries[:8], ""), "the chain alone cannot know")
	for _, keep := range []int{1, 8, 9} {
		var damage *journal.Damage
		require.ErrorAs(t, journal.Verify(entries[:keep], head), &damage)
		require.Equal(t, journal.Cut, damage.What)
		require.Equal(t, keep+1, damage.Line)
	}
	var damage *journal.Damage
	require.ErrorAs(t, journal.Verify(entries, entries[6].Hash), &damage)
	require.Equal(t, journal.Inserted, damage.What)
	require.Equal(t, 8, damage.Line)
	require.ErrorAs(t, journal.Verify(nil, head), &damage)
	require.Equal(t, journal.Cut, damage.What)
}

// A forger who knows the definition gives each line a hash that fits it, and
// is still found where the lines that were left alone begin.
func TestForgedLinesThatCarryTheirOwnHashAreLocated(t *testing.T) {
	entries, err := journal.Read(written(t, 9))
	require.NoError(t, err)
	forge := func(e journal.Entry, seq uint64, prev, text string) journal.Entry {
		e.Seq, e.Prev = seq, prev
		e.Data = []byte(`{"icon":"flag","text":"` + text + `"}`)
		body, err := json.Marshal(e)
		require.NoError(t, err)
		hashed, _, _ := strings.Cut(string(body), `,"hash":`)
		e.Hash = fmt.Sprintf("%x", sha256.Sum256([]byte(hashed)))
		return e
	}
	require.Equal(t, entries[4], forge(entries[4], 5, entries[3].Hash, "note 3"), "the forger knows the definition")
	cases := []struct {
		name   string
		tamper func(e []journal.Entry) []journal.Entry
		line   int
		what   string
	}{
		{"a line rewritten", func(e []journal.Entry) []journal.Entry {
			e[4] = forge(e[4], 5, e[3].Hash, "forged")
			return e
		}, 5, journal.Altered},
		{"a line added in front of its namesake", func(e []journal.Entry) []journal.Entry {
			return slices.Insert(e, 4, forge(e[4], 5, e[3].Hash, "forged"))
		}, 5, journal.Inserted},
		{"a line added with a number that is to come", func(e []journal.Entry) []journal.Entry {
			return slices.Insert(e, 4, forge(e[4], 6, e[3].Hash, "forged"))
		}, 5, journal.Inserted},
		{"a line added with a number beyond the end", func(e []journal.Entry) []journal.Entry {
			return slices.Insert(e, 4, forge(e[4], 99, e[3].Hash, "forged"))
		}, 5, journal.Inserted},
		{"a line added with no right hash", func(e []journal.Entry) []journal.Entry {
			bad := forge(e[4], 5, e[3].Hash, "forged")
			bad.Hash = strings.Repeat("0", 64)
			return slices.Insert(e, 4, bad)
		}, 5, journal.Inserted},
		{"the first line rewritten", func(e []journal.Entry) []journal.Entry {
			e[0] = forge(e[0], 1, e[0].Prev, "forged")
			return e
		}, 1, journal.Altered},
		{"a first line of another kind", func(e []journal.Entry) []journal.Entry {
			e[0] = forge(e[1], 1, e[0].Prev, "forged")
			return e[:1]
		}, 1, journal.Altered},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var damage *journal.Damage
			require.ErrorAs(t, journal.Verify(c.tamper(slices.Clone(entries)), ""), &damage)
			require.Equal(t, c.line, damage.Line, damage.Error())
			require.Equal(t, c.what, damage.What, damage.Error())
		})
	}
}

func TestAHeadThatIsNoHashIsSaidSo(t *testing.T) {
	entries, err := journal.Read(written(t, 1))
	require.NoError(t, err)
	for _, head := range []string{"abc", strings.Repeat("g", 64), strings.Repeat("a", 65)} {
		require.ErrorContains(t, journal.Verify(entries, head), "want the 64 hex digits of a line's hash, or at least the first 16")
	}
}
