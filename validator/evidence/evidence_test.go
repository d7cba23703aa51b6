package evidence_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/evidence"
)

func open(t *testing.T) (*evidence.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "evidence")
	store, err := evidence.Open(dir)
	require.NoError(t, err)
	return store, dir
}

func TestTheSameEvidenceIsKeptOnceUnderItsHash(t *testing.T) {
	store, dir := open(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			_, err := store.Put(map[string]int{"got": 1})
			require.NoError(t, err)
		})
	}
	group.Wait()
	hash, err := store.Put(map[string]int{"got": 1})
	require.NoError(t, err)
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.Equal(t, hash+".json", files[0].Name())
	content, err := store.Get(hash)
	require.NoError(t, err)
	require.JSONEq(t, `{"got": 1}`, string(content))
}

func TestAlteredEvidenceIsNotGivenOut(t *testing.T) {
	store, dir := open(t)
	hash, err := store.Put("as it was")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, hash+".json"), []byte(`"as it was not"`), 0o600))
	_, err = store.Get(hash)
	require.ErrorContains(t, err, "the file was changed")
}

func TestAHashThatIsNoneLeadsNowhere(t *testing.T) {
	store, _ := open(t)
	for _, hash := range []string{"", "../evidence", "zz", string(make([]byte, 64))} {
		_, err := store.Get(hash)
		require.ErrorIs(t, err, evidence.ErrNotFound)
	}
}

func TestSecretsAreNowhereInTheEvidence(t *testing.T) {
	secrets := []string{"plain-secret", "pl", `quo"ted\n`, "with space/é<&>", "7", "q"}
	store, dir := open(t)
	store.Redact(secrets...)
	store.Redact("")
	document := map[string]any{"amount": 7777, "nested": map[string]any{}}
	for _, secret := range secrets {
		document["nested"].(map[string]any)["key "+secret] = []string{"before " + secret + " after", secret, "\n\t"}
	}
	document["url"] = "/path?token=with+space%2F%C3%A9%3C%26%3E"
	hash, err := store.Put(document)
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(dir, hash+".json"))
	require.NoError(t, err)
	var back map[string]any
	require.NoError(t, json.Unmarshal(content, &back), "redacting leaves valid JSON")
	require.EqualValues(t, 7777, back["amount"], "a number is no secret")
	for _, text := range stringsIn(back) {
		for _, secret := range append(secrets, "with+space%2F") {
			require.NotContains(t, text, secret)
		}
	}
}

// stringsIn is every string of a document, keys included, without the words
// that stand for a secret.
func stringsIn(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{without(v)}
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, stringsIn(item)...)
		}
		return all
	case map[string]any:
		var all []string
		for key, item := range v {
			all = append(append(all, without(key)), stringsIn(item)...)
		}
		return all
	}
	return nil
}

func without(text string) string { return strings.ReplaceAll(text, evidence.Redacted, "") }

func TestADirectoryThatCannotBeMadeIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := evidence.Open(filepath.Join(file, "evidence"))
	require.ErrorContains(t, err, "must be a directory that can be written")
}

func TestAShortSecretIsHiddenWhereItStandsAloneAndGarblesNoWord(t *testing.T) {
	var r evidence.Redactor
	r.Add("t", "r", "hunter2hunter2")
	require.Equal(t, "retry with token (redacted), not (redacted)", r.String("retry with token t, not hunter2hunter2"))
	require.Equal(t, "Bearer (redacted)", r.String("Bearer r"))
	require.Equal(t, "x(redacted)x", r.String("xhunter2hunter2x"), "a long one is hidden inside words too")
}
