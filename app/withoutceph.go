//go:build !ceph

package main

const withCeph = false
