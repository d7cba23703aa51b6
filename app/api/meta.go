package api

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// metaPrefix begins the headers that carry an object's metadata, in the form
// that net/http gives to every name.
const metaPrefix = "Bogops-Meta-"

// maxMeta is how many bytes of metadata an object may have: its names, without
// the prefix that is common to all, and its values, after equal names were
// joined.
const maxMeta = 2 << 10

// parseMeta reads the metadata of a PUT; nil: there is none. Names keep no
// case. Values are what stands between the spaces around them: visible ASCII,
// spaces inside included. A header given several times is one value joined by
// ", ", which RFC 9110, section 5.3, makes the same.
func parseMeta(header http.Header) (map[string]string, error) {
	var meta map[string]string
	size := 0
	for _, name := range slices.Sorted(maps.Keys(header)) {
		short, ours := strings.CutPrefix(name, metaPrefix)
		if !ours {
			continue
		}
		if short == "" {
			return nil, refuse(errBadRequest, "A header is called Bogops-Meta- and nothing more; want a name behind it.")
		}
		value := strings.Join(header[name], ", ")
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, refuse(errBadRequest, "%s is %s; want visible ASCII.", name, shown(value))
		}
		size += len(short) + len(value)
		if meta == nil {
			meta = map[string]string{}
		}
		meta[strings.ToLower(short)] = value
	}
	if size > maxMeta {
		return nil, refuse(errBadRequest, "The metadata is %d bytes of names and values; want at most %d.", size, maxMeta)
	}
	return meta, nil
}

func setMeta(header http.Header, meta map[string]string) {
	for name, value := range meta {
		header.Set(metaPrefix+name, value)
	}
}
