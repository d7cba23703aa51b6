package board

import (
	"html/template"
	"time"

	"bogops/validator/journal"
)

// pace is the least time between two drawings: at most four a second, however
// fast the journal grows.
const pace = 250 * time.Millisecond

// drawing is a scene as it was last drawn, and since which entry each of its
// parts looks like that. What a viewer lacks is then a comparison of numbers:
// nobody's past is kept, and a viewer who comes back late costs no more.
type drawing struct {
	picture picture
	seq     uint64            // of the last entry that was drawn
	framed  uint64            // the entry that changed the layout
	since   map[string]uint64 // by part
}

// follow folds the journal into the view, and redraws what is being watched.
func (b *Board) follow(source Source) {
	defer close(b.done)
	past := source.Entries()
	b.mu.Lock()
	for _, e := range past {
		b.fold(e)
	}
	after := b.view.head.Seq
	b.mu.Unlock()
	close(b.ready)

	entries := source.Subscribe(b.ctx, after)
	timer := time.NewTimer(pace)
	timer.Stop()
	var drawn time.Time // monotonic, so not the contest's clock
	waiting := false
	for {
		select {
		case <-b.ctx.Done():
			return
		case e, open := <-entries:
			if !open {
				entries = nil // the journal is closed: what is drawn stays
				continue
			}
			b.mu.Lock()
			b.fold(e)
			b.mu.Unlock()
			if !waiting {
				waiting = true
				timer.Reset(max(0, pace-time.Since(drawn)))
			}
		case <-timer.C:
			waiting, drawn = false, time.Now()
			b.redraw()
		}
	}
}

// fold takes one entry. The caller holds mu.
func (b *Board) fold(e journal.Entry) {
	if err := b.view.Add(e); err != nil {
		b.logger.Error("an entry is not shown", "seq", e.Seq, "kind", e.Kind, "error", err)
		return
	}
	if e.Kind == journal.KindOpened {
		b.artist = mustArtist(newSpeech(b.view.opened.Locale, b.view.opened.Timezone))
	}
}

// redraw draws every scene that somebody watches, and wakes the streams.
func (b *Board) redraw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for asked, viewers := range b.viewers {
		if viewers > 0 {
			b.drawn(asked)
		}
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// drawn returns a scene as of the newest entry. The caller holds mu.
func (b *Board) drawn(asked string) *drawing {
	d := b.scenes[asked]
	seq := b.view.head.Seq
	if d != nil && d.seq == seq {
		return d
	}
	var before picture
	if d != nil {
		before = d.picture
	}
	picture, err := b.artist.paint(b.view, b.view.choose(asked), before)
	if err != nil {
		b.logger.Error("the wall is not drawn", "seq", seq, "error", err)
		if d != nil {
			return d // the wall as it was is better than none
		}
	}
	if d == nil || d.picture.key != picture.key {
		d = &drawing{framed: seq, since: map[string]uint64{}}
		b.scenes[asked] = d
	}
	for id, html := range picture.parts {
		if before, found := d.picture.parts[id]; !found || before != html {
			d.since[id] = seq
		}
	}
	d.picture, d.seq = picture, seq
	return d
}

// news is what a viewer lacks who has seen everything up to an entry.
type news struct {
	Seq    uint64                   `json:"seq"`
	Now    int64                    `json:"now"`  // Unix milliseconds
	Last   int64                    `json:"last"` // of the newest entry
	Closed bool                     `json:"closed"`
	Run    string                   `json:"run"`
	Parts  map[string]template.HTML `json:"parts"` // by element id
}

// watch counts the viewers of a scene: one that nobody watches is not drawn.
func (b *Board) watch(asked string, viewers int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.viewers[asked] += viewers
}

// since returns the news for a viewer of a scene, and what to wait on for
// more. run is the journal that the viewer has seen: of another one everything
// is news. Only where exact does it draw what is newer than the last drawing:
// else a crowd of viewers would draw more often than the pace allows.
func (b *Board) since(asked, run string, after uint64, exact bool) (news, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.scenes[asked]
	if exact || d == nil {
		d = b.drawn(asked)
	}
	n := b.news(d.seq)
	if d.framed > after || after > d.seq || run != b.view.run {
		whole, err := b.artist.whole(d.picture, b.artist.clock(b.now()))
		if err != nil {
			b.logger.Error("the wall is not drawn", "seq", d.seq, "error", err)
			return n, b.changed
		}
		n.Parts["scene"] = whole
		n.Parts["say"] = d.picture.parts["say"]
		return n, b.changed
	}
	for id, seq := range d.since {
		if seq > after {
			n.Parts[id] = d.picture.parts[id]
		}
	}
	return n, b.changed
}

func (b *Board) news(seq uint64) news {
	return news{Seq: seq, Now: b.now().UnixMilli(), Last: b.view.head.At.UnixMilli(), Run: b.view.run, Closed: b.view.closed != nil, Parts: map[string]template.HTML{}}
}
