//go:build ceph && !race

package radosstore

const raceMemory = 1
