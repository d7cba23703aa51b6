package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"bogops/validator/target"
	"bogops/validator/verdict"
)

const listPath = "/v1/objects"

// page is one answer to a listing.
type page struct {
	Objects    []described `json:"objects"`
	Prefixes   []string    `json:"prefixes"`
	NextCursor *string     `json:"next_cursor"`
}

// keys are those of the page's objects.
func (p page) keys() []string {
	keys := make([]string, len(p.Objects))
	for i, o := range p.Objects {
		if o.Key != nil {
			keys[i] = *o.Key
		}
	}
	return keys
}

// page asks for a listing with these parameters, given as names and values in
// turn.
func (s *Session) page(ctx context.Context, what string, parameters ...string) (page, error) {
	return s.pageOf(ctx, what, s.elsewhere(listing(parameters...)))
}

func (s *Session) pageOf(ctx context.Context, what string, r target.Request) (page, error) {
	var got page
	reply, err := s.expect(ctx, what, r, 200)
	if err != nil {
		return got, err
	}
	if err := wantType(reply, what, "application/json"); err != nil {
		return got, err
	}
	return got, fields(reply, what, &got, "objects", "prefixes", "next_cursor")
}

func listing(parameters ...string) target.Request {
	var query []string
	for i := 0; i+1 < len(parameters); i += 2 {
		query = append(query, parameters[i]+"="+escape(parameters[i+1]))
	}
	path := listPath
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return target.Request{Method: http.MethodGet, Path: path}
}

// storeAll stores small objects under all these keys, a few at a time, and
// returns what the platform said of each.
func (s *Session) storeAll(ctx context.Context, keys []string) (map[string]described, error) {
	const atOnce = 8
	told := make([]described, len(keys))
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, key := range keys {
		body := s.Bytes(1 + i)
		group.Go(func() error {
			reply, err := s.expect(limited, fmt.Sprintf("PUT of %s", size(len(body))), putting(key, body, "Content-Type", "image/x-bog"), 201, 200)
			if err != nil {
				return err
			}
			// How well a PUT describes its object is another check's business.
			_ = json.Unmarshal(reply.Body, &told[i])
			tag, n := reply.Header.Get("ETag"), int64(len(body))
			told[i].ETag, told[i].Size = &tag, &n
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := map[string]described{}
	for i, key := range keys {
		all[key] = told[i]
	}
	return all, nil
}

// shown waits until a listing shows all these keys, or does not want to. That
// it shows them at once is the promise of one check alone.
func (s *Session) shown(ctx context.Context, prefix string, keys []string) error {
	begin := time.Now()
	for n := 0; n < 3 || time.Since(begin) < 2*promptly; n++ {
		got, err := s.complete(ctx, "GET of a listing", len(keys), s.elsewhere, "prefix", prefix, "limit", "1000")
		if err != nil || len(absent(got.keys(), keys)) == 0 {
			return err
		}
		pause(ctx, 100*time.Millisecond)
	}
	return nil
}

// absent are the keys that got lacks.
func absent(got, keys []string) []string {
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return slices.Contains(got, key) })
}

// wantKeys is nil where got is exactly want, both in the order of a listing.
func wantKeys(what, kind string, got, want []string) error {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return verdict.Wrong(what, fmt.Sprintf("%d %s", len(got), kind), fmt.Sprintf("%d, and %s next", len(want), quoted(want[i])))
		case i >= len(want):
			return verdict.Wrong(what, fmt.Sprintf("%s beyond the %d %s", quoted(got[i]), len(want), kind), "no more")
		case got[i] != want[i]:
			return verdict.Wrong(what, fmt.Sprintf("%s at place %d of the %s", quoted(got[i]), i+1, kind), quoted(want[i]))
		}
	}
	return nil
}

