package api

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// contract is CHALLENGE.md. Where it and the document can be compared by
// machine, they are.
func contract(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../CHALLENGE.md")
	require.NoError(t, err)
	return string(text)
}

// says wants words in a text, however its lines are broken.
func says(t *testing.T, text, words string) {
	t.Helper()
	require.True(t, strings.Contains(strings.Join(strings.Fields(text), " "), words), "CHALLENGE.md does not say: %s", words)
}

// section is what stands between a heading and the next of its kind.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n"+heading+"\n")
	require.True(t, found, "CHALLENGE.md has no %s", heading)
	mark, _, _ := strings.Cut(heading, " ")
	part, _, _ := strings.Cut(rest, "\n"+mark+" ")
	return part
}

// rows are the cells of a table's rows, without its head.
func rows(text string) [][]string {
	var all [][]string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| ---") {
			continue
		}
		var row []string
		for cell := range strings.SplitSeq(strings.Trim(line, "|"), "|") {
			row = append(row, strings.TrimSpace(cell))
		}
		all = append(all, row)
	}
	if len(all) > 0 {
		all = all[1:]
	}
	return all
}

func theDocument(t *testing.T) *openapi3.T {
	t.Helper()
	c, err := documented()
	require.NoError(t, err)
	return c.doc
}

func TestTheDocumentHasEveryCallOfTheContract(t *testing.T) {
	doc := theDocument(t)
	calls := regexp.MustCompile("`(GET|PUT|HEAD|DELETE) (/[^?`]*)").FindAllStringSubmatch(contract(t), -1)
	require.Greater(t, len(calls), 8)
	for _, call := range calls {
		item := doc.Paths.Value(call[2])
		require.NotNil(t, item, call[0])
		require.NotNil(t, item.GetOperation(call[1]), call[0])
	}
}

func TestTheDocumentHasTheStepsOfTheContract(t *testing.T) {
	process := theDocument(t).Components.Parameters["Process"].Value
	shown := rows(process.Description)
	pattern := regexp.MustCompile(process.Schema.Value.Pattern)
	wanted := rows(section(t, contract(t), "## 2. Processing that cannot be predicted"))
	require.Len(t, wanted, 10)
	for _, row := range wanted {
		if row[2] == "gold" {
			require.Contains(t, process.Description, strings.Trim(regexp.MustCompile("`[a-z]+").FindString(row[0]), "`"))
			continue
		}
		at := slices.IndexFunc(shown, func(s []string) bool { return s[0] == row[0] })
		require.GreaterOrEqual(t, at, 0, "%s is not in the document", row[0])
		require.Equal(t, row[2], shown[at][2])
		require.True(t, strings.HasPrefix(row[1], shown[at][1]), "%s: %s", row[0], shown[at][1])
		for usage := range strings.SplitSeq(strings.ReplaceAll(row[0], "`", ""), ", ") {
			step := strings.NewReplacer("NONCE", "n0-_Z", "OFFSET", "0", "LENGTH", "9223372036854775807", ":N", ":100000").Replace(usage)
			require.Regexp(t, pattern, step)
		}
	}
	for _, bad := range []string{
		"", ",", "upper,", "Upper", "slice:1", "slice:01:1", "slice:-1:1", "hmac:", "hmac:" + strings.Repeat("n", 65), "hmac:a+b",
		"stretch:n:0", "stretch:n:100001", "gzip,upper", strings.Repeat("upper,", 8) + "upper", "upper\n",
	} {
		require.NotRegexp(t, pattern, bad)
	}
}

func TestTheDocumentDescribesThePlatformAsTheContractDoes(t *testing.T) {
	schema := theDocument(t).Components.Schemas["Description"].Value
	var wanted []string
	for _, row := range rows(section(t, contract(t), "## 3. The platform describes itself")) {
		for name := range strings.SplitSeq(strings.ReplaceAll(row[0], "`", ""), ", ") {
			wanted = append(wanted, name)
			require.Contains(t, schema.Properties, name)
			for _, value := range schema.Properties[name].Value.Enum {
				if value != "memory" { // the reference platform's, for tests
					require.Contains(t, row[1], "`"+value.(string)+"`", name)
				}
			}
		}
	}
	require.ElementsMatch(t, wanted, schema.Required)
	require.Len(t, schema.Properties, len(wanted))
	says(t, contract(t), "The version of this page is **"+theDocument(t).Info.Version+"**")
	require.Equal(t, Contract, schema.Properties["contract"].Value.Const)
}

func TestTheDocumentHasTheObjectsAndErrorsOfTheContract(t *testing.T) {
	text, doc := contract(t), theDocument(t)
	for schema, fields := range map[string]string{
		"Object": "`{key, size, etag, content_type, modified}`", "Limits": "`{object_bytes, process_bytes}`", "Piece": "`{name, at, offset, length}`",
	} {
		says(t, text, fields)
		require.ElementsMatch(t, strings.Split(strings.Trim(fields, "`{}"), ", "), doc.Components.Schemas[schema].Value.Required, schema)
	}
	says(t, text, "with `type`, `title`, `status`, `detail` and `instance`")
	require.ElementsMatch(t, []string{"type", "title", "status", "detail", "instance"}, doc.Components.Schemas["Problem"].Value.Required)

	var order []string
	for _, line := range regexp.MustCompile(`(?m)^\d+\. \*\*(\d{3})\*\*`).FindAllStringSubmatch(section(t, text, "### Errors"), -1) {
		order = append(order, line[1])
	}
	require.Len(t, order, 10)
	told := doc.Info.Description
	told = told[strings.Index(told, "first that applies is the answer:"):]
	for _, status := range order {
		at := strings.Index(told, status)
		require.GreaterOrEqual(t, at, 0, "the document tells another order at %s", status)
		told = told[at+3:]
	}
}

func TestTheDocumentHasTheNumbersOfTheContract(t *testing.T) {
	text, doc := contract(t), theDocument(t)
	says(t, text, "1 to 1,024 bytes of UTF-8")
	require.EqualValues(t, 1024, *doc.Components.Schemas["Key"].Value.MaxLength)
	says(t, text, "`limit` is 1 to 1,000, 100 when not given")
	limit := doc.Paths.Value("/v1/objects").Get.Parameters.GetByInAndName("query", "limit").Schema.Value
	require.Equal(t, []float64{1, maxLimit, defaultLimit}, []float64{*limit.Min, *limit.Max, limit.Default.(float64)})
	for name, least := range map[string]int{"object_bytes": 256, "process_bytes": 64} {
		says(t, text, "at least "+strconv.Itoa(least)+" MiB")
		digits := strings.ReplaceAll(doc.Components.Schemas["Limits"].Value.Properties[name].Value.Description, ",", "")
		require.Contains(t, digits, strconv.Itoa(least<<20))
	}
}
