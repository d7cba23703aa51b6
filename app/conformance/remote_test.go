package conformance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bogops/app/store"
)

// remote is a server, reached as CHALLENGE.md says and in no other way.
type remote struct {
	url, token string
	client     *http.Client
}

// refusals are the errors that a problem's status stands for.
var refusals = map[int]error{
	http.StatusBadRequest:            store.ErrBadKey,
	http.StatusNotFound:              store.ErrNotFound,
	http.StatusPreconditionFailed:    store.ErrCondition,
	http.StatusRequestEntityTooLarge: store.ErrTooLarge,
	http.StatusServiceUnavailable:    store.ErrUnavailable,
	http.StatusInsufficientStorage:   store.ErrFull,
}

// do sends a request and returns its answer where its status is one of want;
// any other must be a problem (RFC 9457), and comes back as an error.
func (r remote) do(ctx context.Context, method, path string, body io.Reader, size int64, header http.Header, want ...int) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, r.url+path, body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = size
	request.Header = header
	request.Header.Set("Authorization", "Bearer "+r.token)
	answer, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	for _, status := range want {
		if answer.StatusCode == status {
			return answer, nil
		}
	}
	defer answer.Body.Close()
	var problem struct {
		Status int
		Detail string
	}
	if method != http.MethodHead {
		if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil || problem.Status != answer.StatusCode ||
			answer.Header.Get("Content-Type") != "application/problem+json" {
			return nil, fmt.Errorf("%s %s: status %d without a problem: %+v, %w", method, path, answer.StatusCode, problem, err)
		}
	}
	if known := refusals[answer.StatusCode]; known != nil {
		return nil, fmt.Errorf("%w: %s %s: %s", known, method, path, problem.Detail)
	}
	return nil, fmt.Errorf("%s %s: status %d: %s", method, path, answer.StatusCode, problem.Detail)
}

// path keeps slashes and escapes all else that could mean something.
func path(key string) string {
	segments := strings.Split(key, "/")
	for i, segment := range segments {
		segments[i] = url.PathEscape(segment)
	}
	return "/v1/objects/" + strings.Join(segments, "/")
}

// object is the JSON that describes one.
type object struct {
	Key         string    `json:"key"`
	Size        int64     `json:"size"`
	ETag        string    `json:"etag"`
	ContentType string    `json:"content_type"`
	Modified    time.Time `json:"modified"`
}

func (o object) info() store.Info {
	return store.Info{Key: o.Key, Size: o.Size, ETag: o.ETag, ContentType: o.ContentType, Modified: o.Modified}
}

func (r remote) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	header := http.Header{}
	if opts.ContentType != "" {
		header.Set("Content-Type", opts.ContentType)
	}
	for name, value := range opts.Meta {
		header.Set("Bogops-Meta-"+name, value)
	}
	if opts.IfAbsent {
		header.Set("If-None-Match", "*")
	}
	if opts.IfMatch != "" {
		header.Set("If-Match", opts.IfMatch)
	}
	if opts.SHA256 != nil {
		header.Set("Content-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(opts.SHA256)+":")
	}
	if opts.Size == 0 {
		body = http.NoBody
	}
	answer, err := r.do(ctx, http.MethodPut, path(key), body, opts.Size, header, http.StatusOK, http.StatusCreated)
	if err != nil {
		return store.Info{}, err
	}
	defer answer.Body.Close()
	var put object
	if err := json.NewDecoder(answer.Body).Decode(&put); err != nil {
		return store.Info{}, err
	}
	if put.Key != key || put.ETag == "" || put.ETag != answer.Header.Get("ETag") {
		return store.Info{}, fmt.Errorf("PUT %q was answered with %+v and the ETag %s", key, put, answer.Header.Get("ETag"))
	}
	info := put.info()
	info.Replaced = answer.StatusCode == http.StatusOK
	return info, nil
}

