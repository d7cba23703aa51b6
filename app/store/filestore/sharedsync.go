package filestore

import "sync"

// sharedSync lets those who want the same synced at the same time, a directory or
// all there is, share a sync. The zero value is ready for use.
type sharedSync struct {
	mu   sync.Mutex
	next *syncRound // takes part whoever comes now; nil: nobody waits
	last *syncRound // the one before it, which may be running
}

type syncRound struct {
	over chan struct{}
	err  error
}

// do returns the outcome of a call of sync that began after do did. What was
// done before is in it, and nothing less would do: a sync that
// runs already may have passed that by.
func (g *sharedSync) do(sync func() error) error {
	g.mu.Lock()
	if round := g.next; round != nil {
		g.mu.Unlock()
		<-round.over
		return round.err
	}
	round, before := &syncRound{over: make(chan struct{})}, g.last
	g.next, g.last = round, round
	g.mu.Unlock()
	if before != nil {
		<-before.over
	}
	g.mu.Lock()
	g.next = nil // whoever comes now comes too late for this one
	g.mu.Unlock()
	round.err = sync()
	close(round.over)
	return round.err
}