func list(ctx context.Context, s *Session) (string, error) {
	prefix := s.Key(s.Word(8) + "/")
	var inside []string
	// U+FF61 comes before U+1F41F in UTF-8, and after it in UTF-16.
	for _, name := range []string{"a", "B", "a!", "a/b", "a//b", "a0", "é", "\uff61", "\U0001f41f", "with space", "p+q", "100%", "~"} {
		inside = append(inside, prefix+name+s.Word(2))
	}
	bare := strings.TrimSuffix(prefix, "/")
	outside := []string{bare + "." + s.Word(2), bare + "0" + s.Word(2), bare}
	told, err := s.storeAll(ctx, slices.Concat(inside, outside))
	if err != nil {
		return "", err
	}
	if err := s.shown(ctx, prefix, inside); err != nil {
		return "", err
	}
	what := fmt.Sprintf("listing of a prefix with %d objects", len(inside))
	got, err := s.complete(ctx, "GET of a "+what, len(inside), s.elsewhere, "prefix", prefix)
	if err != nil {
		return "", err
	}
	slices.Sort(inside)
	if err := wantKeys("The "+what, "keys", got.keys(), inside); err != nil {
		return "", err
	}
	if err := wantKeys("The "+what+", without delimiter", "prefixes", got.Prefixes, nil); err != nil {
		return "", err
	}
	for _, o := range got.Objects {
		if err := wantListed(o, told[*o.Key]); err != nil {
			return "", err
		}
	}
	if err := s.prefixesRead(ctx, prefix, inside); err != nil {
		return "", err
	}
	if err := s.readerLists(ctx, prefix); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d objects of a prefix in byte order", len(inside)), nil
}

// prefixesRead wants that a prefix is decoded as a key is, and not once more.
func (s *Session) prefixesRead(ctx context.Context, prefix string, keys []string) error {
	for _, name := range []string{"with s", "p+", "100%", "é"} {
		want := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !strings.HasPrefix(key, prefix+name) })
		got, err := s.complete(ctx, "GET of a listing", len(want), s.elsewhere, "prefix", prefix+name)
		if err != nil {
			return err
		}
		if err := wantKeys(fmt.Sprintf("The listing of a prefix that ends with %q", name), "keys", got.keys(), want); err != nil {
			return err
		}
	}
	return nil
}

// readerLists wants that the reader may list too.
func (s *Session) readerLists(ctx context.Context, prefix string) error {
	if s.Target.ReaderToken == "" {
		return nil
	}
	asReader := listing("prefix", prefix)
	asReader.Token = s.Target.ReaderToken
	_, err := s.expect(ctx, "GET of a listing by the reader", asReader, 200)
	return err
}

// wantListed compares the five fields with what the PUT said.
func wantListed(got, put described) error {
	for _, field := range []struct {
		name string
		ok   bool
		got  any
		want any
	}{
		{"size", got.Size != nil && *got.Size == *put.Size, got.Size, put.Size},
		{"etag", got.ETag != nil && *got.ETag == *put.ETag, got.ETag, put.ETag},
		{"content_type", got.ContentType != nil && *got.ContentType == "image/x-bog", got.ContentType, "image/x-bog"},
		{"modified", inUTC(got.Modified) && near(got.Modified, put.Modified), got.Modified, put.Modified},
	} {
		if !field.ok {
			return verdict.Wrong(field.name+" of a listed object", spell(field.got), "that of its PUT, "+spell(field.want))
		}
	}
	return nil
}

// near tells whether two times differ by less than a second: a store may keep
// whole seconds only.
func near(a, b *time.Time) bool {
	return b == nil || a.Sub(*b).Abs() < time.Second
}

func listBad(ctx context.Context, s *Session) (string, error) {
	bad := []struct{ query, why string }{
		{"limit=0", "a limit of 0"},
		{"limit=1001", "a limit of 1,001"},
		{"limit=-1", "a negative limit"},
		{"limit=" + s.Word(3) + "x", "a limit that is no number"},
		{"delimiter=" + s.Word(2), "a delimiter of two characters"},
		{"delimiter=%2F%2F", "a delimiter of two slashes"},
		{"cursor=%00%FF" + s.Word(9), "a cursor that no page gave"},
	}
	for _, c := range bad {
		r := target.Request{Method: http.MethodGet, Path: listPath + "?" + c.query}
		if _, err := s.expect(ctx, "GET of a listing with "+c.why, r, 400); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d bad values refused", len(bad)), nil
}
