package contest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"bogops/validator/contest"
	"bogops/validator/journal"
)

// exampleFile writes the example with the secrets that it names.
func exampleFile(t *testing.T) (path string, getenv func(string) string) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "contest.yml")
	require.NoError(t, os.WriteFile(path, contest.Example(), 0o600))
	for _, found := range regexp.MustCompile(`file:([\w./-]+)`).FindAllStringSubmatch(string(contest.Example()), -1) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, found[1])), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, found[1]), []byte("hunter2-of-"+found[1]), 0o600))
	}
	return path, func(name string) string { return "hunter2-of-" + name }
}

func TestTheExampleIsValidOnceItsSecretsExist(t *testing.T) {
	path, getenv := exampleFile(t)
	c, err := contest.Load(path, getenv)
	require.NoError(t, err)
	require.Len(t, c.Teams, 3)
	require.Equal(t, []string{"192.0.2.11:3300", "192.0.2.12:3300", "192.0.2.13:3300"}, c.Teams[0].Ceph.Monitors)
	require.True(t, c.Teams[2].Witness)
}

func TestNoSecretIsEverPrinted(t *testing.T) {
	path, getenv := exampleFile(t)
	c, err := contest.Load(path, getenv)
	require.NoError(t, err)
	text, err := json.Marshal(c)
	require.NoError(t, err)
	printed := fmt.Sprintf("%v %+v %#v %s %q %x", c, c, *c, c.Seed, c.Teams[0].Token, c.Seed) + fmt.Sprintf("%#v %+v", *c.Teams[0].Ceph, *c.Teams[0].AWS)
	require.NotContains(t, string(text)+printed, "hunter2")
	require.NotContains(t, printed, "68756e74657232", "not in hex either")
}

func TestTheExampleSatisfiesTheSchema(t *testing.T) {
	var schema map[string]any
	require.NoError(t, json.Unmarshal(contest.Schema(), &schema))
	var shown any
	require.NoError(t, yaml.Unmarshal(contest.Example(), &shown))
	require.Equal(t, "https://json-schema.org/draft/2020-12/schema", schema["$schema"])
	require.Empty(t, violations(schema, shown, ""))
}

func TestTheSchemaRefusesWhatLoadRefusesByItself(t *testing.T) {
	var schema map[string]any
	require.NoError(t, json.Unmarshal(contest.Schema(), &schema))
	for _, name := range []string{"unknown-key", "unknown-top-key", "unknown-far-key", "literal-secret", "http-url", "missing-keys", "duration", "size", "time", "list", "fault-kind", "weight"} {
		text, err := os.ReadFile("testdata/invalid-" + name + ".yml")
		require.NoError(t, err)
		var content any
		require.NoError(t, yaml.Unmarshal(text, &content))
		require.NotEmpty(t, violations(schema, content, ""), name)
	}
	text, err := os.ReadFile("testdata/valid.yml")
	require.NoError(t, err)
	var content any
	require.NoError(t, yaml.Unmarshal(text, &content))
	require.Empty(t, violations(schema, content, ""))
}

// violations knows as much of JSON Schema as the shapes use, and fails on any
// keyword that it does not know.
func violations(schema map[string]any, value any, path string) []string {
	var found []string
	wrong := func(keyword string) { found = append(found, fmt.Sprintf("%s: %s: %v", path, keyword, value)) }
	for keyword, want := range schema {
		switch keyword {
		case "$schema", "title", "description", "properties", "patternProperties", "additionalProperties":
		case "type":
			if !slices.ContainsFunc(listOf(want), func(one any) bool { return isA(value, one.(string)) }) {
				wrong(keyword)
			}
		case "enum":
			if !slices.Contains(listOf(want), value) {
				wrong(keyword)
			}
		case "pattern":
			if text, ok := value.(string); ok && !regexp.MustCompile(want.(string)).MatchString(text) {
				wrong(keyword)
			}
		case "minLength":
			if text, ok := value.(string); ok && float64(len(text)) < want.(float64) {
				wrong(keyword)
			}
		case "minimum", "maximum":
			if n, ok := numberOf(value); ok && (keyword == "minimum" && n < want.(float64) || keyword == "maximum" && n > want.(float64)) {
				wrong(keyword)
			}
		case "minItems":
			if items, ok := value.([]any); ok && float64(len(items)) < want.(float64) {
				wrong(keyword)
			}
		case "items":
			items, _ := value.([]any)
			for i, item := range items {
				found = append(found, violations(want.(map[string]any), item, fmt.Sprintf("%s[%d]", path, i))...)
			}
		case "required":
			object, _ := value.(map[string]any)
			for _, name := range listOf(want) {
				if _, ok := object[name.(string)]; !ok {
					wrong("required " + name.(string))
				}
			}
		default:
			wrong("unknown keyword " + keyword)
		}
	}
	return append(found, membersOf(schema, value, path)...)
}

