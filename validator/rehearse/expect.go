package rehearse

import (
	"fmt"
	"slices"

	"bogops/validator/journal"
	"bogops/validator/score"
	"bogops/validator/verdict"
)

// expectation is one thing that a rehearsed day must show, and why it did not.
type expectation struct {
	sentence string
	err      error
}

// expectations holds the journal of the day against the script.
func (r *rehearsal) expectations(entries []journal.Entry, result score.Result) []expectation {
	told := tell(entries)
	list := []expectation{
		{"every brick in play turned from red to green", told.turnedGreen(r.cast)},
		{"an instance of every platform was killed and replaced by its own group", told.went(r.cast, "kill-instance", "injected", "verified", "healed")},
		{"every platform was redeployed, and the new version was live", told.redeployed(r.cast)},
		{"the judge found the one object that was removed " + r.cast.scene() + ", and no other", told.found(r.cast, r.lost)},
		{"the team that lost nothing won", won(result)},
	}
	if r.Forge {
		list = append(list, expectation{"every redeployment went from a commit through Concourse, step by step", told.stepped(r.cast)})
	}
	if r.Ceph {
		list = append(list,
			expectation{"every Ceph lost an OSD, served all data without it, and got it back", told.went(r.cast, "stop-osd", "injected", "verified", "healed", "rolled-back")},
			expectation{"what was acknowledged was found in Ceph, but for the object that was removed", told.proven(r.cast, r.lost)},
		)
	}
	again, err := score.Of(entries)
	if err == nil && fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", result) {
		err = fmt.Errorf("got %+v, want %+v", again, result)
	}
	return append(list, expectation{"the score is the same when it is computed again", err})
}

// story is the journal of the day by team.
type story struct {
	faults    map[string]map[string][]string // team, kind: states, in order
	redeploys map[string][]string
	steps     map[string][]string
	audits    map[string]journal.Audit
	readbacks map[string]journal.Readback
	required  map[string]bool     // by check
	ticks     map[tileTick]string // what kept a tile from being green; empty: nothing
	err       error
}

// tileTick is one tick of one tile.
type tileTick struct {
	team, brick string
	tick        int
}

func tell(entries []journal.Entry) story {
	s := story{
		faults: map[string]map[string][]string{}, redeploys: map[string][]string{}, steps: map[string][]string{},
		audits: map[string]journal.Audit{}, readbacks: map[string]journal.Readback{},
		required: map[string]bool{}, ticks: map[tileTick]string{},
	}
	for _, e := range entries {
		if err := s.add(e); err != nil {
			s.err = err
		}
	}
	return s
}

func (s *story) add(e journal.Entry) error {
	switch e.Kind {
	case journal.KindFault:
		f, err := journal.Decode[journal.Fault](e)
		if s.faults[f.Team] == nil {
			s.faults[f.Team] = map[string][]string{}
		}
		s.faults[f.Team][f.Kind] = append(s.faults[f.Team][f.Kind], f.State)
		return err
	case journal.KindRedeploy:
		d, err := journal.Decode[journal.Redeploy](e)
		s.redeploys[d.Team] = append(s.redeploys[d.Team], d.State)
		return err
	case journal.KindStep:
		d, err := journal.Decode[journal.Step](e)
		s.steps[d.Team] = append(s.steps[d.Team], d.Name)
		return err
	case journal.KindAudit:
		a, err := journal.Decode[journal.Audit](e)
		if a.Done {
			s.audits[a.Team] = a
		}
		return err
	case journal.KindReadback:
		b, err := journal.Decode[journal.Readback](e)
		s.readbacks[b.Team] = b
		return err
	case journal.KindVerdict:
		v, err := journal.Decode[journal.Verdict](e)
		s.judge(v)
		return err
	case journal.KindOpened:
		o, err := journal.Decode[journal.Opened](e)
		for _, c := range o.Checks {
			s.required[c.ID] = c.Required
		}
		return err
	}
	return nil
}

