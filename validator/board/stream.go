package board

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// beat is how often a quiet stream shows that it lives; patience is how long
// one write may take before its viewer is dropped. A dropped viewer connects
// again and gets what it lacks.
const (
	beat     = 10 * time.Second
	patience = 10 * time.Second
)

// events streams news as server-sent events. Each has the sequence number of
// the newest entry as its id, so a viewer that connects again with
// Last-Event-ID gets what changed since, and no more. With Accept:
// application/json it answers once: that is the fall-back of a viewer whose
// network does not let streams through.
func (b *Board) events(w http.ResponseWriter, r *http.Request) {
	asked, run, after := sceneOf(r), r.FormValue("run"), seen(r)
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		n, _ := b.since(asked, run, after, true)
		writeJSON(w, n)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	send := func(format string, args ...any) bool {
		// An error here means a writer without deadlines, as in tests.
		_ = out.SetWriteDeadline(time.Now().Add(b.patience))
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	if !send("retry: 1000\n\n") {
		return
	}
	b.watch(asked, 1)
	defer b.watch(asked, -1)
	first := true
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		n, changed := b.since(asked, run, after, first)
		first = false
		if n.Seq != after || len(n.Parts) > 0 {
			data, err := json.Marshal(n)
			if err != nil || !send("id: %d\ndata: %s\n\n", n.Seq, data) {
				return
			}
			after, run = n.Seq, n.Run
		}
		select {
		case <-changed:
		case <-ticker.C:
			if !b.sendBeat(send) {
				return
			}
		case <-r.Context().Done():
			return
		case <-b.ctx.Done():
			return
		}
	}
}

// sendBeat has no id: the viewer keeps that of the last news.
func (b *Board) sendBeat(send func(string, ...any) bool) bool {
	b.mu.Lock()
	n := b.news(b.view.head.Seq)
	b.mu.Unlock()
	data, err := json.Marshal(n)
	return err == nil && send("event: beat\ndata: %s\n\n", data)
}

// seen is the last entry that a viewer has seen; 0 asks for everything.
func seen(r *http.Request) uint64 {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.FormValue("after")
	}
	seq, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return seq
}

// sceneOf is the scene that a request asks for, auto where it names none that
// there is.
func sceneOf(r *http.Request) string {
	switch scene := r.FormValue("scene"); scene {
	case sceneWall, sceneCampaign, scenePodium:
		return scene
	}
	return sceneAuto
}

func writeJSON(w http.ResponseWriter, value any) {
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		http.Error(w, "This cannot be spelled as JSON.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(append(data, '\n'))
}
