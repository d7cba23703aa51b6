package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	servers "bogops/infra/s3"
)

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

type object = map[string]any

// bucket makes an empty one on a real server, and returns a source without a
// pattern.
func bucket(t *testing.T, name string, versioned bool) (object, *s3.Client) {
	t.Helper()
	server := servers.StartMoto(t)
	text := object{"bucket": name, "endpoint": server.Endpoint, "use_path_style": true,
		"access_key_id": server.AccessKey, "secret_access_key": server.SecretKey}
	client := source{Endpoint: server.Endpoint, UsePathStyle: true, AccessKeyID: server.AccessKey, SecretAccessKey: server.SecretKey}.client()
	_, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(name)})
	require.NoError(t, err)
	if versioned {
		_, err = client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: aws.String(name),
			VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
		require.NoError(t, err)
	}
	return text, client
}

func put(t *testing.T, client *s3.Client, bucket string, keys ...string) {
	t.Helper()
	for _, key := range keys {
		_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: strings.NewReader("body of " + key)})
		require.NoError(t, err)
	}
}

func with(source, more object) object {
	all := object{}
	for _, from := range []object{source, more} {
		for k, v := range from {
			all[k] = v
		}
	}
	return all
}

func call(t *testing.T, verb, dir string, request object) (string, string, error) {
	t.Helper()
	text, err := json.Marshal(request)
	require.NoError(t, err)
	args := []string{verb}
	if dir != "" {
		args = append(args, dir)
	}
	var stdout, stderr bytes.Buffer
	err = kind().Run(t.Context(), args, bytes.NewReader(text), &stdout, &stderr)
	return strings.TrimSpace(stdout.String()), stderr.String(), err
}

func text(t *testing.T, parts ...string) string {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(parts...))
	require.NoError(t, err)
	return string(got)
}

func TestCheckOrdersByVersionAndNotByName(t *testing.T) {
	source, client := bucket(t, "ordered", false)
	put(t, client, "ordered", "kit/app-1.10.0.tar.gz", "kit/app-1.9.0.tar.gz", "kit/app-2.0.0-rc.1.tar.gz", "kit/app-2.0.0.tar.gz",
		"kit/app-newest.tar.gz", "kit/other-9.0.0.tar.gz", "kit/app-3.0.0.tar.gz.sig", "x/kit/app-4.0.0.tar.gz")
	source["regexp"] = `kit/app-(.*)\.tar\.gz`
	cases := []struct {
		from any
		want string
	}{
		{nil, `[{"path":"kit/app-2.0.0.tar.gz"}]`},
		{object{"path": "kit/app-1.10.0.tar.gz"}, `[{"path":"kit/app-1.10.0.tar.gz"},{"path":"kit/app-2.0.0-rc.1.tar.gz"},{"path":"kit/app-2.0.0.tar.gz"}]`},
		{object{"path": "kit/app-2.0.0.tar.gz"}, `[{"path":"kit/app-2.0.0.tar.gz"}]`},
		{object{"path": "kit/app-1.9.5.tar.gz"}, `[{"path":"kit/app-1.10.0.tar.gz"},{"path":"kit/app-2.0.0-rc.1.tar.gz"},{"path":"kit/app-2.0.0.tar.gz"}]`},
		{object{"path": "kit/app-9.0.0.tar.gz"}, `[]`},
		{object{"path": "elsewhere"}, `[{"path":"kit/app-2.0.0.tar.gz"}]`},
	}
	for _, c := range cases {
		got, said, err := call(t, "check", "", object{"source": source, "version": c.from})
		require.NoError(t, err, said)
		require.JSONEq(t, c.want, got)
		require.Contains(t, said, "left out kit/app-newest.tar.gz")
	}
	got, said, err := call(t, "check", "", object{"source": with(source, object{"regexp": `kit/(app|other)-(?P<version>9.*)\.tar\.gz`})})
	require.NoError(t, err, said)
	require.JSONEq(t, `[{"path":"kit/other-9.0.0.tar.gz"}]`, got)
	got, said, err = call(t, "check", "", object{"source": with(source, object{"regexp": `none-(.*)`})})
	require.NoError(t, err, said)
	require.JSONEq(t, `[]`, got)
}

