// Package board shows the journal on a page: the wall that everyone in the
// room looks at. It reads the journal and nothing else, judges nothing, and
// keeps what the plan of a campaign seals until it has happened.
package board

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"bogops/validator/journal"
)

// Source is where entries come from; *journal.Journal is one.
type Source interface {
	// Entries returns all entries so far, oldest first.
	Entries() []journal.Entry
	// Subscribe sends every entry with a Seq above after until ctx ends.
	Subscribe(ctx context.Context, after uint64) <-chan journal.Entry
}

// Config is what a Board needs. Journal is required.
type Config struct {
	Journal  Source
	Evidence func(hash string) ([]byte, error) // by hex SHA-256; nil: there is none
	Now      func() time.Time                  // nil: the machine's clock
	Logger   *slog.Logger                      // nil: slog.Default
}

// Board is the wall, as an http.Handler for a whole host. It follows the
// journal until Close.
type Board struct {
	evidence func(string) ([]byte, error)
	now      func() time.Time
	logger   *slog.Logger
	mux      *http.ServeMux
	assets   map[string]asset
	version  string        // of the assets
	patience time.Duration // with a viewer that does not read

	ctx    context.Context // ends with Close, and the open streams with it
	cancel context.CancelFunc
	done   chan struct{} // closed when follow has returned
	ready  chan struct{} // closed once the journal's past is folded

	mu      sync.Mutex
	view    *View
	artist  *artist
	scenes  map[string]*drawing // by what was asked
	viewers map[string]int      // likewise: the open streams
	changed chan struct{}       // closed and replaced whenever a scene was redrawn
}

//go:embed assets
var files embed.FS

// New returns a board that shows what config.Journal says from now on. The
// caller must Close it.
func New(config Config) *Board {
	b := &Board{
		evidence: config.Evidence, now: config.Now, logger: config.Logger,
		done: make(chan struct{}), ready: make(chan struct{}), changed: make(chan struct{}),
		view: NewView(newScorer()), scenes: map[string]*drawing{}, viewers: map[string]int{}, patience: patience,
	}
	if b.now == nil {
		b.now = time.Now
	}
	if b.logger == nil {
		b.logger = slog.Default()
	}
	b.assets, b.version = mustAssets(files)
	b.artist = mustArtist(newSpeech("en", "UTC"))
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.routes()
	go b.follow(config.Journal)
	return b
}

// routes is every page of the wall.
func (b *Board) routes() {
	b.mux = http.NewServeMux()
	b.mux.HandleFunc("GET /{$}", b.page)
	b.mux.HandleFunc("GET /events", b.events)
	b.mux.HandleFunc("GET /state.json", b.state)
	b.mux.HandleFunc("GET /evidence/{hash}", b.evidencePage)
	b.mux.HandleFunc("GET /assets/{name}", b.asset)
	b.mux.HandleFunc("GET /healthz", b.healthz)
}

// ServeHTTP answers any path of the wall.
func (b *Board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	select {
	case <-b.ready:
		b.mux.ServeHTTP(w, r)
	case <-r.Context().Done():
	case <-b.ctx.Done():
		http.Error(w, "The wall is closing.", http.StatusServiceUnavailable)
	}
}

// policy lets a page load nothing but its own files. Positions on the charts
// and lengths of bars are style attributes: those alone may stand in the page,
// and every value in them is a number that the board wrote itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Close stops following the journal and ends the open streams, so that an
// http.Server in front can shut down. It may be called more than once.
func (b *Board) Close() {
	b.cancel()
	<-b.done
}

func (b *Board) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

// mustAssets panics on a mistake that is compiled in, which every test meets.
func mustAssets(files fs.FS) (map[string]asset, string) {
	assets, version, err := loadAssets(files)
	if err != nil {
		panic(err)
	}
	return assets, version
}

func mustArtist(s speech) *artist {
	a, err := newArtist(s)
	if err != nil {
		panic(err)
	}
	return a
}
