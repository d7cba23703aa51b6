package concoursefake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// envelope is what every event is sent in.
type envelope struct {
	Data    any    `json:"data"`
	Event   string `json:"event"`
	Version string `json:"version"`
	EventID string `json:"event_id"`
}

// What follows is the data of events (Concourse's atc/event/events.go).

type origin struct {
	ID     string `json:"id,omitempty"`
	Source string `json:"source,omitempty"`
}

type statusEvent struct {
	Status string `json:"status"`
	Time   int64  `json:"time"`
}

type errorEvent struct {
	Message string `json:"message"`
	Origin  origin `json:"origin"`
	Time    int64  `json:"time"`
}

type logEvent struct {
	Time    int64  `json:"time"`
	Origin  origin `json:"origin"`
	Payload string `json:"payload"`
}

type workerEvent struct {
	Time       int64  `json:"time"`
	Origin     origin `json:"origin"`
	WorkerName string `json:"selected_worker"`
}

type waitingEvent struct {
	Time   int64  `json:"time"`
	Origin origin `json:"origin"`
}

func (w workerEvent) waiting() waitingEvent { return waitingEvent{w.Time, w.Origin} }

type stepEvent struct {
	Origin origin `json:"origin"`
	Time   int64  `json:"time,omitempty"`
	kind   string
}

type finishGetEvent struct {
	Origin     origin            `json:"origin"`
	Time       int64             `json:"time"`
	ExitStatus int               `json:"exit_status"`
	Version    map[string]string `json:"version"`
}

type taskEvent struct {
	Time   int64      `json:"time"`
	Origin origin     `json:"origin"`
	Config taskConfig `json:"config"`
	kind   string
}

type taskConfig struct {
	Platform string   `json:"platform"`
	Image    string   `json:"image"`
	Run      taskRun  `json:"run"`
	Inputs   []origin `json:"inputs"`
}

type taskRun struct {
	Path string   `json:"path"`
	Args []string `json:"args"`
	Dir  string   `json:"dir"`
}

type finishTaskEvent struct {
	Time       int64  `json:"time"`
	ExitStatus int    `json:"exit_status"`
	Origin     origin `json:"origin"`
}

// kindOf is the name of an event and the version of its form.
func kindOf(data any) (kind, version string) {
	switch event := data.(type) {
	case statusEvent:
		return "status", "1.0"
	case errorEvent:
		return "error", "4.1"
	case logEvent:
		return "log", "5.1"
	case workerEvent:
		return "selected-worker", "1.0"
	case waitingEvent:
		return "waiting-for-worker", "1.0"
	case finishGetEvent:
		return "finish-get", "5.1"
	case finishTaskEvent:
		return "finish-task", "4.0"
	case stepEvent:
		return event.kind, map[string]string{"initialize-get": "2.0", "start-get": "1.0"}[event.kind]
	case taskEvent:
		return event.kind, map[string]string{"initialize-task": "4.0", "start-task": "5.0"}[event.kind]
	}
	panic(fmt.Sprintf("concoursefake: %T is no event", data))
}

func (s *Server) clock() int64 { return s.o.Now().Unix() }

// originOf is the id of a build's task.
func originOf(b *build) origin { return origin{ID: fmt.Sprintf("%08x", b.id)} }

// tell adds an event to a build's history. The caller holds mu.
func (s *Server) tell(b *build, data any) {
	kind, version := kindOf(data)
	text, err := json.Marshal(envelope{data, kind, version, strconv.Itoa(len(b.events))})
	if err != nil {
		panic(err) // nothing in an event cannot be JSON
	}
	b.events = append(b.events, text)
	s.touch()
}

// originOfGet is the id of a build's get.
func originOfGet(b *build, input string) origin { return origin{ID: originOf(b).ID + "/" + input} }

// tellGet tells of a get that ended as result says: one that errored has no
// finish.
func (s *Server) tellGet(b *build, input takenAnswer, result Result) {
	from := originOfGet(b, input.Name)
	s.tell(b, stepEvent{from, s.clock(), "initialize-get"})
	s.tell(b, stepEvent{from, s.clock(), "start-get"})
	s.tell(b, workerEvent{s.clock(), from, s.worker()})
	switch result.Status {
	case errored:
		s.tell(b, errorEvent{Message: result.Message, Origin: from, Time: s.clock()})
	case failed:
		s.tell(b, finishGetEvent{from, s.clock(), max(1, result.Exit), input.Version})
	default:
		s.tell(b, finishGetEvent{from, s.clock(), 0, input.Version})
	}
}

func (s *Server) worker() string {
	for _, worker := range s.state.Workers {
		return worker.Name
	}
	return ""
}

func (s *Server) tellTask(b *build) {
	config := taskConfig{Platform: "linux", Run: taskRun{Path: "sh", Args: []string{"-ec", "true"}}}
	s.tell(b, taskEvent{s.clock(), originOf(b), config, "initialize-task"})
	s.tell(b, workerEvent{s.clock(), originOf(b), s.worker()})
	s.tell(b, taskEvent{s.clock(), originOf(b), config, "start-task"})
}

func (s *Server) tellLog(b *build, text string) {
	s.tell(b, logEvent{s.clock(), origin{originOf(b).ID, "stdout"}, text})
}

func (s *Server) tellFinish(b *build, exit int) {
	s.tell(b, finishTaskEvent{s.clock(), exit, originOf(b)})
}

// events streams a build's history. After its end the connection stays open, as
// Concourse leaves it; the head is not sent before the first event.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, refused := s.admit(r, publicJob, Viewer)
	if refused != nil {
		refused.write(w)
		return
	}
	next := 0
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		n, err := strconv.Atoi(last)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		next = n + 1
	}
	s.open++
	defer func() { s.open-- }()
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache, no-store, must-revalidate")
	w.Header().Set("X-Atc-Stream-Version", "2.0")
	s.stream(w, r, a.build, next)
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request, b *build, next int) {
	for sent := 0; ; sent++ {
		if !s.until(r.Context(), func() bool { return next < len(b.events) || b.ended }) {
			return
		}
		if next >= len(b.events) {
			s.send(w, fmt.Sprintf("id: %d\nevent: end\ndata\n\n", next))
			s.until(r.Context(), func() bool { return false })
			return
		}
		message := fmt.Sprintf("id: %d\nevent: event\ndata: %s\n\n", next, b.events[next])
		if s.state.CutEvents > 0 && sent == s.state.CutEvents {
			s.send(w, message[:len(message)-2]) // whole, but for the line that says so
			panic(http.ErrAbortHandler)
		}
		s.send(w, message)
		next++
	}
}

// send writes without mu, so that a client that does not read holds nobody up.
func (s *Server) send(w http.ResponseWriter, text string) {
	s.mu.Unlock()
	defer s.mu.Lock()
	_, _ = io.WriteString(w, text) // who hangs up is told nothing
	_ = http.NewResponseController(w).Flush()
}
