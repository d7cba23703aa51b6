package main

import (
	"strings"

	"bogops/app/store"
	"bogops/app/store/filestore"
	"bogops/app/store/memstore"
)

// splitStore splits a store's URL into its scheme and the rest.
func splitStore(url string) (scheme, rest string, err error) {
	scheme, rest, _ = strings.Cut(url, ":")
	switch {
	case scheme == "file" && rest != "", scheme == "mem" && rest == "":
		return scheme, rest, nil
	}
	return "", "", usagef("--store: %q given; want file:DIR or mem:", url)
}

// openStore is the one switch that names every store.
func openStore(url string) (store.Store, error) {
	scheme, rest, err := splitStore(url)
	if err != nil {
		return nil, err
	}
	if scheme == "mem" {
		return memstore.New(), nil
	}
	return filestore.Open(rest)
}