// judge adds a verdict to its tile's tick.
func (s *story) judge(v journal.Verdict) {
	at := tileTick{v.Team, v.Brick, v.Tick}
	if s.required[v.Check] && v.Status != verdict.OK && v.Status != verdict.NotInPlay {
		s.ticks[at] = fmt.Sprintf("%s %s: %s", v.Check, v.Status, v.Message)
	} else if _, there := s.ticks[at]; !there {
		s.ticks[at] = ""
	}
}

// turnedGreen wants a tick for every tile in which nothing was wrong, and for
// that of a team one before it in which something was.
func (s story) turnedGreen(c *cast) error {
	for _, m := range c.members {
		for _, brick := range c.contest.Bricks {
			if !brick.InPlay {
				continue
			}
			if err := s.turned(m.team.ID, brick.ID, m.team.Witness); err != nil {
				return err
			}
		}
	}
	return s.err
}

func (s story) turned(team, brick string, greenAtOnce bool) error {
	red, last := false, "no tick"
	for tick := 1; ; tick++ {
		why, there := s.ticks[tileTick{team, brick, tick}]
		switch {
		case !there:
			return fmt.Errorf("the tile %s of %s never turned from red to green: %s", brick, team, last)
		case why != "":
			red, last = true, why
		case red || greenAtOnce:
			return nil
		default:
			last = "it was green from the start"
		}
	}
}

// went says whether a fault went through these states on every platform.
func (s story) went(c *cast, kind string, want ...string) error {
	for _, m := range c.members {
		if got := s.faults[m.team.ID][kind]; !slices.Equal(got, want) {
			return fmt.Errorf("%s: got %v, want %v", m.team.ID, got, want)
		}
	}
	return nil
}

// proven wants every sampled object found in Ceph. The lost one may be among
// those that were drawn.
func (s story) proven(c *cast, lost lostObject) error {
	for _, m := range c.members {
		got, may := s.readbacks[m.team.ID], 0
		if m.team.ID == lost.team {
			may = 1
		}
		if got.Sampled == 0 || got.Proven < got.Sampled-may || got.Void > 0 {
			return fmt.Errorf("%s: got %d of %d proven and %d void (%s), want all but %d", m.team.ID, got.Proven, got.Sampled, got.Void, got.Detail, may)
		}
	}
	return nil
}

func (s story) redeployed(c *cast) error {
	for _, m := range c.members {
		if got, want := s.redeploys[m.team.ID], []string{"started", "live"}; !slices.Equal(got, want) {
			return fmt.Errorf("%s: got %v, want %v", m.team.ID, got, want)
		}
	}
	return nil
}

// stepped wants the judge's way through a pipeline told from its commit to the
// running version.
func (s story) stepped(c *cast) error {
	for _, m := range c.members {
		for _, want := range []string{"committed", "checked", "triggered", "started", "took", "task", "finished", "live"} {
			if got := s.steps[m.team.ID]; !slices.Contains(got, want) {
				return fmt.Errorf("%s: got %v, want %s among them", m.team.ID, got, want)
			}
		}
	}
	return nil
}

func (s story) found(c *cast, lost lostObject) error {
	for _, m := range c.members {
		audit, want := s.audits[m.team.ID], 0
		if m.team.ID == lost.team {
			want = 1
		}
		if !audit.Done || audit.Lost != want || audit.OK != audit.Acknowledged-want {
			return fmt.Errorf("%s: got %d lost and %d right of %d acknowledged, want %d lost and the others right", m.team.ID, audit.Lost, audit.OK, audit.Acknowledged, want)
		}
		if want == 1 && (len(audit.Findings) != 1 || audit.Findings[0].Key != lost.key) {
			return fmt.Errorf("%s: got findings %v, want %s", m.team.ID, audit.Findings, lost.key)
		}
	}
	return nil
}

func won(result score.Result) error {
	ranking := result.Ranking()
	if len(ranking) == 0 || ranking[0].ID == robbed {
		return fmt.Errorf("got %v in front, want another than %s", ranking, robbed)
	}
	return nil
}
