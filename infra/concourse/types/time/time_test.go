package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func call(t *testing.T, now, verb, dir, request string) (string, string, error) {
	t.Helper()
	at, err := time.Parse(time.RFC3339, now)
	require.NoError(t, err)
	args := []string{verb}
	if dir != "" {
		args = append(args, dir)
	}
	var stdout, stderr bytes.Buffer
	err = kind(func() time.Time { return at }).Run(t.Context(), args, strings.NewReader(request), &stdout, &stderr)
	return strings.TrimSpace(stdout.String()), stderr.String(), err
}

func TestAVersionComesWhenItIsDue(t *testing.T) {
	const known = `"version":{"time":"2026-03-01T10:00:00Z"}`
	const old, both = `[{"time":"2026-03-01T10:00:00Z"}]`, `[{"time":"2026-03-01T10:00:00Z"},{"time":"%"}]`
	cases := []struct{ name, now, source, version, want string }{
		{"the first one at once", "2026-03-01T10:09:59Z", `{"interval":"10m"}`, `"version":null`, `[{"time":"%"}]`},
		{"before the interval", "2026-03-01T10:09:59Z", `{"interval":"10m"}`, known, old},
		{"after the interval", "2026-03-01T10:10:00Z", `{"interval":"10m"}`, known, both},
		{"outside the hours", "2026-03-02T07:59:00Z", `{"start":"08:00","stop":"9:00 AM"}`, `"version":null`, `[]`},
		{"within the hours", "2026-03-02T08:00:00Z", `{"start":"8:00 AM","stop":"09:00"}`, known, both},
		{"once within the hours", "2026-03-01T10:30:00Z", `{"start":"10:00","stop":"11:00"}`, known, old},
		{"again the next day", "2026-03-02T10:30:00Z", `{"start":"10:00","stop":"11:00"}`, known, both},
		{"over midnight", "2026-03-02T00:30:00Z", `{"start":"23:00","stop":"01:00"}`, known, both},
		{"over midnight, too late", "2026-03-02T01:00:00Z", `{"start":"23:00","stop":"01:00"}`, known, old},
		{"both, interval not over", "2026-03-01T10:05:00Z", `{"interval":"10m","start":"10:00","stop":"11:00"}`, known, old},
		{"both, interval over", "2026-03-01T10:15:00Z", `{"interval":"10m","start":"10:00","stop":"11:00"}`, known, both},
	}
	for _, c := range cases {
		got, said, err := call(t, c.now, "check", "", `{"source":`+c.source+`,`+c.version+`}`)
		require.NoError(t, err, said)
		require.JSONEq(t, strings.ReplaceAll(c.want, "%", c.now), got, c.name)
	}
}

func TestHoursAreThoseOfTheLocation(t *testing.T) {
	got, said, err := call(t, "2026-07-01T06:30:00Z", "check", "", `{"source":{"start":"08:00","stop":"09:00","location":"Europe/Paris"}}`)
	require.NoError(t, err, said)
	require.JSONEq(t, `[{"time":"2026-07-01T08:30:00+02:00"}]`, got)
}

func TestGetWritesTheTime(t *testing.T) {
	dir := t.TempDir()
	got, said, err := call(t, "2026-03-01T12:00:00Z", "in", dir, `{"source":{"interval":"1h"},"version":{"time":"2026-03-01T10:00:00Z"}}`)
	require.NoError(t, err, said)
	require.JSONEq(t, `{"version":{"time":"2026-03-01T10:00:00Z"},"metadata":[]}`, got)
	for name, want := range map[string]string{"timestamp": "2026-03-01 10:00:00 +0000 UTC", "epoch": "1772359200"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
}

func TestPutIsNow(t *testing.T) {
	got, said, err := call(t, "2026-03-01T12:00:00Z", "out", t.TempDir(), `{"source":{"interval":"1h"}}`)
	require.NoError(t, err, said)
	require.JSONEq(t, `{"version":{"time":"2026-03-01T12:00:00Z"},"metadata":[]}`, got)
}

func TestABadSourceIsOneClearSentence(t *testing.T) {
	for source, want := range map[string]string{
		`{}`:                              "neither interval nor start",
		`{"start":"08:00"}`:               "wanted both or none",
		`{"interval":"soon"}`:             `source.interval is "soon"`,
		`{"interval":"-1h"}`:              `source.interval is "-1h"`,
		`{"start":"late","stop":"09:00"}`: `the time of day "late"`,
		`{"interval":"1h","location":"Nowhere/X"}`: `source.location is "Nowhere/X"`,
		`{"interval":"1h","days":["Monday"]}`:      `source has the field "days"`,
	} {
		got, said, err := call(t, "2026-03-01T12:00:00Z", "check", "", `{"source":`+source+`}`)
		require.Error(t, err, source)
		require.Empty(t, got)
		require.Contains(t, said, want)
		require.Equal(t, 1, strings.Count(said, "\n"))
	}
}
