//go:build ceph

package main

// withCeph says whether this build can store in Ceph.
const withCeph = true
