// Package conformance holds the platform against suites that others wrote for
// other stores: the driver tests of gocloud.dev and the acceptance test of
// Thanos. Both run on every store directly and, through a client that knows
// nothing but CHALLENGE.md, on the running server.
//
// It has no code but tests. What the suites want and the contract does not
// promise is left out by name, with its reason in docs/decisions.md.
package conformance
