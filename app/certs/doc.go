// Package certs gives the server its TLS certificate: none (off), from files,
// or from an ACME authority (RFC 8555) on behalf of a whole fleet.
package certs
