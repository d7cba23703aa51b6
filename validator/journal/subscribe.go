package journal

import "context"

// Subscribe sends every entry with a sequence number above after, those of the
// past first, then each as it reaches the disk. A slow reader delays nobody: it
// catches up from memory. The channel closes when ctx ends, or when the journal
// was closed and everything has been delivered; a reader that stops early must
// end ctx.
func (j *Journal) Subscribe(ctx context.Context, after uint64) <-chan Entry {
	out := make(chan Entry)
	go func() {
		defer close(out)
		for {
			fresh, changed, ended := j.after(after)
			for _, e := range fresh {
				select {
				case out <- e:
					after = e.Seq
				case <-ctx.Done():
					return
				}
			}
			if len(fresh) > 0 {
				continue
			}
			if ended {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// after returns the entries beyond seq, what to wait on where there are none,
// and whether none will come any more.
func (j *Journal) after(seq uint64) (fresh []Entry, changed <-chan struct{}, ended bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	count := uint64(len(j.entries))
	if seq < count {
		fresh = j.entries[seq:count:count]
	}
	ended = j.failed != nil || j.closed && !j.writing && len(j.pending) == 0
	return fresh, j.changed, ended
}
