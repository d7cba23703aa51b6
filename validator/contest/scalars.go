package contest

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// given is the usual mistake: what stands there, and what is wanted.
func given(text, want string) error { return fmt.Errorf("is %q, want %s", text, want) }

func text(into *string) scalar {
	return scalar{json: map[string]any{"type": "string", "minLength": 1}, set: func(_ *reader, text string) error {
		*into = strings.TrimSpace(text)
		if *into == "" {
			return errors.New("is empty, want a text")
		}
		return nil
	}}
}

// matching is a text of a certain form, which want says in words.
func matching(into *string, pattern, want string) scalar {
	expression := regexp.MustCompile(pattern)
	return scalar{json: map[string]any{"type": "string", "pattern": pattern}, set: func(_ *reader, text string) error {
		if !expression.MatchString(text) {
			return given(text, want)
		}
		*into = text
		return nil
	}}
}

const slugPattern = `^[a-z0-9][a-z0-9-]{0,31}$`

func slug(into *string) scalar {
	return matching(into, slugPattern, "1 to 32 of a-z, 0-9 and -, not beginning with -")
}

func oneOf(into *string, known ...string) scalar {
	return scalar{json: map[string]any{"enum": known}, set: func(_ *reader, text string) error {
		if !slices.Contains(known, text) {
			return given(text, "one of "+strings.Join(known, ", "))
		}
		*into = text
		return nil
	}}
}

func flag(into *bool) scalar {
	return scalar{json: map[string]any{"type": "boolean"}, set: func(_ *reader, text string) error {
		if text != "true" && text != "false" {
			return given(text, "true or false")
		}
		*into = text == "true"
		return nil
	}}
}

func number(into *float64, least, most float64) scalar {
	want := fmt.Sprintf("a number from %g to %g", least, most)
	return scalar{json: map[string]any{"type": "number", "minimum": least, "maximum": most}, set: func(_ *reader, text string) error {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(n) || n < least || n > most {
			return given(text, want)
		}
		*into = n
		return nil
	}}
}

func whole(into *int, least, most int) scalar {
	want := fmt.Sprintf("a whole number from %d to %d", least, most)
	return scalar{json: map[string]any{"type": "integer", "minimum": least, "maximum": most}, set: func(_ *reader, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return given(text, want)
		}
		*into = n
		return nil
	}}
}

