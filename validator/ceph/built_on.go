//go:build ceph

package ceph

// Built says whether this judge can reach monitors: it was built with librados.
const Built = true
