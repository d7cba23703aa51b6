package board

import (
	"errors"
	"fmt"
	"time"

	"bogops/validator/journal"
	"bogops/validator/verdict"
)

// View is what the journal's entries so far add up to on the wall. It is a
// pure fold: the same entries give the same View, whenever they are read, and
// its only clock is that of the entries. Not safe for concurrent use.
type View struct {
	opened  journal.Opened
	run     string // hash of the first entry: names this journal
	head    journal.Entry
	phase   journal.Phase
	phaseAt time.Time
	health  journal.Health
	closed  *journal.Closed

	teams     []*side // contestants in the contest's order
	witness   *side   // nil where there is none
	campaigns []*campaign
	events    []happening // newest first
	tick      int

	scorer  Scorer
	history history
	frozen  []Standing // what the public sees from the freeze to the podium; nil: no freeze now
}

// side is one team's column.
type side struct {
	journal.Team
	tiles []*tile // as Rules.Bricks
}

// NewView returns the view of an empty journal, scored by scorer, which must
// have seen no entry either.
func NewView(scorer Scorer) *View { return &View{scorer: scorer} }

// Add takes the next entry. An entry that makes no sense to the score or to
// the wall leaves that one as it was: the other still takes it.
func (v *View) Add(e journal.Entry) error {
	if v.head.Seq == 0 && e.Kind != journal.KindOpened {
		return fmt.Errorf("board: line %d is %q, want a journal that begins with %q", e.Seq, e.Kind, journal.KindOpened)
	}
	if v.history.every > 0 && v.frozen == nil && v.history.due(e.At) {
		v.history.sample(v.scorer.Standings(), e.At)
	}
	v.freeze(e)
	v.head = e
	return errors.Join(v.scorer.Add(e), v.fold(e))
}

func (v *View) fold(e journal.Entry) error {
	switch e.Kind {
	case journal.KindOpened:
		return with(e, v.open)
	case journal.KindPhase:
		return with(e, v.enter)
	case journal.KindVerdict:
		return with(e, v.judge)
	case journal.KindVoid:
		return with(e, v.void)
	case journal.KindCampaign:
		return with(e, v.start)
	case journal.KindLoad:
		return with(e, v.load)
	case journal.KindFault:
		return with(e, v.fault)
	case journal.KindRedeploy:
		return with(e, v.redeploy)
	case journal.KindStep:
		return with(e, v.step)
	case journal.KindLedger:
		return with(e, v.ledger)
	case journal.KindAudit:
		return with(e, v.audit)
	case journal.KindHealth:
		return with(e, v.feel)
	case journal.KindNote:
		return with(e, v.note)
	case journal.KindResumed:
		return with(e, v.resume)
	case journal.KindClosed:
		return with(e, v.close)
	}
	return nil // a kind of a later version: nothing here shows it
}

// with decodes e and hands it to the method that folds its kind.
func with[T any](e journal.Entry, fold func(T, journal.Entry)) error {
	payload, err := journal.Decode[T](e)
	if err != nil {
		return err
	}
	fold(payload, e)
	return nil
}

func (v *View) open(o journal.Opened, e journal.Entry) {
	v.opened, v.run = o, e.Hash
	v.history = newHistory(o.Rules.Tick.Duration())
	for _, team := range o.Teams {
		s := &side{Team: team}
		for _, brick := range o.Rules.Bricks {
			t := &tile{brick: brick, lamp: newLamp(o.Rules.GreenAfter, o.Rules.RedAfter)}
			for _, check := range o.Checks {
				if check.Brick == brick.ID {
					t.checks = append(t.checks, check)
				}
			}
			if !brick.InPlay {
				t.lamp.shown = verdict.NotInPlay
			}
			s.tiles = append(s.tiles, t)
		}
		if team.Witness && v.witness == nil {
			v.witness = s
		} else if !team.Witness {
			v.teams = append(v.teams, s)
		}
	}
}

func (v *View) enter(p journal.Phase, e journal.Entry) {
	v.phase, v.phaseAt = p, e.At
	if v.revealed() {
		v.frozen = nil
	}
}

func (v *View) judge(verdict journal.Verdict, e journal.Entry) {
	v.tick = max(v.tick, verdict.Tick)
	s := v.side(verdict.Team)
	if s == nil {
		return
	}
	for _, t := range s.tiles {
		if t.brick.ID == verdict.Brick && t.brick.InPlay {
			before := t.lamp.shown
			if t.add(verdict, e.At) {
				v.turned(s, t, before, e.At)
			}
		}
	}
}

func (v *View) void(void journal.Void, e journal.Entry) {
	for _, s := range v.sides() {
		if void.Team != "" && void.Team != s.ID {
			continue
		}
		for _, t := range s.tiles {
			before := t.lamp.shown
			if t.void(void.Tick, void.Check) {
				v.turned(s, t, before, e.At)
			}
		}
	}
}

func (v *View) feel(h journal.Health, e journal.Entry) {
	if v.health.Text != "" && v.health.OK != h.OK {
		class := "jud"
		if h.OK {
			class = "ok"
		}
		v.happened(happening{at: e.At, icon: "s-" + class, class: class, judge: true, text: h.Text})
	}
	v.health = h
}

func (v *View) close(c journal.Closed, e journal.Entry) {
	v.closed, v.frozen = &c, nil
	v.history.sample(v.scorer.Standings(), e.At)
}

// side returns the team or the witness of that id, nil for a stranger.
func (v *View) side(id string) *side {
	for _, s := range v.sides() {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// sides returns the contestants, then the witness.
func (v *View) sides() []*side {
	if v.witness == nil {
		return v.teams
	}
	return append(v.teams[:len(v.teams):len(v.teams)], v.witness)
}

// standing returns a team's score as of now.
func (v *View) standing(team string, standings []Standing) Standing {
	for _, s := range standings {
		if s.Team == team {
			return s
		}
	}
	return Standing{Team: team, Rank: 1, Coverage: 1}
}

// standings are all teams' scores as the public may see them.
func (v *View) standings() []Standing {
	switch {
	case v.head.Seq == 0:
		return nil
	case v.frozen != nil:
		return v.frozen
	}
	return v.scorer.Standings()
}

// freeze stops the public score before the first entry after FreezeAt, until
// the podium.
func (v *View) freeze(e journal.Entry) {
	at := v.opened.FreezeAt
	if at == nil || v.frozen != nil || v.revealed() || e.At.Before(*at) {
		return
	}
	v.frozen = v.scorer.Standings()
}

func (v *View) revealed() bool { return v.closed != nil || v.phase.Name == "podium" }
