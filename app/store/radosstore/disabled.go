//go:build !ceph

package radosstore

import "errors"

func dial(Config) (pool, error) {
	return nil, errors.New("radosstore: this binary was built without Ceph; build it with -tags ceph, which needs cgo and librados-dev")
}
