package radosstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"bogops/app/store"
	"bogops/app/store/versioned"
)

// walk calls visit for every key of the index, shard after shard, from after the
// cursor on, with the cursor that comes after the key, until it returns false.
// A cursor is the number of a shard and a key.
func (x *index) walk(ctx context.Context, cursor string, visit func(g group, cursor string) (bool, error)) error {
	first, after, err := parseCursor(cursor)
	if err != nil {
		return err
	}
	shards, err := x.open(ctx)
	if err != nil {
		return err
	}
	for n := first; n < len(shards); n++ {
		one := &merge{from: x.pool, size: pageMost, strands: []*strand{{object: shardName(n), after: after, more: true}}}
		for after = ""; ; {
			g, ok, err := one.next(ctx)
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			if goOn, err := visit(g, fmt.Sprintf("%d:%s", n, g.key)); err != nil || !goOn {
				return err
			}
		}
	}
	return nil
}

func parseCursor(cursor string) (shard int, after string, err error) {
	if cursor == "" {
		return 0, "", nil
	}
	number, key, ok := strings.Cut(cursor, ":")
	shard, err = strconv.Atoi(number)
	if !ok || err != nil || shard < 0 {
		return 0, "", fmt.Errorf("%w: %q is no cursor of tombstones; want what the call before returned", store.ErrBadKey, cursor)
	}
	return shard, key + behindKey, nil
}

// tombstones returns up to limit tombstones from after the cursor on, as
// versioned.Home says. It walks the index, and looks at the head of every key
// whose highest entry is not that of an object.
func (l *lister) tombstones(ctx context.Context, cursor string, limit int) (heads []versioned.Head, next string, err error) {
	err = l.index.walk(ctx, cursor, func(g group, after string) (bool, error) {
		if e, sure := g.believed(); sure && !e.tombstone {
			return true, nil
		}
		head, err := l.lookAt(ctx, g)
		if err != nil {
			return false, err
		}
		if head.Tombstone {
			heads = append(heads, head)
		}
		if len(heads) >= limit {
			next = after
			return false, nil
		}
		return true, nil
	})
	if err != nil {
		return nil, "", err
	}
	return heads, next, nil
}
