// Package radosstore keeps objects in a Ceph pool by RADOS: a head per key,
// which for small bodies is the whole object, and tails for what is longer. It
// is the home of the fall-back (versioned.Home). What changes a head is one
// RADOS operation that compares the head in place and replaces it, so no lock
// is held anywhere and nothing is half written.
//
// All of it but the connection is plain Go over the interface pool. The
// connection needs cgo and librados and is built with the tag ceph.
package radosstore

import (
	"fmt"
	"time"
)

// Config says which pool, as whom, and how much at once. Zero values take the
// defaults.
type Config struct {
	Conf     string // path of a ceph.conf; empty: none, and Monitors are needed
	Monitors string // as mon_host takes them
	User     string // without "client."; default objects
	KeyFile  string // path of a keyring, or of a file that holds the bare key
	Key      string // the bare key, secret; stands before KeyFile

	Pool      string
	Namespace string // RADOS namespace within the pool; empty is one too

	InFlight  int           // operations at once, whoever waits for them; default 128
	Waiting   int           // calls that may wait for their turn; default 1,024
	Bytes     int64         // of all bodies in memory at once; default 96 MiB, at least 16 MiB
	OpTimeout time.Duration // of one operation, in whole seconds, as Ceph takes it; default 3 s

	IndexShards  int                          // of a pool that has no index yet; default 16, and never changed afterwards
	CollectEvery time.Duration                // between passes of the collector; default 5 min, negative: none
	Grace        time.Duration                // longer than any read, and any silence of an upload; default 10 min
	Stale        time.Duration                // after which a write that was never heard of again is dead; default 24 h
	Failed       func(what string, err error) // is told what failed in the background, by one of its goroutines; nil: nobody
	Retention    time.Duration                // of tombstones; 0: they stay, as a fall-back needs it, which removes them itself
}

// The sizes of the layout. Objects say their own, so these may change.
const (
	inlineLimit = 1 << 20 // bytes of a body that fit into the head
	chunkSize   = 4 << 20 // bytes of a tail: what Ceph's own gateways use
	minBytes    = 16 << 20
)

func (c Config) withDefaults() (Config, error) {
	if c.Pool == "" {
		return c, fmt.Errorf("radosstore: no pool given; want the name of a Ceph pool")
	}
	if c.Conf == "" && c.Monitors == "" {
		return c, fmt.Errorf("radosstore: neither a ceph.conf nor monitors given; want one of them")
	}
	if c.User == "" {
		c.User = "objects"
	}
	if c.InFlight == 0 {
		c.InFlight = 128
	}
	if c.Waiting == 0 {
		c.Waiting = 1024
	}
	if c.Bytes == 0 {
		c.Bytes = 96 << 20
	}
	if c.OpTimeout == 0 {
		c.OpTimeout = 3 * time.Second
	}
	if c.IndexShards == 0 {
		c.IndexShards = 16
	}
	if c.CollectEvery == 0 {
		c.CollectEvery = 5 * time.Minute
	}
	if c.Grace == 0 {
		c.Grace = 10 * time.Minute
	}
	if c.Stale == 0 {
		c.Stale = 24 * time.Hour
	}
	if c.IndexShards < 1 || c.IndexShards > mostShards {
		return c, fmt.Errorf("radosstore: %d shards of the index given; want 1 to %d", c.IndexShards, mostShards)
	}
	if least := 10 * c.OpTimeout; c.Grace < least || c.Stale < c.Grace || c.Retention != 0 && c.Retention < c.Grace {
		return c, fmt.Errorf("radosstore: grace %v, stale %v, retention %v given; want at least %v (ten time-outs), the grace, and 0 or the grace", c.Grace, c.Stale, c.Retention, least)
	}
	if c.InFlight < 4 || c.InFlight > 1000 {
		return c, fmt.Errorf("radosstore: %d operations in flight given; want 4 to 1000", c.InFlight)
	}
	if c.Bytes < minBytes {
		return c, fmt.Errorf("radosstore: %d bytes for bodies given; want at least %d", c.Bytes, minBytes)
	}
	if c.Waiting < 0 {
		return c, fmt.Errorf("radosstore: %d waiting calls given; want at least 0", c.Waiting)
	}
	if c.OpTimeout < time.Second || c.OpTimeout%time.Second != 0 {
		return c, fmt.Errorf("radosstore: a time-out of %v given; want whole seconds, at least one", c.OpTimeout)
	}
	return c, nil
}
