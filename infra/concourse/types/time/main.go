// Time is the resource type time: a version each time that an interval is over,
// or once a day within a span of hours. Its interface is that part of
// https://github.com/concourse/time-resource which pipelines here use, so that
// they run unchanged with the official type.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
	_ "time/tzdata" // the image has no files of zones

	"bogops/infra/concourse/types/resource"
)

func main() { kind(time.Now).Main() }

func kind(now func() time.Time) resource.Type[source, version, params, params] {
	return resource.Type[source, version, params, params]{
		Name: "time",
		Check: func(_ context.Context, _ io.Writer, s source, from *version) ([]version, error) {
			return check(s, from, now())
		},
		In: in,
		Out: func(_ context.Context, _ io.Writer, s source, _ params, _ string) (resource.Result[version], error) {
			at, err := s.local(now())
			return resource.Result[version]{Version: version{at}}, err
		},
	}
}

// source: Interval is a Go duration ("1h30m"). Start and Stop are times of day,
// of the location (UTC where it is empty); a span may go over midnight.
type source struct {
	Interval string `json:"interval"`
	Start    string `json:"start"`
	Stop     string `json:"stop"`
	Location string `json:"location"`
}

type version struct {
	Time time.Time `json:"time"`
}

type params struct{}

func (s source) Secrets() []string { return nil }

func (s source) Check() error {
	if s.Interval == "" && s.Start == "" {
		return errors.New("source has neither interval nor start and stop, wanted one of them")
	}
	if (s.Start == "") != (s.Stop == "") {
		return errors.New("source has one of start and stop, wanted both or none")
	}
	if every, err := time.ParseDuration(s.Interval); s.Interval != "" && (err != nil || every <= 0) {
		return fmt.Errorf("source.interval is %q, wanted a duration like 10m or 1h30m", s.Interval)
	}
	if _, err := s.local(time.Time{}); err != nil {
		return err
	}
	for _, name := range []string{s.Start, s.Stop} {
		if _, err := timeOfDay(name); name != "" && err != nil {
			return err
		}
	}
	return nil
}

func (s source) local(at time.Time) (time.Time, error) {
	zone, err := time.LoadLocation(s.Location)
	if err != nil {
		return at, fmt.Errorf("source.location is %q, wanted a name like Europe/Paris", s.Location)
	}
	return at.In(zone), nil
}

// check is the version known and, where one is due, the one of now.
func check(s source, from *version, now time.Time) ([]version, error) {
	now, err := s.local(now)
	if err != nil {
		return nil, err
	}
	var versions []version
	if from != nil {
		versions = append(versions, *from)
	}
	begun, open := s.span(now)
	if !open {
		return versions, nil
	}
	due := from == nil || s.Interval == "" && from.Time.Before(begun)
	if s.Interval != "" && from != nil {
		every, err := time.ParseDuration(s.Interval)
		if err != nil {
			return nil, err
		}
		due = !now.Before(from.Time.Add(every))
	}
	if due {
		versions = append(versions, version{now})
	}
	return versions, nil
}

// span tells whether now is within the hours of the source, and since when.
func (s source) span(now time.Time) (begun time.Time, open bool) {
	if s.Start == "" {
		return time.Time{}, true
	}
	start, _ := timeOfDay(s.Start) // Check has seen them
	stop, _ := timeOfDay(s.Stop)
	at := func(day int, minutes int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+day, 0, minutes, 0, 0, now.Location())
	}
	for _, day := range []int{-1, 0} {
		begun, ended := at(day, start), at(day, stop)
		if stop <= start {
			ended = at(day+1, stop)
		}
		if !now.Before(begun) && now.Before(ended) {
			return begun, true
		}
	}
	return time.Time{}, false
}

// timeOfDay is in minutes since midnight.
func timeOfDay(text string) (int, error) {
	for _, layout := range []string{"15:04", "1504", "3:04 PM", "3PM", "3 PM"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.Hour()*60 + at.Minute(), nil
		}
	}
	return 0, fmt.Errorf("source has the time of day %q, wanted one like 08:00 or 8:00 AM", text)
}

func in(_ context.Context, _ io.Writer, _ source, v version, _ params, dir string) (resource.Result[version], error) {
	files := map[string]string{
		"timestamp": v.Time.Format("2006-01-02 15:04:05.999999999 -0700 MST"),
		"epoch":     strconv.FormatInt(v.Time.Unix(), 10),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return resource.Result[version]{}, err
		}
	}
	return resource.Result[version]{Version: v}, nil
}
