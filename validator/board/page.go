package board

import (
	"html/template"
	"net/http"
	"time"
)

// sheet is what the page around a scene needs.
type sheet struct {
	Lang, Theme, Title string
	Version            string
	Asked              string // scene
	Run                string
	Seq                uint64
	Now, Last          int64 // Unix milliseconds
	Patience           int64 // milliseconds without an entry until the page says so
	Closed             bool
	Offset             int // of the contest's zone from UTC, in seconds
	Clock              string
	Say, Body          template.HTML
}

// page draws a scene in full: it can be read as it is, without any script.
func (b *Board) page(w http.ResponseWriter, r *http.Request) {
	asked := sceneOf(r)
	now := b.now()
	b.mu.Lock()
	d := b.drawn(asked)
	a, v := b.artist, b.view
	_, offset := now.In(a.zone).Zone()
	s := sheet{
		Lang: a.Lang, Theme: themeOf(r), Title: "Bog’Ops", Version: b.version, Asked: asked, Run: v.run, Seq: d.seq,
		Now: now.UnixMilli(), Last: v.head.At.UnixMilli(), Patience: v.patience().Milliseconds(), Closed: v.closed != nil,
		Offset: offset, Clock: a.clock(now), Say: d.picture.parts["say"],
	}
	if v.opened.Title != "" {
		s.Title = v.opened.Title + " · Bog’Ops"
	}
	picture := d.picture
	b.mu.Unlock()
	var err error
	if s.Body, err = a.whole(picture, s.Clock); err == nil {
		var html template.HTML
		if html, err = a.draw("page", s); err == nil {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(html))
			return
		}
	}
	b.logger.Error("a page is not drawn", "scene", asked, "error", err)
	http.Error(w, "The wall cannot be drawn; the judge's log says why.", http.StatusInternalServerError)
}

// patience is how old the newest entry may be before the page says that the
// data is stale. A judge that looks once a minute may well write nothing for
// most of that minute.
func (v *View) patience() time.Duration {
	const stale = 15 * time.Second
	if tick := v.opened.Rules.Tick.Duration(); tick > stale/2 {
		return stale + tick
	}
	return stale
}

func themeOf(r *http.Request) string {
	switch theme := r.FormValue("theme"); theme {
	case "light", "auto":
		return theme
	}
	return "dark"
}
