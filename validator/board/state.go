package board

import (
	"net/http"
	"time"

	"bogops/validator/verdict"
)

// state is the wall for programs: what it shows, and nothing that is sealed.
type state struct {
	Seq     uint64      `json:"seq"`
	Head    string      `json:"head"`
	At      time.Time   `json:"at"`
	Contest string      `json:"contest"`
	Phase   string      `json:"phase"`
	Tick    int         `json:"tick"`
	Judge   bool        `json:"judge_ok"`
	Teams   []teamState `json:"teams"`
	Closed  bool        `json:"closed"`
}

type teamState struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Witness bool        `json:"witness,omitempty"`
	Score   *Standing   `json:"score,omitempty"`
	Tiles   []tileState `json:"tiles"`
}

type tileState struct {
	Brick    string           `json:"brick"`
	Status   verdict.Status   `json:"status"`
	Since    *time.Time       `json:"since,omitempty"`
	Message  string           `json:"message,omitempty"`
	Got      string           `json:"got,omitempty"`
	Want     string           `json:"want,omitempty"`
	Evidence string           `json:"evidence,omitempty"`
	Held     int              `json:"checks_held"`
	Checks   int              `json:"checks"`
	Ticks    []verdict.Status `json:"ticks,omitempty"`
}

func (b *Board) state(w http.ResponseWriter, _ *http.Request) {
	b.mu.Lock()
	s := b.view.state()
	b.mu.Unlock()
	writeJSON(w, s)
}

func (v *View) state() state {
	s := state{Seq: v.head.Seq, Head: v.head.Hash, At: v.head.At, Contest: v.opened.Contest, Phase: v.phase.Name, Tick: v.tick, Judge: v.health.OK, Closed: v.closed != nil}
	standings := v.standings()
	for _, team := range v.sides() {
		ts := teamState{ID: team.ID, Name: team.Name, Witness: team.Witness}
		for i := range standings {
			if standings[i].Team == team.ID && !team.Witness {
				ts.Score = &standings[i]
			}
		}
		for _, t := range team.tiles {
			ts.Tiles = append(ts.Tiles, t.state())
		}
		s.Teams = append(s.Teams, ts)
	}
	return s
}

func (t *tile) state() tileState {
	s := tileState{Brick: t.brick.ID, Status: t.lamp.shown, Ticks: t.strip()}
	if !t.lamp.since.IsZero() {
		s.Since = &t.lamp.since
	}
	v, held, total, found := t.telling()
	s.Held, s.Checks = held, total
	if found {
		s.Message, s.Got, s.Want, s.Evidence = v.Message, v.Got, v.Want, v.Evidence
	}
	return s
}