func duration(into *time.Duration, least, most time.Duration) scalar {
	want := fmt.Sprintf("a duration such as 60s or 40m, from %s to %s", brief(least), brief(most))
	return scalar{json: map[string]any{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`}, set: func(_ *reader, text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < least || d > most {
			return given(text, want)
		}
		*into = d
		return nil
	}}
}

// brief writes a duration without its zeros: 40m, not 40m0s.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

const sizePattern = `^[0-9]+(B|KiB|MiB|GiB)?$`

func size(into *int64, most int64) scalar {
	return scalar{json: map[string]any{"type": []string{"string", "integer"}, "pattern": sizePattern}, set: func(_ *reader, text string) error {
		n, ok := parseSize(text)
		if !ok || n > most {
			return given(text, fmt.Sprintf("a size such as 4KiB or 256KiB, at most %d bytes", most))
		}
		*into = n
		return nil
	}}
}

func parseSize(text string) (int64, bool) {
	number, unit := text, int64(1)
	for suffix, bytes := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if cut, ok := strings.CutSuffix(text, suffix); ok {
			number, unit = cut, bytes
		}
	}
	if unit == 1 {
		number = strings.TrimSuffix(text, "B")
	}
	n, err := strconv.ParseUint(number, 10, 40)
	return int64(n) * unit, err == nil && n < 1<<40/uint64(unit)
}

func zone(into **time.Location) scalar {
	return scalar{json: map[string]any{"type": "string"}, set: func(r *reader, text string) error {
		loaded, err := time.LoadLocation(text)
		if err != nil || text == "" || text == "Local" {
			return given(text, "a time zone such as Europe/Paris or UTC")
		}
		*into, r.zone = loaded, loaded
		return nil
	}}
}

// when is a moment; without an offset it is one of the contest's time zone.
func when(into *time.Time) scalar {
	return scalar{json: map[string]any{"type": "string", "pattern": `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d`}, set: func(r *reader, text string) error {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			at, err = time.ParseInLocation("2006-01-02T15:04:05", text, r.zone)
		}
		if err != nil {
			return given(text, "a time such as 2026-12-04T09:30:00")
		}
		*into = at.In(r.zone)
		return nil
	}}
}

// secret is env:NAME or file:PATH. What stands there instead is not repeated:
// it may be the secret itself.
func secret(into *Secret) scalar {
	return scalar{json: map[string]any{"type": "string", "pattern": `^(env|file):.+`}, set: func(r *reader, text string) error {
		if name, ok := strings.CutPrefix(text, "env:"); ok && environmentName.MatchString(name) {
			*into = Secret(strings.TrimSpace(r.getenv(name)))
			if *into == "" {
				return fmt.Errorf("is env:%s, but the environment has no %s: set it", name, name)
			}
			return nil
		}
		path, ok := strings.CutPrefix(text, "file:")
		if !ok || path == "" {
			return errors.New("is a value, want env:NAME or file:PATH: secrets do not stand in a contest file")
		}
		content, err := os.ReadFile(r.beside(path))
		if err != nil {
			return fmt.Errorf("is file:%s, which cannot be read (%w): make that file", path, cause(err))
		}
		*into = Secret(strings.TrimSpace(string(content)))
		if *into == "" {
			return fmt.Errorf("is file:%s, which is empty: put the secret there", path)
		}
		return nil
	}}
}

var environmentName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// file is a path to something that can be read now.
func file(into *string) scalar {
	return scalar{json: map[string]any{"type": "string", "minLength": 1}, set: func(r *reader, text string) error {
		f, err := os.Open(r.beside(text))
		if err != nil {
			return fmt.Errorf("is %q, which cannot be read (%w)", text, cause(err))
		}
		*into = r.beside(text)
		return f.Close()
	}}
}

// address is host:port.
func address(into *string) scalar {
	return scalar{json: map[string]any{"type": "string", "pattern": `^.+:[0-9]+$`}, set: func(_ *reader, text string) error {
		host, port, err := net.SplitHostPort(text)
		if n, errPort := strconv.Atoi(port); err != nil || errPort != nil || host == "" || n < 1 || n > 65535 {
			return given(text, "host:port")
		}
		*into = text
		return nil
	}}
}

// secureURL is an https URL of a host and nothing more. Credentials in it are
// not repeated.
func secureURL(into *string) scalar {
	return scalar{json: map[string]any{"type": "string", "pattern": `^https://[^/?#@]+/?$`}, set: func(_ *reader, text string) error {
		const want = "https://HOST or https://HOST:PORT, without path, query or credentials"
		u, err := url.Parse(text)
		if err != nil || u.User != nil {
			return errors.New("is no such URL, want " + want)
		}
		if u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return given(text, want)
		}
		*into = strings.TrimRight(text, "/")
		return nil
	}}
}

// siteURL is as secureURL, and may be http in a rehearsal, which check knows.
func siteURL(into *string) scalar {
	secure := secureURL(into)
	return scalar{json: map[string]any{"type": "string", "pattern": `^https?://[^/?#@]+/?$`}, set: func(r *reader, text string) error {
		plain, ok := strings.CutPrefix(text, "http://")
		if !ok {
			return secure.set(r, text)
		}
		if err := secure.set(r, "https://"+plain); err != nil {
			return errors.New("is no such URL, want https://HOST or, in a rehearsal, http://HOST:PORT, without path, query or credentials")
		}
		*into = strings.TrimRight(text, "/")
		return nil
	}}
}

// pageURL is an http or https URL of one page. Credentials in it are not
// repeated.
func pageURL(into *string) scalar {
	return scalar{json: map[string]any{"type": "string", "pattern": `^https?://[^/?#@]+(/[^?#]*)?$`}, set: func(_ *reader, text string) error {
		const want = "http://HOST:PORT/PATH or https://HOST/PATH, without query or credentials"
		u, err := url.Parse(text)
		if err != nil || u.User != nil {
			return errors.New("is no such URL, want " + want)
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
			return given(text, want)
		}
		*into = text
		return nil
	}}
}