func membersOf(schema map[string]any, value any, path string) []string {
	var found []string
	object, _ := value.(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	patterns, _ := schema["patternProperties"].(map[string]any)
members:
	for name, member := range object {
		if property, ok := properties[name]; ok {
			found = append(found, violations(property.(map[string]any), member, path+"."+name)...)
			continue
		}
		for pattern, property := range patterns {
			if regexp.MustCompile(pattern).MatchString(name) {
				found = append(found, violations(property.(map[string]any), member, path+"."+name)...)
				continue members
			}
		}
		if schema["additionalProperties"] == false {
			found = append(found, fmt.Sprintf("%s: unknown %s", path, name))
		}
	}
	return found
}

func listOf(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

func numberOf(value any) (float64, bool) {
	switch n := value.(type) {
	case uint64:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func isA(value any, kind string) bool {
	number, isNumber := numberOf(value)
	switch kind {
	case "object":
		_, ok := value.(map[string]any)
		return ok
	case "array":
		_, ok := value.([]any)
		return ok
	case "string":
		_, ok := value.(string)
		return ok
	case "boolean":
		_, ok := value.(bool)
		return ok
	case "integer":
		return isNumber && number == float64(int64(number))
	}
	return isNumber
}

func TestTheFirstLineCarriesTheRulesAndNoSecret(t *testing.T) {
	path, getenv := exampleFile(t)
	c, err := contest.Load(path, getenv)
	require.NoError(t, err)
	checks := []journal.Check{{ID: "tls/chain", Brick: "tls"}}
	opened := c.Opened(checks, "v1")
	require.Equal(t, opened.Rules.Hash(), opened.RulesHash)
	seed := sha256.Sum256([]byte("hunter2-of-BOGOPS_SEED"))
	require.Equal(t, hex.EncodeToString(seed[:]), opened.SeedHash)
	require.False(t, opened.Rehearsal)
	require.Equal(t, checks, opened.Checks)
	require.True(t, opened.FirstLoad.Equal(c.Campaigns[0].At))
	require.Equal(t, 150.0, opened.Rules.Chaos)
	text, err := json.Marshal(opened)
	require.NoError(t, err)
	require.NotContains(t, string(text), "hunter2")

	c.Campaigns[0].Faults = nil
	require.Zero(t, c.Opened(checks, "v1").Rules.Chaos, "nobody could win them")
	require.NotEqual(t, opened.RulesHash, c.Opened(checks, "v1").RulesHash)
	c.Campaigns, c.Trust.RehearsalRoot = nil, "root.pem"
	opened = c.Opened(checks, "v1")
	require.True(t, opened.Rehearsal)
	require.Nil(t, opened.FirstLoad)
	require.Zero(t, opened.Rules.Campaign+opened.Rules.Integrity+opened.Rules.Redeploy)
}

func TestWindowsAreInOrderAndScaled(t *testing.T) {
	path, getenv := exampleFile(t)
	c, err := contest.Load(path, getenv)
	require.NoError(t, err)
	c.Judge.TimeScale = 0.5
	var got []string
	for _, w := range c.Windows(c.Campaigns[0]) {
		got = append(got, fmt.Sprintf("%s %s %s %v+%v w%v", w.ID, w.Kind, w.Title, w.From, w.Length, w.Weight))
	}
	require.Equal(t, strings.Join([]string{
		"1-fault-1 fault Instance terminated 600+90 w6",
		"1-redeploy-1 redeploy Redeployment 1200+150 w5",
		"1-fault-2 fault OSD stopped 1800+90 w4",
	}, "\n"), strings.Join(got, "\n"))
}