func TestCheckReadsEveryPage(t *testing.T) {
	source, client := bucket(t, "paged", false)
	for i := range 1005 {
		put(t, client, "paged", "n-"+strings.Repeat("0", i%3)+itoa(i))
	}
	got, said, err := call(t, "check", "", object{"source": with(source, object{"regexp": `n-(\d+)`})})
	require.NoError(t, err, said)
	require.JSONEq(t, `[{"path":"n-`+strings.Repeat("0", 1004%3)+`1004"}]`, got)
}

func itoa(i int) string {
	text, _ := json.Marshal(i)
	return string(text)
}

func TestWhatIsPutIsFoundAndGot(t *testing.T) {
	source, _ := bucket(t, "round", false)
	source["regexp"] = `packages/kit-(.*).tar.gz`
	dir := t.TempDir()
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kit-1.2.3.tar.gz"), large, 0o644))
	got, said, err := call(t, "out", dir, object{"source": source, "params": object{"file": "kit-*.tar.gz", "content_type": "application/gzip"}})
	require.NoError(t, err, said)
	at := source["endpoint"].(string) + "/round/packages/kit-1.2.3.tar.gz"
	require.JSONEq(t, `{"version":{"path":"packages/kit-1.2.3.tar.gz"},"metadata":[
		{"name":"filename","value":"kit-1.2.3.tar.gz"},{"name":"url","value":"`+at+`"}]}`, got)

	got, said, err = call(t, "check", "", object{"source": source})
	require.NoError(t, err, said)
	require.JSONEq(t, `[{"path":"packages/kit-1.2.3.tar.gz"}]`, got)

	to := t.TempDir()
	request := object{"source": source, "version": object{"path": "packages/kit-1.2.3.tar.gz"}}
	_, said, err = call(t, "in", to, request)
	require.NoError(t, err, said)
	require.Equal(t, string(large), text(t, to, "kit-1.2.3.tar.gz"))
	require.Equal(t, "1.2.3", text(t, to, "version"))
	require.Equal(t, at, text(t, to, "url"))
	require.Equal(t, "s3://round/packages/kit-1.2.3.tar.gz", text(t, to, "s3_uri"))

	to = t.TempDir()
	request["params"] = object{"skip_download": "true"}
	request["source"] = with(source, object{"private": true})
	shown, said, err := call(t, "in", to, request)
	require.NoError(t, err, said)
	require.NoFileExists(t, filepath.Join(to, "kit-1.2.3.tar.gz"))
	require.NotContains(t, shown+said, "Signature")
	answer, err := http.Get(text(t, to, "url"))
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.True(t, bytes.Equal(large, body))
}

func TestAVersionedFileGoesByItsVersions(t *testing.T) {
	source, _ := bucket(t, "versioned", true)
	source["versioned_file"] = "state/current"
	dir := t.TempDir()
	var ids []string
	for _, content := range []string{"one", "two", "three"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "any-name"), []byte(content), 0o644))
		got, said, err := call(t, "out", dir, object{"source": source, "params": object{"file": "any-name"}})
		require.NoError(t, err, said)
		var answer struct{ Version version }
		require.NoError(t, json.Unmarshal([]byte(got), &answer))
		ids = append(ids, answer.Version.VersionID)
	}
	list := func(ids ...string) string {
		versions := []version{}
		for _, id := range ids {
			versions = append(versions, version{VersionID: id})
		}
		text, err := json.Marshal(versions)
		require.NoError(t, err)
		return string(text)
	}
	for _, c := range []struct {
		from any
		want string
	}{{nil, list(ids[2])}, {object{"version_id": ids[0]}, list(ids...)}, {object{"version_id": "gone"}, list(ids[2])}} {
		got, said, err := call(t, "check", "", object{"source": source, "version": c.from})
		require.NoError(t, err, said)
		require.JSONEq(t, c.want, got)
	}
	to := t.TempDir()
	_, said, err := call(t, "in", to, object{"source": source, "version": object{"version_id": ids[1]}})
	require.NoError(t, err, said)
	require.Equal(t, "two", text(t, to, "current"))
}

