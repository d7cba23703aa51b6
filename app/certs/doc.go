// Package certs gives the server its TLS certificate: none (off), from files,
// or from an ACME authority (RFC 8555) on behalf of a whole fleet behind a
// balancer that passes TCP through.
//
// # Why autocert is not enough
//
// Autocert carries one instance well. We measured what it does for a fleet, with
// Pebble as the authority, a round-robin balancer, and instances that start cold
// at the same time:
//
//   - three instances, each with a cache of its own: none is ever served, after
//     six orders;
//   - two or three instances with one shared cache: none is served either, in
//     each of five runs, after four to six orders. Each instance answers the
//     authority's tls-alpn-01 challenge from its own memory first, there is one
//     slot per name, and the authority knocks on whichever instance the balancer
//     picks;
//   - six instances with a shared cache that also answer http-01: all are served,
//     by six certificates from twelve orders. Let's Encrypt allows five
//     certificates of one name in a week;
//   - six instances with a shared cache and a lease: all are served, by one
//     certificate from one order.
//
// Autocert has no lock between processes, and holds one for the whole manager
// while it reads its cache: a slow cache stalls every name that is not in
// memory.
//
// # What this package does
//
// An instance that finds a certificate missing or due takes a lease in the shared
// cache, by a conditional write and for a limited time. Only its holder runs
// autocert, once per attempt. All others read the shared cache, and answer
// challenges from it: whichever instance the balancer picks gives the right
// answer. After a failure the name rests for the whole fleet, longer each time.
//
// Handshakes are answered from memory and never wait for the shared cache, which
// is read in the background with a time-out; the one exception is the challenge
// itself. While the cache is down the last good certificate is served, also past
// its end, and an instance that restarts has its own local copy. Whatever leaves
// memory is sealed with AES-256-GCM under the fleet's key, and what does not open
// is never overwritten.
//
// An instance is ready only once it holds a certificate for every name. So a
// balancer without a ready instance must pass connections to every live one:
// otherwise the first challenge never arrives.
//
// Certificates have ECDSA P-256 keys, which every client of TLS 1.2 that is still
// supported accepts.
package certs
