package radosstore

import "time"

// upload is one body on its way into tails.
type upload struct {
	key     string
	draft   draftID
	started time.Time
}

// draftID is drawn for every body that is taken in: the tails of one are never
// those of another, whatever version they end under.
type draftID [16]byte

// ending is how an upload ended.
type ending int

const (
	committed ending = iota // its head was acknowledged
	discarded               // no head refers to its tails and none ever will
	unknown                 // a head may, or may later
)