func (r remote) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	header := http.Header{}
	switch {
	case rng.Length == 0: // which no range of HTTP can say
		return r.nothing(ctx, key)
	case rng == store.Whole:
		header.Set("Want-Repr-Digest", "sha-256=10")
	case rng.Length < 0:
		header.Set("Range", fmt.Sprintf("bytes=%d-", rng.Offset))
	default:
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", rng.Offset, rng.Offset+rng.Length-1))
	}
	answer, err := r.do(ctx, http.MethodGet, path(key), nil, 0, header,
		http.StatusOK, http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable)
	if err != nil {
		return nil, store.Info{}, err
	}
	if answer.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		answer.Body.Close()
		return r.nothing(ctx, key)
	}
	info, err := described(key, answer)
	if err == nil && answer.StatusCode == http.StatusPartialContent {
		info.Size, err = whole(answer.Header.Get("Content-Range"), rng)
	} else if err == nil && rng != store.Whole {
		err = fmt.Errorf("GET %q with %s: status 200, want 206", key, header.Get("Range"))
	}
	if err != nil {
		answer.Body.Close()
		return nil, info, err
	}
	if digest := answer.Header.Get("Repr-Digest"); rng == store.Whole && digest != "" {
		return &checked{answer.Body, sha256.New(), digest}, info, nil
	}
	return answer.Body, info, nil
}

// nothing is what a part without bytes yields: the object alone.
func (r remote) nothing(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
	info, err := r.Stat(ctx, key)
	if err != nil {
		return nil, info, err
	}
	return io.NopCloser(bytes.NewReader(nil)), info, nil
}

// whole reads a Content-Range (RFC 9110, section 14.4), which must be for rng,
// and returns the size of the object.
func whole(text string, rng store.Range) (int64, error) {
	var first, last, size int64
	if _, err := fmt.Sscanf(text, "bytes %d-%d/%d", &first, &last, &size); err != nil {
		return 0, fmt.Errorf("Content-Range %q: %w", text, err)
	}
	if from, to := rng.Clip(size); first != from || last != to-1 {
		return 0, fmt.Errorf("Content-Range %q for %+v", text, rng)
	}
	return size, nil
}

// checked is a body that must have the digest that came before it.
type checked struct {
	io.ReadCloser
	sum  hash.Hash
	want string
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.sum.Write(p[:n])
	if got := "sha-256=:" + base64.StdEncoding.EncodeToString(c.sum.Sum(nil)) + ":"; err == io.EOF && got != c.want {
		err = fmt.Errorf("%w: Repr-Digest is %s, and that of the bytes %s", store.ErrDigest, c.want, got)
	}
	return n, err
}

func (r remote) Stat(ctx context.Context, key string) (store.Info, error) {
	answer, err := r.do(ctx, http.MethodHead, path(key), nil, 0, http.Header{}, http.StatusOK)
	if err != nil {
		return store.Info{}, err
	}
	answer.Body.Close()
	return described(key, answer)
}

// described reads the headers of GET and HEAD.
func described(key string, answer *http.Response) (info store.Info, err error) {
	info = store.Info{Key: key, Size: answer.ContentLength, ETag: answer.Header.Get("ETag"), ContentType: answer.Header.Get("Content-Type")}
	for name, values := range answer.Header {
		if short, ours := strings.CutPrefix(name, "Bogops-Meta-"); ours {
			if info.Meta == nil {
				info.Meta = map[string]string{}
			}
			info.Meta[strings.ToLower(short)] = values[0]
		}
	}
	info.Modified, err = http.ParseTime(answer.Header.Get("Last-Modified"))
	return info, err
}

func (r remote) Delete(ctx context.Context, key, ifMatch string) error {
	header := http.Header{}
	if ifMatch != "" {
		header.Set("If-Match", ifMatch)
	}
	answer, err := r.do(ctx, http.MethodDelete, path(key), nil, 0, header, http.StatusNoContent)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

func (r remote) Page(ctx context.Context, prefix, delimiter, token string, limit int) (store.Page, string, error) {
	query := "?limit=" + strconv.Itoa(limit)
	for name, value := range map[string]string{"prefix": prefix, "delimiter": delimiter, "cursor": token} {
		if value != "" {
			query += "&" + name + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
		}
	}
	answer, err := r.do(ctx, http.MethodGet, "/v1/objects"+query, nil, 0, http.Header{}, http.StatusOK)
	if err != nil {
		return store.Page{}, "", err
	}
	defer answer.Body.Close()
	var listed struct {
		Objects    []object `json:"objects"`
		Prefixes   []string `json:"prefixes"`
		NextCursor *string  `json:"next_cursor"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&listed); err != nil {
		return store.Page{}, "", err
	}
	page := store.Page{Prefixes: listed.Prefixes, More: listed.NextCursor != nil}
	for _, o := range listed.Objects {
		page.Objects = append(page.Objects, o.info())
	}
	if !page.More {
		return page, "", nil
	}
	return page, *listed.NextCursor, nil
}
