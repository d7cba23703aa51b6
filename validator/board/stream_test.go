package board

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"bogops/validator/journal"
)

// message is one server-sent event.
type message struct {
	event, id string
	news      struct {
		Seq   uint64            `json:"seq"`
		Run   string            `json:"run"`
		Parts map[string]string `json:"parts"`
	}
}

// listener reads a stream as a browser would.
type listener struct {
	t       *testing.T
	scanner *bufio.Scanner
}

func listen(t *testing.T, server *httptest.Server, query, lastEventID string) listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/events?"+query, nil)
	require.NoError(t, err)
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	reply, err := server.Client().Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { reply.Body.Close() })
	require.Equal(t, "text/event-stream", reply.Header.Get("Content-Type"))
	scanner := bufio.NewScanner(reply.Body)
	scanner.Buffer(nil, 1<<22)
	return listener{t, scanner}
}

func (l listener) next() message {
	l.t.Helper()
	var m message
	for l.scanner.Scan() {
		field, value, _ := strings.Cut(l.scanner.Text(), ": ")
		switch field {
		case "event":
			m.event = value
		case "id":
			m.id = value
		case "data":
			require.NoError(l.t, json.Unmarshal([]byte(value), &m.news))
		case "":
			if m.news.Seq > 0 {
				return m
			}
		}
	}
	l.t.Fatalf("the stream ended: %v", l.scanner.Err())
	return m
}

// until reads on to the event of a journal entry.
func (l listener) until(seq uint64) message {
	l.t.Helper()
	for {
		if m := l.next(); m.news.Seq >= seq {
			return m
		}
	}
}

func headOf(t *testing.T, d *demo) uint64 {
	t.Helper()
	entries := d.Entries()
	return entries[len(entries)-1].Seq
}

func TestAViewerWithoutAPastGetsTheWholeScene(t *testing.T) {
	d := newDemo(t)
	d.morning()
	_, server := serve(t, d)
	m := listen(t, server, "", "").next()
	require.Equal(t, fmt.Sprint(headOf(t, d)), m.id)
	require.Contains(t, m.news.Parts["scene"], `id="tile-loutres-tls"`)
}

func TestAViewerThatConnectsAgainGetsWhatChangedAndNoMore(t *testing.T) {
	d := newDemo(t)
	d.morning()
	_, server := serve(t, d)
	first := listen(t, server, "", "").next()

	d.next()
	d.look("pandas", "tls", tlsOK) // while nobody listens
	run := "run=" + first.news.Run
	m := listen(t, server, run, first.id).until(headOf(t, d))
	require.Contains(t, m.news.Parts, "tile-pandas-tls")
	require.Contains(t, m.news.Parts["tile-pandas-tls"], "RECOVERING")
	require.NotContains(t, m.news.Parts, "tile-loutres-api", "nothing happened there")
	require.NotContains(t, m.news.Parts, "scene", "the frame is as it was")
}

func TestAViewerOfAnotherJournalGetsTheWholeScene(t *testing.T) {
	d := newDemo(t)
	d.morning()
	_, server := serve(t, d)
	m := listen(t, server, "run=another", fmt.Sprint(headOf(t, d))).next()
	require.Contains(t, m.news.Parts, "scene")
}

func TestABurstOfEntriesIsDrawnAFewTimesOnly(t *testing.T) {
	d := newDemo(t)
	d.morning()
	_, server := serve(t, d)
	l := listen(t, server, "", "")
	l.next()
	begun := time.Now()
	for range 300 {
		d.add(journal.KindNote, journal.Note{Text: "one of many"})
	}
	drawn := 1
	for l.next().news.Seq < headOf(t, d) {
		drawn++
	}
	require.LessOrEqual(t, drawn, 2+int(time.Since(begun)/pace))
}

func TestASceneThatNobodyWatchesIsNotDrawn(t *testing.T) {
	d := newDemo(t)
	d.morning()
	b, server := serve(t, d)
	get(t, b, "/?scene=campaign")
	l := listen(t, server, "scene=wall", "")
	l.next()
	d.next()
	d.look("pandas", "tls", tlsOK)
	l.until(headOf(t, d))
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Less(t, b.scenes[sceneCampaign].seq, headOf(t, d))
	require.Equal(t, 1, b.viewers[sceneWall])
}

func TestAViewerThatDoesNotReadIsDropped(t *testing.T) {
	d := newDemo(t)
	d.add(journal.KindNote, journal.Note{Text: strings.Repeat("more than the kernel keeps ", 1<<19)})
	b, _ := serve(t, d)
	b.patience = 100 * time.Millisecond
	gone := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.ServeHTTP(w, r)
		close(gone)
	}))
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprint(conn, "GET /events HTTP/1.1\r\nHost: wall\r\n\r\n")
	require.NoError(t, err)
	select {
	case <-gone:
	case <-time.After(15 * time.Second):
		t.Fatal("still waiting for a viewer that does not read")
	}
}

func TestClosingTheBoardEndsItsStreams(t *testing.T) {
	d := newDemo(t)
	b, server := serve(t, d)
	l := listen(t, server, "", "")
	l.next()
	b.Close()
	require.False(t, l.scanner.Scan())
	require.NoError(t, l.scanner.Err(), "ended, not cut")
}

func TestAViewerWithoutStreamsGetsTheSameByAsking(t *testing.T) {
	d := newDemo(t)
	d.morning()
	_, server := serve(t, d)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/events?after=1", nil)
	require.NoError(t, err)
	request.Header.Set("Accept", "application/json")
	reply, err := server.Client().Do(request)
	require.NoError(t, err)
	defer reply.Body.Close()
	var m message
	require.NoError(t, json.NewDecoder(reply.Body).Decode(&m.news))
	require.Equal(t, headOf(t, d), m.news.Seq)
	require.Contains(t, m.news.Parts["scene"], "tile-loutres-tls")
}
