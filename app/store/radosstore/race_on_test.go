//go:build ceph && race

package radosstore

// raceMemory is how many times the memory the race detector may take: it keeps
// a shadow of what is touched.
const raceMemory = 3
