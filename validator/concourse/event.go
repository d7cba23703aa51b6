package concourse

import (
	"encoding/json"
	"strings"
	"time"
)

// Event is one line of a build's history (atc/event/events.go). Which members
// are set depends on Kind; a Kind that is not known here passes through with
// what it has of them.
type Event struct {
	ID         int    // counts from 0, without a gap
	Kind       string // status, start-task, log, finish-task, error, ...
	Version    string // of this kind's form
	Time       time.Time
	Origin     Origin
	Payload    string // of log: at most 16 KiB
	Cut        bool   // Payload or Message was longer
	Status     Status // of status
	ExitStatus int    // of finish-task, finish-get, finish-put
	Succeeded  bool   // of finish
	Message    string // of error: at most 16 KiB
	Worker     string // of selected-worker
}

// Origin is the step that an event comes from.
type Origin struct {
	ID     string `json:"id"`
	Source string `json:"source"` // stdout or stderr
}

// maxText bounds, in bytes, what is kept of an event's text.
const maxText = 16 << 10

// event reads the data of one event of the stream. Its shape is the same for
// all kinds: an envelope with the version, and data by kind.
func (c *Client) event(id int, text string) (Event, error) {
	var envelope struct {
		Data    json.RawMessage `json:"data"`
		Event   string          `json:"event"`
		Version string          `json:"version"`
	}
	if err := json.Unmarshal([]byte(text), &envelope); err != nil {
		return Event{}, err
	}
	e := Event{ID: id, Kind: envelope.Event, Version: envelope.Version}
	var data struct {
		Time       int64  `json:"time"`
		Origin     Origin `json:"origin"`
		Payload    string `json:"payload"`
		Status     Status `json:"status"`
		ExitStatus int    `json:"exit_status"`
		Succeeded  bool   `json:"succeeded"`
		Message    string `json:"message"`
		Worker     string `json:"selected_worker"`
	}
	if err := json.Unmarshal(envelope.Data, &data); err != nil && isKnown(e.Kind) {
		return Event{}, err
	}
	e.Time, e.Origin = seconds(data.Time), data.Origin
	e.Status, e.ExitStatus, e.Succeeded, e.Worker = data.Status, data.ExitStatus, data.Succeeded, data.Worker
	var cut [2]bool
	e.Payload, cut[0] = bounded(c.hidden.String(data.Payload))
	e.Message, cut[1] = bounded(c.hidden.String(data.Message))
	e.Cut = cut[0] || cut[1]
	return e, nil
}

// isKnown says whether the members of a kind are known here, so that one of the
// wrong type is a wrong answer and not news.
func isKnown(kind string) bool {
	switch kind {
	case "status", "log", "error", "initialize-task", "start-task", "finish-task", "selected-worker", "finish":
		return true
	}
	return false
}

func bounded(text string) (kept string, cut bool) {
	if len(text) <= maxText {
		return text, false
	}
	return strings.ToValidUTF8(text[:maxText], ""), true
}
