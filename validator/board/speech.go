package board

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// speech says things in one language and one time zone. It does not change
// once made.
type speech struct {
	Lang string
	zone *time.Location
}

// newSpeech falls back to English and UTC: a wall in the wrong language is
// better than none.
func newSpeech(locale, zone string) speech {
	lang, _, _ := strings.Cut(strings.ToLower(locale), "-")
	if words[lang] == nil {
		lang = "en"
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return speech{lang, loc}
}

// t is the message of key with its arguments in place.
func (s speech) t(key string, args ...any) string {
	text, found := words[s.Lang][key]
	if !found {
		return key // seen at once on the wall, and a test looks for it
	}
	if len(args) == 0 {
		return text
	}
	for i, arg := range args {
		if n, ok := arg.(int); ok && n >= 10000 {
			args[i] = count(s.num(n))
		}
	}
	return fmt.Sprintf(text, args...)
}

// count is a number already spelled: it prints the same under %d, %s and %v.
type count string

func (c count) Format(f fmt.State, _ rune) { fmt.Fprint(f, string(c)) }

// colon is what leads from a sentence to what completes it, unless the
// sentence is already closed.
func (s speech) colon(sentence string) string {
	if strings.HasSuffix(sentence, ".") || strings.HasSuffix(sentence, "!") || strings.HasSuffix(sentence, "?") || sentence == "" {
		return ""
	}
	if s.Lang == "fr" {
		return "\u202f:"
	}
	return ":"
}

// num spells a whole number with its thousands apart.
func (s speech) num(n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "\u2212", digits[1:]
	}
	gap := ","
	if s.Lang == "fr" {
		gap = "\u202f"
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + gap + digits[i:]
	}
	return sign + digits
}

// decimal spells x with up to so many decimals and no trailing zeros.
func (s speech) decimal(x float64, decimals int) string {
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if s.Lang == "fr" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

// percent spells a share of 1. It rounds down: 100 % means all of it.
func (s speech) percent(share float64) string {
	return fmt.Sprintf("%d\u00a0%%", int(math.Floor(share*100+1e-9)))
}

// clock is the time of day to the second, hm to the minute.
func (s speech) clock(t time.Time) string { return t.In(s.zone).Format("15:04:05") }
func (s speech) hm(t time.Time) string    { return t.In(s.zone).Format("15:04") }

// at is the time of day as precise as a contest of that length needs.
func (s speech) at(t time.Time, length time.Duration) string {
	if length < 30*time.Minute {
		return s.clock(t)
	}
	return s.hm(t)
}

// city is the zone as a reader of a wall knows it; at settles which of its
// abbreviations holds where the zone has no city.
func (s speech) city(at time.Time) string {
	if s.zone == time.Local {
		return at.In(s.zone).Format("MST")
	}
	name := s.zone.String()
	name = name[strings.LastIndexByte(name, '/')+1:]
	return strings.ReplaceAll(name, "_", " ")
}

// span spells a duration as 0:40, 12:03 or 3:17:42.
func span(d time.Duration) string {
	seconds := int(max(d, 0).Round(time.Second).Seconds())
	if h := seconds / 3600; h > 0 {
		return fmt.Sprintf("%d:%02d:%02d", h, seconds/60%60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// latency spells a latency with two figures that matter.
func (s speech) latency(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return s.decimal(float64(d)/float64(time.Millisecond), 0) + "\u00a0ms"
	case d < 10*time.Second:
		return s.decimal(d.Seconds(), 1) + "\u00a0s"
	}
	return s.decimal(d.Seconds(), 0) + "\u00a0s"
}

// short shortens a hash to its ends.
func short(hash string) string {
	if len(hash) < 16 {
		return hash
	}
	return hash[:4] + "\u00a0" + hash[4:8] + "\u00a0…\u00a0" + hash[len(hash)-4:]
}
