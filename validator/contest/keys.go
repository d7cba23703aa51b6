package contest

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// blank is a contest with every default that a file may leave out.
func blank() *Contest {
	return &Contest{
		Timezone: time.UTC, Locale: "en", Points: defaultPoints, Bricks: allBricks(),
		Judge: Judge{Tick: time.Minute, TimeScale: 1, GreenAfter: 3, RedAfter: 2, EvidenceDir: "evidence", KeepBodies: 64 << 10},
		Trust: Trust{MinValidity: 24 * time.Hour},
	}
}

// allBricks are the five in the order of the wall, with their points.
func allBricks() []Brick {
	const hint = "list it under bricks in the contest file"
	return []Brick{
		{ID: "ceph", Title: "Ceph", Points: 80, InPlay: true, Hint: hint},
		{ID: "api", Title: "REST API", Points: 60, InPlay: true, Level: "silver", Hint: hint},
		{ID: "tls", Title: "TLS", Points: 40, InPlay: true, Hint: hint},
		{ID: "concourse", Title: "Concourse", Points: 60, InPlay: true, Hint: hint},
		{ID: "aws", Title: "AWS", Points: 60, InPlay: true, Hint: hint},
	}
}

// contestShape is the whole file.
func contestShape(c *Contest) shape {
	return object{
		{"contest", "What the contest is and when.", true, object{
			{"id", "Short name; platforms publish it as their consent to be loaded.", true, slug(&c.ID)},
			{"title", "What stands on the wall.", true, text(&c.Title)},
			{"timezone", "Zone of all times in this file.", false, zone(&c.Timezone)},
			{"start", "When judging begins.", true, when(&c.Start)},
			{"freeze", "When the public score stops moving.", false, when(&c.Freeze)},
			{"end", "When judging ends.", true, when(&c.End)},
			{"seed", "Where the secret seed of load and order is: env:NAME or file:PATH.", true, secret(&c.Seed)},
			{"locale", "Language of the wall.", false, oneOf(&c.Locale, "en", "fr")},
		}},
		{"judge", "How the judge works.", false, judgeShape(&c.Judge)},
		{"trust", "What a platform's certificate must end in.", false, object{
			{"roots", "mozilla: the public roots, pinned.", false, oneOf(&c.Trust.Roots, "mozilla")},
			{"rehearsal_root", "PEM file of the only root of a rehearsal; marks the contest R.", false, file(&c.Trust.RehearsalRoot)},
			{"min_validity", "How long certificates must still be valid.", false, duration(&c.Trust.MinValidity, 0, 90*24*time.Hour)},
		}},
		{"teams", "Who plays, and the witness.", true, list{min: 1, next: func() shape {
			c.Teams = append(c.Teams, Team{})
			return teamShape(&c.Teams[len(c.Teams)-1])
		}}},
		{"bricks", "The bricks in play; those not listed are out for everybody. Left out: all five.", false, bricksShape(c)},
		{"points", "What the parts beside the bricks are worth.", false, object{
			{"campaign", "Load.", false, number(&c.Points.Campaign, 0, 1000)},
			{"integrity", "Nothing lost.", false, number(&c.Points.Integrity, 0, 1000)},
			{"chaos", "Faults.", false, number(&c.Points.Chaos, 0, 1000)},
			{"redeploy", "Redeployments.", false, number(&c.Points.Redeploy, 0, 1000)},
			{"incidents", "Incidents.", false, number(&c.Points.Incidents, 0, 1000)},
		}},
		{"campaigns", "Load campaigns.", false, list{next: func() shape {
			c.Campaigns = append(c.Campaigns, Campaign{ID: fmt.Sprint(len(c.Campaigns) + 1), SLO: map[string]SLO{}})
			return campaignShape(&c.Campaigns[len(c.Campaigns)-1])
		}}},
	}
}

func judgeShape(j *Judge) shape {
	return object{
		{"tick", "How often every check is made.", false, duration(&j.Tick, time.Second, 10*time.Minute)},
		{"time_scale", "Multiplies the durations of the score: 1 on the day.", false, number(&j.TimeScale, 0.01, 1)},
		{"green_after", "Good ticks running that make a brick green.", false, whole(&j.GreenAfter, 1, 60)},
		{"red_after", "Bad ticks running that make its tile red again.", false, whole(&j.RedAfter, 1, 60)},
		{"url", "Where the teams' Concourse reaches this judge, whose repositories lie below it at /git/: https://HOST.", false, siteURL(&j.URL)},
		{"control", "host:port that answers while the judge's own network works.", false, address(&j.Control)},
		{"evidence", "What is kept of each verdict.", false, object{
			{"dir", "Directory of the evidence.", false, text(&j.EvidenceDir)},
			{"keep_bodies", "How much of a body is kept.", false, size(&j.KeepBodies, 16<<20)},
		}},
	}
}

