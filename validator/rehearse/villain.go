package rehearse

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"bogops/validator/day"
	"bogops/validator/journal"
	"bogops/validator/load"
	"bogops/validator/load/content"
)

// lostObject is what the rehearsal itself took from a team, so that there is
// something for the judge to find.
type lostObject struct{ team, key string }

// robbed is the team that loses an object.
const robbed = "pandas"

// loseOne removes one acknowledged object from the robbed team's store when the
// first fault strikes. Only the rehearsal knows: the judge must find it.
func (r *rehearsal) loseOne(ctx context.Context, c *day.Campaign) error {
	timer := time.NewTimer(time.Until(c.T0.Add(c.Windows[0].From.Duration())))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	object, err := settledObject(c, robbed)
	if err != nil {
		return err
	}
	// The judge's objects begin with bytes that name them, wherever a store
	// puts them: that is how the file is found.
	head := c.Plan.Content().Part(object, 0, content.HeaderSize)
	if m := r.cast.member(robbed); m.cluster != nil {
		err = m.loseInside(ctx, day.NewTarget(m.team, r.cast.contest, r.cast.roots), object.Key, head)
	} else {
		err = loseObject(filepath.Join(r.work, robbed, "objects"), head)
	}
	if err != nil {
		return fmt.Errorf("the rehearsal could not play the villain: %w", err)
	}
	r.lost = lostObject{team: robbed, key: object.Key}
	return nil
}

// settledObject picks an acknowledged object that the plan does not write
// again.
func settledObject(c *day.Campaign, team string) (content.Object, error) {
	rewritten := map[string]bool{}
	for n := range c.Plan.Len() {
		if a := c.Plan.Arrival(n); a.Op == load.Put {
			rewritten[a.Key] = true
		}
	}
	for i := range c.Plan.Loaded() {
		object := c.Plan.LoadedObject(i)
		if !rewritten[object.Key] && object.Size >= content.HeaderSize && c.Ledgers[team].Has(object.Key) {
			return object, nil
		}
	}
	return content.Object{}, fmt.Errorf("%s has no acknowledged object that the plan leaves alone", team)
}

// confess says at the end what the rehearsal did.
func (r *rehearsal) confess() []journal.Note {
	if r.lost.key == "" {
		return nil
	}
	return []journal.Note{{Team: r.lost.team, Icon: "corrupt", Text: "the rehearsal itself removed " + r.lost.key + " " + r.cast.scene() + ": the judge had to find it"}}
}
