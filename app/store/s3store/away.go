package s3store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// Away keeps what belongs to Ceph while Ceph is not there; it implements
// versioned.Away on a bucket of its own:
//
//	fallback/<epoch>/<SHA-256 of the key>            a head, a small body behind it
//	fallback/<epoch>/<SHA-256 of the key>.<draft>    a big body, seen by nobody before a head names it
//	records/<name>                                   a record
//
// So every commit is one small PutObject under a condition.
type Away struct {
	records
	watch *watch
}

var _ versioned.Away = (*Away)(nil)

const areas = "fallback/"

// NewAway returns what is kept in a bucket. As with Open, a server that does
// not keep its word is an error, and one that does not answer is down.
func NewAway(ctx context.Context, opts Options) (*Away, error) {
	b, err := newBucket(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("s3store: away: %w", err)
	}
	w, err := startWatch(ctx, b, opts)
	if err != nil {
		return nil, fmt.Errorf("s3store: away: %w", err)
	}
	return &Away{records: records{b, w}, watch: w}, nil
}

// Health says how the server feels, by a look in the background.
func (a *Away) Health() store.Health { return a.watch.health() }

// Close ends the looks and the idle connections.
func (a *Away) Close() error {
	a.watch.stop()
	a.b.close()
	return nil
}

// Area implements versioned.Away.
func (a *Away) Area(epoch uint64) versioned.Place { return a.area(epoch) }

func (a *Away) area(epoch uint64) *area {
	return &area{b: a.b, watch: a.watch, prefix: areas + strconv.FormatUint(epoch, 10) + "/"}
}

// Areas implements versioned.Away.
func (a *Away) Areas(ctx context.Context) ([]uint64, error) {
	err := a.watch.open(ctx)
	var prefixes []string
	if err == nil {
		_, prefixes, err = a.b.list(ctx, store.ListOptions{Prefix: areas, Delimiter: "/"}, -1)
	}
	if err != nil {
		return nil, fmt.Errorf("s3store: areas: %w", err)
	}
	var epochs []uint64
	for _, p := range prefixes {
		epoch, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(p, areas), "/"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("s3store: areas: %w: %q is no area", store.ErrDamaged, p)
		}
		epochs = append(epochs, epoch)
	}
	slices.Sort(epochs) // S3 sorts them as words
	return epochs, nil
}

// Heads implements versioned.Away. The order is that of the keys' digests, and
// the cursor is one of them.
func (a *Away) Heads(ctx context.Context, epoch uint64, cursor string, limit int) (heads []versioned.Head, next string, err error) {
	if limit < 1 {
		return nil, "", fmt.Errorf("s3store: heads: got limit %d, want at least 1", limit)
	}
	at := a.area(epoch)
	if err = a.watch.open(ctx); err == nil {
		var names []string
		if names, next, err = at.names(ctx, cursor, limit); err == nil {
			heads, err = at.heads(ctx, names)
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("s3store: heads of area %d: %w", epoch, err)
	}
	return heads, next, nil
}

// names returns up to limit names of heads, bodies left out.
func (p *area) names(ctx context.Context, cursor string, limit int) (names []string, next string, err error) {
	for {
		keys, _, err := p.b.list(ctx, store.ListOptions{Prefix: p.prefix, After: p.prefix + cursor}, maxPage)
		if err != nil {
			return nil, "", err
		}
		for _, key := range keys {
			cursor = strings.TrimPrefix(key, p.prefix)
			if strings.Contains(cursor, ".") {
				continue
			}
			if names = append(names, key); len(names) == limit {
				return names, cursor, nil
			}
		}
		if len(keys) < maxPage {
			return names, "", nil
		}
	}
}

// heads reads heads by their names. What is gone by now is left out.
func (p *area) heads(ctx context.Context, names []string) ([]versioned.Head, error) {
	found := make([]stored, len(names))
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(asking)
	for i, name := range names {
		all.Go(func() (err error) {
			if found[i], err = p.glance(ctx, name, ""); err == nil && !found[i].Version.IsZero() && p.name(found[i].Info.Key) != name {
				err = fmt.Errorf("%w: a head under the name of another key", store.ErrDamaged)
			}
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	var heads []versioned.Head
	for _, f := range found {
		if !f.Version.IsZero() {
			heads = append(heads, f.Head)
		}
	}
	return heads, nil
}

// Sweep implements versioned.Away. It looks at the bodies first and at the
// heads then, so that a body is never older than the head that would name it.
func (a *Away) Sweep(ctx context.Context, epoch uint64) (removed int, err error) {
	at := a.area(epoch)
	if err = a.watch.open(ctx); err == nil {
		removed, err = at.sweep(ctx)
	}
	if err != nil {
		return removed, fmt.Errorf("s3store: sweep of area %d: %w", epoch, err)
	}
	return removed, nil
}

func (p *area) sweep(ctx context.Context) (removed int, err error) {
	keys, _, err := p.b.list(ctx, store.ListOptions{Prefix: p.prefix}, -1)
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		name, draft, isBody := strings.Cut(key, ".")
		if !isBody {
			continue
		}
		head, err := p.glance(ctx, name, "")
		if err != nil {
			return removed, err
		}
		if head.body == draft {
			continue
		}
		if err := p.b.remove(ctx, key, ""); err != nil {
			return removed, failed(ctx, err)
		}
		removed++
	}
	return removed, p.sweepUploads(ctx)
}

// sweepUploads gives up the bodies that were never finished.
func (p *area) sweepUploads(ctx context.Context) error {
	bound, cancel := context.WithTimeout(ctx, p.b.timeout)
	defer cancel()
	out, err := p.b.api.ListMultipartUploads(bound, &s3.ListMultipartUploadsInput{Bucket: &p.b.name, Prefix: &p.prefix}, p.b.retried)
	if err != nil {
		return failed(ctx, err)
	}
	for _, u := range out.Uploads {
		if u.Key != nil && u.UploadId != nil && strings.HasPrefix(*u.Key, p.prefix) {
			p.b.abort(ctx, *u.Key, *u.UploadId)
		}
	}
	return nil
}

func (p *area) name(key string) string {
	sum := sha256.Sum256([]byte(key))
	return p.prefix + hex.EncodeToString(sum[:])
}

// makeGuard holds the tag of the head and the name of its body.
func makeGuard(etag, body string) string { return etag + "." + body }

// splitGuard undoes makeGuard. The guard of nothing is empty.
func splitGuard(guard string) (etag, body string) {
	etag, body, _ = strings.Cut(guard, ".")
	return etag, body
}

var errNothing = errors.New("got the head of nothing, want one that was found")