func bricksShape(c *Contest) shape {
	var o object
	for i := range c.Bricks {
		b := &c.Bricks[i]
		keys := object{
			{"points", "What it is worth.", false, number(&b.Points, 1, 1000)},
			{"in_play", "false: shown, and out of the sum.", false, flag(&b.InPlay)},
		}
		if b.ID == "api" {
			keys = append(keys, key{"level", "How much of the contract is checked.", false, oneOf(&b.Level, "bronze", "silver", "gold")})
		}
		o = append(o, key{b.ID, b.Title + ".", false, keys})
	}
	return listedBricks{o, c}
}

func campaignShape(c *Campaign) shape {
	return object{
		{"id", "Short name; left out: its number.", false, slug(&c.ID)},
		{"at", "When the first request is due.", true, when(&c.At)},
		{"duration", "How long the load lasts.", true, duration(&c.Duration, 10*time.Second, 12*time.Hour)},
		{"ramp", "Linear stages of the rate, from 0; together they last as long as the campaign.", true, list{min: 1, next: func() shape {
			c.Ramp = append(c.Ramp, Stage{To: math.NaN()})
			s := &c.Ramp[len(c.Ramp)-1]
			return object{
				{"to", "Requests a second at its end.", false, number(&s.To, 0, 1e6)},
				{"hold", "Requests a second all along: the rate that is reached.", false, number(&s.To, 0, 1e6)},
				{"for", "How long it takes.", true, duration(&s.For, time.Second, 12*time.Hour)},
			}
		}}},
		{"mix", "Share of each operation.", true, object{
			{"put", "PUT.", true, number(&c.Mix.Put, 0, 1e6)},
			{"get", "GET.", false, number(&c.Mix.Get, 0, 1e6)},
			{"get_process", "GET with processing.", false, number(&c.Mix.GetProcess, 0, 1e6)},
		}},
		{"sizes", "Classes of object sizes and their shares.", true, pairs{pattern: sizePattern, sample: number(new(float64), 0, 1e6), next: func(name string) (shape, error) {
			bytes, ok := parseSize(name)
			if !ok || bytes > 256<<20 {
				return nil, fmt.Errorf("a size is %q, want one such as 4KiB, at most 256MiB", name)
			}
			c.Sizes = append(c.Sizes, Size{Bytes: bytes})
			return number(&c.Sizes[len(c.Sizes)-1].Share, 0, 1e6), nil
		}}},
		{"slo", "When an answer is good, and when its latency is perfect.", true, object{
			{"put", "PUT.", true, sloShape(c.SLO, "put")},
			{"get", "GET, processed or not.", true, sloShape(c.SLO, "get")},
		}},
		{"faults", "What is broken, and when.", false, list{next: func() shape {
			c.Faults = append(c.Faults, Fault{Weight: 1})
			f := &c.Faults[len(c.Faults)-1]
			return object{
				{"at", "After the campaign's start.", true, duration(&f.At, 0, 12*time.Hour)},
				{"kind", "What is done.", true, oneOf(&f.Kind, kinds()...)},
				{"weight", "From 0 to 10.", false, number(&f.Weight, 0, 10)},
			}
		}}},
		{"redeploys", "What is redeployed under load, and when.", false, list{next: func() shape {
			c.Redeploys = append(c.Redeploys, Redeploy{Job: "app-deploy", Weight: 1})
			d := &c.Redeploys[len(c.Redeploys)-1]
			return object{
				{"at", "After the campaign's start.", true, duration(&d.At, 0, 12*time.Hour)},
				{"job", "The job that does it.", false, oneOf(&d.Job, "app-deploy")},
				{"weight", "From 0 to 10.", false, number(&d.Weight, 0, 10)},
			}
		}}},
	}
}

func kinds() []string {
	var names []string
	for _, k := range faultKinds {
		names = append(names, k.kind)
	}
	return names
}

// sloShape reads into a map, of which no element has an address.
func sloShape(all map[string]SLO, op string) shape {
	part := func(set func(*SLO, time.Duration)) scalar {
		var d time.Duration
		s := duration(&d, time.Millisecond, time.Minute)
		read := s.set
		s.set = func(r *reader, text string) error {
			err := read(r, text)
			slo := all[op]
			set(&slo, d)
			all[op] = slo
			return err
		}
		return s
	}
	return object{
		{"target", "A p99 up to this is perfect.", true, part(func(s *SLO, d time.Duration) { s.Target = d })},
		{"max", "An answer later than this is not good.", true, part(func(s *SLO, d time.Duration) { s.Max = d })},
	}
}

// resolve maps a name to an address and port, in rehearsals.
func resolve(into *map[string]string) shape {
	return pairs{pattern: `^[^:]+$`, sample: address(new(string)), next: func(name string) (shape, error) {
		if strings.Contains(name, ":") || name == "" {
			return nil, errors.New("a name is wanted, without a port")
		}
		if *into == nil {
			*into = map[string]string{}
		}
		var to string
		s := address(&to)
		read := s.set
		s.set = func(r *reader, text string) error {
			err := read(r, text)
			(*into)[name] = to
			return err
		}
		return s, nil
	}}
}