func TestABadSourceIsOneClearSentence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kit-x"), nil, 0o644))
	cases := []struct{ verb, source, params, want string }{
		{"check", `{"regexp":"(.*)"}`, `{}`, "source.bucket is missing"},
		{"check", `{"bucket":"b"}`, `{}`, "wanted one of them"},
		{"check", `{"bucket":"b","regexp":"(.*)","versioned_file":"x"}`, `{}`, "wanted one of them"},
		{"check", `{"bucket":"b","regexp":"kit"}`, `{}`, "wanted a group around the version"},
		{"check", `{"bucket":"b","regexp":"("}`, `{}`, "missing closing"},
		{"check", `{"bucket":"b","regexp":"(.*)","access_key_id":"k"}`, `{}`, "wanted both or none"},
		{"check", `{"bucket":"b","regex":"(.*)"}`, `{}`, `source has the field "regex", wanted some of: bucket, regexp`},
		{"out", `{"bucket":"b","regexp":"(.*)"}`, `{}`, "params.file is missing"},
		{"out", `{"bucket":"b","regexp":"(.*)"}`, `{"file":"none"}`, `params.file is "none", which matches 0 files`},
		{"out", `{"bucket":"b","regexp":"d/kit-(.*)"}`, `{"file":"kit-x"}`, `the file would be "d/kit-x", which`},
		{"in", `{"bucket":"b","regexp":"(.*)"}`, `{}`, "in got no version"},
	}
	for _, c := range cases {
		args := []string{c.verb}
		if c.verb != "check" {
			args = append(args, dir)
		}
		var stdout, stderr bytes.Buffer
		err := kind().Run(t.Context(), args, strings.NewReader(`{"source":`+c.source+`,"params":`+c.params+`}`), &stdout, &stderr)
		require.Error(t, err, c.want)
		require.Empty(t, stdout.String())
		require.Contains(t, stderr.String(), c.want)
		require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
	}
}

func TestABucketOrAFileThatIsNotThereIsSaid(t *testing.T) {
	source, _ := bucket(t, "empty", false)
	source["regexp"] = "f-(.*)"
	_, said, err := call(t, "check", "", object{"source": with(source, object{"bucket": "nowhere"})})
	require.Error(t, err)
	require.Contains(t, said, "nowhere")
	require.Contains(t, said, "NoSuchBucket")
	to := t.TempDir()
	_, said, err = call(t, "in", to, object{"source": source, "version": object{"path": "f-1"}})
	require.Error(t, err)
	require.Contains(t, said, "get f-1 from bucket empty")
	left, err := os.ReadDir(to)
	require.NoError(t, err)
	require.Empty(t, left)
}

// A server that repeats the key that it got in its error, and sees that the
// secret is not among what is sent.
func TestTheSecretIsNeitherSentNorShown(t *testing.T) {
	t.Parallel()
	const secret = "wJalrXUtnFEMI/K7MDENG"
	var sent bytes.Buffer
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, asked *http.Request) {
		_ = asked.Header.Write(&sent)
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<Error><Code>SignatureDoesNotMatch</Code><Message>try `+secret+`</Message></Error>`)
	}))
	defer site.Close()
	_, said, err := call(t, "check", "", object{"source": object{"bucket": "b", "regexp": "(.*)", "use_path_style": true,
		"endpoint": site.URL, "access_key_id": "AKID", "secret_access_key": secret}})
	require.Error(t, err)
	require.Contains(t, said, "SignatureDoesNotMatch")
	require.Contains(t, said, "[hidden]")
	require.NotContains(t, said, secret)
	require.Contains(t, sent.String(), "AKID")
	require.NotContains(t, sent.String(), secret)
}

func TestNumbersAreOrderedAsSemanticVersioningSays(t *testing.T) {
	t.Parallel()
	ordered := []string{"0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
		"v1.0.0", "1.0.1", "1.2", "1.10", "2", "20260101120000", "99999999999999999999999999"}
	var numbers []number
	for _, text := range ordered {
		n, ok := newNumber(text)
		require.True(t, ok, text)
		numbers = append(numbers, n)
	}
	shuffled := slices.Clone(numbers)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	slices.SortFunc(shuffled, compare)
	require.Equal(t, numbers, shuffled)
	same := func(a, b string) {
		left, _ := newNumber(a)
		right, _ := newNumber(b)
		require.Zero(t, compare(left, right), a+" "+b)
	}
	same("1.2", "1.2.0")
	same("1.2.0+a", "1.2.0+b")
	for _, text := range []string{"", "latest", "1..2", "1.x", "-1"} {
		_, ok := newNumber(text)
		require.False(t, ok, text)
	}
}
