package board

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
)

// nothing is a journal without a line.
type nothing struct{}

func (nothing) Entries() []journal.Entry { return nil }

func (nothing) Subscribe(ctx context.Context, _ uint64) <-chan journal.Entry {
	c := make(chan journal.Entry)
	go func() { <-ctx.Done(); close(c) }()
	return c
}

// optional keys have a word only where a language needs one.
var optional = regexp.MustCompile(`^error\.`)

func TestEveryLanguageHasEveryWordWithTheSameArguments(t *testing.T) {
	verb := regexp.MustCompile(`%(\[\d\])?[a-z]`)
	for lang, table := range words {
		for key, text := range words["en"] {
			if optional.MatchString(key) {
				continue
			}
			require.Contains(t, table, key, lang)
			require.Len(t, verb.FindAllString(table[key], -1), len(verb.FindAllString(text, -1)), "%s %s", lang, key)
		}
		for key := range table {
			if !optional.MatchString(key) {
				require.Contains(t, words["en"], key, lang)
			}
		}
	}
}

func TestEveryWordThatIsAskedForExistsAndNoneIsIdle(t *testing.T) {
	asked := map[string]bool{}
	in := func(text string, patterns ...string) {
		for _, p := range patterns {
			for _, found := range regexp.MustCompile(p).FindAllStringSubmatch(text, -1) {
				asked[found[1]] = true
			}
		}
	}
	names, err := fs.Glob(pages, "pages/*.html")
	require.NoError(t, err)
	for _, name := range names {
		text, err := fs.ReadFile(pages, name)
		require.NoError(t, err)
		in(string(text), `\bt "([^"]+)"`)
	}
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") || name == "words.go" {
			continue
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		in(string(text), `\bs\.t\("([^"]+)"`, `a\.t\("([^"]+)"`, `s\.row\(v, c, "([^"]+)"`)
	}
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		require.Contains(t, words["en"], key)
	}
	// Asked for by a name that is put together: classes, parts, states, kinds.
	computed := regexp.MustCompile(`^(ok|deg|unp|rec|mum|cor|dow|non|npl|jud|dis|voi|bricks|campaign|integrity|chaos|redeploy|incidents|refused|unverified|failed|error\..*|step\..*|.*\.class)$`)
	for key := range words["en"] {
		if !asked[key] && !computed.MatchString(key) {
			t.Errorf("nobody asks for the word %q", key)
		}
	}
}

func TestNumbersReadAsTheLanguageWritesThem(t *testing.T) {
	en, fr := newSpeech("en", "UTC"), newSpeech("fr-FR", "Europe/Paris")
	require.Equal(t, "59,108", en.num(59108))
	require.Equal(t, "59\u202f108", fr.num(59108))
	require.Equal(t, "\u22121,234,567", en.num(-1234567))
	require.Equal(t, "0", en.num(0))
	require.Equal(t, "1.5", en.decimal(1.5, 1))
	require.Equal(t, "1,5", fr.decimal(1.5, 2))
	require.Equal(t, "10", en.decimal(10, 1))
	require.Equal(t, "99\u00a0%", en.percent(0.9999), "100 % means all of it")
	require.Equal(t, "100\u00a0%", en.percent(1))
	require.Equal(t, "59,108 acknowledged objects lost or wrong", en.t("audit.wrong", 59108))
	require.Equal(t, "3:17:42", span(3*time.Hour+17*time.Minute+42*time.Second))
	require.Equal(t, "0:40", span(40*time.Second))
	require.Equal(t, "0:00", span(-time.Second))
	require.Equal(t, "4\u00a0ms", en.latency(4*time.Millisecond))
	require.Equal(t, "0,3\u00a0s", fr.latency(300*time.Millisecond))
	require.Equal(t, "Paris", fr.city(time.Time{}))
	require.Equal(t, "10:42:18", fr.clock(time.Date(2026, 12, 4, 9, 42, 18, 0, time.UTC)))
}

func TestAnUnknownLanguageOrZoneFallsBack(t *testing.T) {
	s := newSpeech("tlh", "Not/AZone")
	require.Equal(t, "en", s.Lang)
	require.Equal(t, time.UTC, s.zone)
}
