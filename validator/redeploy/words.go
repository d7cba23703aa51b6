package redeploy

import (
	"errors"
	"strings"
	"unicode/utf8"

	"bogops/validator/concourse"
	"bogops/validator/verdict"
)

// How many bytes are kept of what a team's server says: journal and wall are the
// judge's, and their size is not for a team to choose.
const (
	mostWords = 300 // of a step's detail, and of each part of a finding
	mostSaid  = 200 // of what went wrong, which stands inside those
	mostName  = 64  // of a name, a status or a revision
)

// short is a text as it may be shown: without the team's secret, and no longer
// than most bytes. It is hidden before it is cut, since half of a secret is not
// recognised any more.
func (r *run) short(text string, most int) string { return cut(r.hide(text), most) }

func (r *run) shortStatus(s concourse.Status) concourse.Status {
	return concourse.Status(r.short(string(s), mostName))
}

// recognised is how many digits of the secret give it away.
const recognised = 8

// hide takes the name of the team's repository out of a text, also where only
// its beginning is left: steps and findings stand on the wall, and who knows the
// name knows each nonce before it is live.
func (r *run) hide(text string) string {
	secret := strings.Split(r.Nonces.Path(r.Team), "/")[2]
	for n := len(secret); n >= recognised; n-- {
		text = strings.ReplaceAll(text, secret[:n], "(secret)")
	}
	return text
}

const ellipsis = "…"

// cut keeps the beginning of a text, in whole characters: at most most bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}

// cutBefore keeps the end of a text instead.
func cutBefore(text string, most int) string {
	if len(text) <= most {
		return text
	}
	begin := len(text) - most + len(ellipsis)
	for begin < len(text) && !utf8.RuneStart(text[begin]) {
		begin++
	}
	return ellipsis + text[begin:]
}

// finding is err as it may be shown: the same finding with other words.
func (r *run) finding(err error) error {
	var found *verdict.Error
	if !errors.As(err, &found) {
		return r.reworded(err)
	}
	shown := *found
	shown.Message, shown.Got, shown.Want = r.short(found.Message, mostWords), r.short(found.Got, mostWords), r.short(found.Want, mostWords)
	shown.Err = r.reworded(found.Err)
	return &shown
}

func (r *run) reworded(err error) error {
	if err == nil {
		return nil
	}
	if text := r.short(err.Error(), mostWords); text != err.Error() {
		return &reworded{text, err}
	}
	return err
}

// reworded is an error that says something else and is the same.
type reworded struct {
	text string
	err  error
}

func (e *reworded) Error() string { return e.text }
func (e *reworded) Unwrap() error { return e.err }
