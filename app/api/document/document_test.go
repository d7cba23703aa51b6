package document

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ours is the API's own description, one directory up.
func ours(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../openapi.yaml")
	require.NoError(t, err)
	return text
}

// wants is require.Contains for a text too long to print.
func wants(t *testing.T, page, part string, why ...any) {
	t.Helper()
	require.True(t, strings.Contains(page, part), "the page lacks %s %v", part, why)
}

func TestThePageShowsEveryCallParameterHeaderAndSchema(t *testing.T) {
	doc, err := New(ours(t))
	require.NoError(t, err)
	page := string(doc.Page)
	var api description
	require.NoError(t, json.Unmarshal(doc.JSON, &api))
	calls := 0
	for _, path := range api.Paths {
		for _, op := range []*operation{path.Value.Put, path.Value.Get, path.Value.Head, path.Value.Delete} {
			if op == nil {
				continue
			}
			calls++
			wants(t, page, `<article id="`+op.OperationID+`"`)
			for _, answer := range op.Responses {
				wants(t, page, ">"+answer.Name+"</b>", op.OperationID)
			}
		}
	}
	require.Greater(t, calls, 5)
	for _, p := range api.Components.Parameters {
		wants(t, page, "<code>"+p.Value.Name+"</code>")
	}
	for _, s := range api.Components.Schemas {
		wants(t, page, `<article id="schema-`+s.Name+`"`)
		for _, member := range s.Value.Properties {
			wants(t, page, "<code>"+member.Name+"</code>")
		}
	}
	// Wherever a link of the page leads, there is something.
	for _, part := range strings.Split(page, `href="#`)[1:] {
		id, _, _ := strings.Cut(part, `"`)
		id, err = url.PathUnescape(id)
		require.NoError(t, err)
		wants(t, page, `id="`+id+`"`)
	}
}

func TestThePageLoadsAndRunsNothing(t *testing.T) {
	doc, err := New(ours(t))
	require.NoError(t, err)
	page := string(doc.Page)
	for _, never := range []string{"<script", " src=", "@import", "url(", " style=", " onclick", "ZgotmplZ"} {
		require.False(t, strings.Contains(page, never), never)
	}
	_, rest, found := strings.Cut(page, "<style>")
	require.True(t, found)
	inline, _, _ := strings.Cut(rest, "</style>")
	hash := sha256.Sum256([]byte(inline))
	require.Contains(t, doc.Policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+"'", "the policy forbids the page's own style")
	require.Contains(t, doc.Policy, "default-src 'none'")
}

func TestTheJSONKeepsTheOrderAndExpandsWhatIsShared(t *testing.T) {
	doc, err := New([]byte("info: {title: t}\nx-b: &same [1]\nx-a: *same\n"))
	require.NoError(t, err)
	require.Equal(t, `{"info": {"title": "t"}, "x-b": [1], "x-a": [1]}`, strings.TrimSpace(string(doc.JSON)))
}

func TestADocumentThatIsWrongIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no yaml":        {"info: {title", "document:"},
		"another shape":  {"paths: [1]", "document:"},
		"a lost header":  {lost("headers: {ETag: {$ref: '#/components/headers/Gone'}}"), "#/components/headers/Gone"},
		"a lost answer":  {lost("$ref: '#/components/responses/Gone'"), "#/components/responses/Gone"},
		"a lost example": {lost("content: {text/plain: {examples: {x: {$ref: '#/components/examples/Gone'}}}}"), "#/components/examples/Gone"},
	} {
		_, err := New([]byte(c.text))
		require.ErrorContains(t, err, c.want, name)
	}
}

// lost is a document with one answer that says what.
func lost(what string) string {
	return "tags: [{name: x}]\npaths: {/a: {get: {tags: [x], operationId: a, responses: {'200': {" + what + "}}}}}\n"
}

func TestADescriptionIsSplitIntoBlocksAndSpans(t *testing.T) {
	got := blocks("One *em* `a*b*` and\n**bold**.\n\n- first\n- `second`\n\n| a | b |\n| --- | --- |\n| 1 | `2` |\n\n<b>as it is</b>\n")
	require.Equal(t, []block{
		{Kind: "p", Text: []span{{"", "One "}, {"em", "em"}, {"", " "}, {"code", "a*b*"}, {"", " and "}, {"b", "bold"}, {"", "."}}},
		{Kind: "ul", Rows: [][]cell{{{{"", "first"}}}, {{{"code", "second"}}}}},
		{Kind: "table", Rows: [][]cell{{{{"", "a"}}, {{"", "b"}}}, {{{"", "1"}}, {{"code", "2"}}}}},
		{Kind: "p", Text: []span{{"", "<b>as it is</b>"}}},
	}, got)
	doc, err := New([]byte("info: {title: t, description: \"<script>alert(1)</script>\"}"))
	require.NoError(t, err)
	require.False(t, strings.Contains(string(doc.Page), "<script>"), "a description is text and no markup")
}
