package board

import (
	"time"

	"bogops/validator/journal"
)

// phaseFace is the title of the day's phase and how far it is.
type phaseFace struct {
	Title, Sub string
	From, To   int64 // Unix milliseconds; To is 0 without an end
	Percent    int
}

// countFace is the countdown.
type countFace struct {
	Label string
	To    int64
	Left  string
}

// judgeFace is the health of the judge and the seals of the day.
type judgeFace struct {
	Class, Icon, Title string
	Text               string
	Seed, Head         string
	Revealed           bool
	Lines              uint64
}

func (s speech) phaseFace(v *View) phaseFace {
	if v.head.Seq == 0 {
		return phaseFace{Title: s.t("waiting")}
	}
	f := phaseFace{Title: v.phase.Title, From: v.phaseAt.UnixMilli()}
	if f.Title == "" {
		f.Title = v.opened.Title
	}
	if end := v.phase.EndsAt; end != nil {
		f.To = end.UnixMilli()
		f.Percent = int(100 * max(0, min(1, share(v.head.At.Sub(v.phaseAt), end.Sub(v.phaseAt)))))
	}
	switch v.phase.Name {
	case "build":
		f.Sub = s.bricksToProve(v.opened.Rules.Bricks)
	case "campaign":
		if c := v.latest(); c != nil {
			f.Sub = s.t("ramp", s.decimal(c.rate(c.now(v.teams)), 0), s.decimal(c.peak(), 0))
		}
	case "audit":
		f.Sub = s.t("reread")
	case "podium":
		f.Sub = s.t("final")
		f.Percent = 100
	}
	return f
}

func (s speech) bricksToProve(bricks []journal.Brick) string {
	n := 0
	for _, b := range bricks {
		if b.InPlay {
			n++
		}
	}
	if n == 1 {
		return s.t("prove.one")
	}
	return s.t("prove", n)
}

func (s speech) countFace(v *View) countFace {
	end := v.phase.EndsAt
	if end == nil || v.closed != nil {
		return countFace{}
	}
	label := s.t("phase.left", v.phase.Title)
	if v.phase.Next != "" {
		label = s.t("in", v.phase.Next)
	}
	return countFace{Label: label, To: end.UnixMilli(), Left: span(end.Sub(v.head.At))}
}

func (s speech) judgeFace(v *View) judgeFace {
	h := v.health
	f := judgeFace{Class: "ok", Icon: "s-ok", Title: s.t("judge.ok"), Seed: short(v.opened.SeedHash), Head: short(v.head.Hash), Lines: v.head.Seq}
	switch {
	case h == (journal.Health{}):
		f.Class, f.Icon, f.Title = "non", "s-non", s.t("judge.none")
		return f.reveal(v)
	case !h.OK:
		f.Class, f.Icon, f.Title = "jud", "s-jud", s.t("judge.bad")
		f.Text = h.Text + " · "
	}
	f.Text += s.t("lag", s.latency(h.Lag.Duration()))
	if h.CPU > 0 {
		f.Text += " · " + s.t("cpu", s.percent(h.CPU))
	}
	if h.Witness != "" {
		f.Text += " · " + s.t("witness.state", h.Witness)
	}
	return f.reveal(v)
}

// reveal shows the seed itself in place of its hash once it is public.
func (f judgeFace) reveal(v *View) judgeFace {
	if v.closed != nil {
		f.Revealed, f.Seed = true, short(v.closed.Seed)
	}
	return f
}

// peak is the highest planned rate.
func (c *campaign) peak() float64 {
	peak := c.Peak
	for _, s := range c.Stages {
		peak = max(peak, s.From, s.To)
	}
	return max(peak, 1)
}

// share is part/whole, 0 where there is no whole.
func share(part, whole time.Duration) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
