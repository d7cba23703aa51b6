package api

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// metaOf is what an answer says of an object's metadata.
func metaOf(got reply) map[string]string {
	meta := map[string]string{}
	for name, values := range got.header {
		if strings.HasPrefix(name, "Bogops-Meta-") {
			meta[name] = strings.Join(values, "|")
		}
	}
	return meta
}

func TestMetadataComesBackWithTheObject(t *testing.T) {
	b := newBench(t)
	put := b.do("PUT", "/v1/objects/k", "0123456789",
		"Bogops-Meta-Colour: dark  green", "BOGOPS-meta-x_Y.z: ~!\"#", "Bogops-Meta-Empty:", "Bogops-Meta-Two: a", "bogops-meta-two: b, c", "X-Meta-No: x")
	require.Equal(t, 201, put.status, put.body)
	want := map[string]string{
		"Bogops-Meta-Colour": "dark  green", "Bogops-Meta-X_y.z": "~!\"#", "Bogops-Meta-Empty": "", "Bogops-Meta-Two": "a, b, c",
	}
	require.Equal(t, want, metaOf(b.do("GET", "/v1/objects/k", "")))
	require.Equal(t, want, metaOf(b.do("HEAD", "/v1/objects/k", "")))
	require.Equal(t, want, metaOf(b.do("GET", "/v1/objects/k", "", "Range: bytes=0-1")))
	require.Empty(t, metaOf(b.do("GET", "/v1/objects/k?process=upper", "")), "the answer is not the object")
	require.Empty(t, metaOf(b.do("GET", "/v1/objects/k", "", "Range: bytes=99-")))

	require.Equal(t, 200, b.do("PUT", "/v1/objects/k", "x", "Bogops-Meta-New: 1").status)
	require.Equal(t, map[string]string{"Bogops-Meta-New": "1"}, metaOf(b.do("GET", "/v1/objects/k", "")), "the old metadata outlived its object")
	require.Equal(t, 200, b.do("PUT", "/v1/objects/k", "x").status)
	require.Empty(t, metaOf(b.do("GET", "/v1/objects/k", "")))
}

func TestMetadataIsVisibleASCIIAndAtMost2KiB(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		status  int
		headers []string
		want    string
	}{
		{201, []string{"Bogops-Meta-A: " + strings.Repeat("v", 2047)}, ""},
		{400, []string{"Bogops-Meta-A: " + strings.Repeat("v", 2048)}, "The metadata is 2049 bytes of names and values; want at most 2048."},
		{201, []string{"Bogops-Meta-" + strings.Repeat("n", 2048) + ":"}, ""},
		{400, []string{"Bogops-Meta-" + strings.Repeat("n", 2048) + ": v"}, "2049 bytes"},
		{201, []string{"Bogops-Meta-A: " + strings.Repeat("v", 1000), "Bogops-Meta-B: " + strings.Repeat("v", 1046)}, ""},
		{400, []string{"Bogops-Meta-A: " + strings.Repeat("v", 1000), "Bogops-Meta-B: " + strings.Repeat("v", 1047)}, "2049 bytes"},
		{201, []string{"Bogops-Meta-A: " + strings.Repeat("v", 1000), "Bogops-Meta-A: " + strings.Repeat("v", 1045)}, ""},
		{400, []string{"Bogops-Meta-A: " + strings.Repeat("v", 1000), "Bogops-Meta-A: " + strings.Repeat("v", 1046)}, "2049 bytes"},
		{400, []string{"Bogops-Meta-A: a\tb"}, `Bogops-Meta-A is "a\tb"; want visible ASCII.`},
		{400, []string{"Bogops-Meta-A: é"}, "want visible ASCII"},
		{400, []string{"Bogops-Meta-A: \xff"}, "want visible ASCII"},
		{400, []string{"Bogops-Meta-: x"}, "want a name behind it"},
	} {
		b.do("DELETE", "/v1/objects/k", "")
		got := b.do("PUT", "/v1/objects/k", "x", c.headers...)
		require.Equal(t, c.status, got.status, "%.60v", c.headers)
		if c.status == 400 {
			require.Contains(t, b.wantProblem(got, 400).Detail, c.want)
			require.Equal(t, 404, b.do("HEAD", "/v1/objects/k", "").status)
			continue
		}
		kept := 0
		for name, value := range metaOf(b.do("GET", "/v1/objects/k", "")) {
			kept += len(name) - len("Bogops-Meta-") + len(value)
		}
		require.Equal(t, 2048, kept)
	}
}
