package conformance

import (
	"context"
	"io"

	"bogops/app/store"
)

// platform is what the drivers of both suites need: a store, or a server that
// keeps the contract. Errors are those of package store.
type platform interface {
	Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error)
	Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error)
	Stat(ctx context.Context, key string) (store.Info, error)
	Delete(ctx context.Context, key, ifMatch string) error

	// Page returns the page of a listing that a token of the page before
	// names, and the token of the next; "" is before the first and after the
	// last.
	Page(ctx context.Context, prefix, delimiter, token string, limit int) (page store.Page, next string, err error)
}

// direct is a store without a server before it. It checks keys, which is its
// caller's part and not a store's.
type direct struct{ store.Store }

func (d direct) Put(ctx context.Context, key string, body io.Reader, opts store.PutOptions) (store.Info, error) {
	if err := store.CheckKey(key); err != nil {
		return store.Info{}, err
	}
	return d.Store.Put(ctx, key, body, opts)
}

func (d direct) Get(ctx context.Context, key string, rng store.Range) (io.ReadCloser, store.Info, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, store.Info{}, err
	}
	return d.Store.Get(ctx, key, rng)
}

func (d direct) Page(ctx context.Context, prefix, delimiter, token string, limit int) (store.Page, string, error) {
	page, err := d.List(ctx, store.ListOptions{Prefix: prefix, Delimiter: delimiter, After: token, Limit: limit})
	if err != nil || !page.More {
		return page, "", err
	}
	return page, page.Last(), nil
}

// entry is a line of a page: an object, or a prefix, which has a name only.
type entry struct {
	store.Info
	isPrefix bool
}

// entries are the objects and the prefixes of a page in one order.
func entries(page store.Page) []entry {
	all := make([]entry, 0, len(page.Objects)+len(page.Prefixes))
	objects, prefixes := page.Objects, page.Prefixes
	for len(objects) > 0 || len(prefixes) > 0 {
		if len(prefixes) == 0 || len(objects) > 0 && objects[0].Key < prefixes[0] {
			all = append(all, entry{objects[0], false})
			objects = objects[1:]
		} else {
			all = append(all, entry{store.Info{Key: prefixes[0]}, true})
			prefixes = prefixes[1:]
		}
	}
	return all
}

// empty deletes every object.
func empty(ctx context.Context, p platform) error {
	for {
		page, _, err := p.Page(ctx, "", "", "", 1000)
		if err != nil || len(page.Objects) == 0 {
			return err
		}
		for _, object := range page.Objects {
			if err := p.Delete(ctx, object.Key, ""); err != nil {
				return err
			}
		}
	}
}
