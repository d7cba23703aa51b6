package score_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
	"bogops/validator/score"
)

func TestTheTableHasEveryNodeOnceAndToTheLastDigit(t *testing.T) {
	s := small("a", "b")
	s.players[0].load[0].good = 3
	lose(1)(&s, &s.players[0])
	s.players[0].audit.Findings = []journal.Finding{{Key: "a,\"b\"\nc", Class: "lost", Got: "404", Want: "200", Tries: 3}}
	r := scored(t, s)
	var text bytes.Buffer
	require.NoError(t, score.WriteCSV(&text, r))
	rows, err := csv.NewReader(&text).ReadAll()
	require.NoError(t, err)

	found := map[string][]string{}
	for _, row := range rows[1:] {
		require.NotContains(t, found, row[0]+": "+row[1])
		found[row[0]+": "+row[1]] = row
	}
	total, err := strconv.ParseFloat(found["a: total"][2], 64)
	require.NoError(t, err)
	require.Equal(t, who(t, r, "a").Total, total)
	require.Equal(t, "1000", found["b: total"][2])
	require.Contains(t, found, "a: Bricks / TLS / proven / tls/chain")
	require.Equal(t, "got 404, want 200, after 3 tries", found["a: Integrity / lost a,\"b\"\nc"][5])
}

func TestAResultOutlivesJSON(t *testing.T) {
	want := scored(t, small("a", "b"))
	text, err := json.Marshal(want)
	require.NoError(t, err)
	var got score.Result
	require.NoError(t, json.Unmarshal(text, &got))
	require.Equal(t, want, got)
}
