package api

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parameters returns those of names that a query gives, their values as they
// were sent. Others are passed over: a query may carry what is meant for a
// proxy, and a later contract may know more names. It does not use
// url.ParseQuery, which would make spaces of pluses and hide both a bad escape
// and a value given twice.
func parameters(rawQuery string, names ...string) (map[string]string, error) {
	if rawQuery == "" {
		return nil, nil
	}
	given := map[string]string{}
	for pair := range strings.SplitSeq(rawQuery, "&") {
		rawName, value, _ := strings.Cut(pair, "=")
		name, err := url.PathUnescape(rawName)
		if err != nil {
			return nil, errEscape()
		}
		for _, known := range names {
			if name != known {
				continue
			}
			if _, twice := given[name]; twice {
				return nil, refuse(errBadRequest, "%s is given twice; want it once.", name)
			}
			given[name] = value
		}
	}
	return given, nil
}

func errEscape() error {
	return refuse(errBadRequest, "The query has a %% that is not followed by two hex digits.")
}

// processQuery returns the raw value of `process` and whether it was given.
func processQuery(rawQuery string) (raw string, given bool, err error) {
	all, err := parameters(rawQuery, "process")
	raw, given = all["process"]
	return raw, given, err
}

// refuseProcess refuses a query with `process` where it would mean nothing:
// whoever sends it counts on it.
func refuseProcess(rawQuery, why string) error {
	_, given, err := processQuery(rawQuery)
	if err == nil && given {
		err = refuse(errBadRequest, "process goes with GET of an object only%s.", why)
	}
	return err
}

// shown is what a client sent, quoted and cut so that it cannot fill an answer.
func shown(sent string) string {
	const most = 40
	if len(sent) <= most {
		return strconv.Quote(sent)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(sent[cut]) {
		cut--
	}
	return strconv.Quote(sent[:cut]) + "…"
}
