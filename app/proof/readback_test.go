//go:build ceph

package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ceph/go-ceph/rados"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"bogops/app/store/linear"
)

// reader is the judge in Ceph: somebody with a key of his own, which reads.
type reader struct {
	conn *rados.Conn
	fsid string
}

func newReader(t testing.TB, conf, keyring, fsid string) *reader {
	t.Helper()
	return &reader{connect(t, "judge", conf, keyring), fsid}
}

// connect returns a session of one user, who waits for nothing for long.
func connect(t testing.TB, user, conf, keyring string) *rados.Conn {
	t.Helper()
	conn, err := rados.NewConnWithUser(user)
	require.NoError(t, err)
	require.NoError(t, conn.ReadConfigFile(conf))
	for option, value := range map[string]string{
		"keyring": keyring, "client_mount_timeout": "20", "rados_osd_op_timeout": "20", "rados_mon_op_timeout": "20",
	} {
		require.NoError(t, conn.SetConfigOption(option, value))
	}
	require.NoError(t, conn.Connect())
	t.Cleanup(conn.Shutdown)
	return conn
}

// evidence is what the platform says of where an object lies.
type evidence struct {
	Store, ETag, FSID, Pool, Namespace string
	Size                               int
	Pieces                             []struct {
		Name               string
		At, Offset, Length int
	}
}

// rebuild reads an object in Ceph where the evidence says that it lies.
func (r *reader) rebuild(at evidence) ([]byte, error) {
	if at.Store != "ceph" || at.FSID != r.fsid {
		return nil, fmt.Errorf("the evidence names store %q, cluster %s; want ceph, %s", at.Store, at.FSID, r.fsid)
	}
	pool, err := r.conn.OpenIOContext(at.Pool)
	if err != nil {
		return nil, err
	}
	defer pool.Destroy()
	pool.SetNamespace(at.Namespace)
	all := make([]byte, 0, at.Size)
	for _, piece := range at.Pieces {
		part := make([]byte, piece.Length)
		n, err := pool.Read(piece.Name, part, uint64(piece.At))
		if err != nil || n != piece.Length || piece.Offset != len(all) {
			return nil, fmt.Errorf("piece %+v behind %d bytes: %d bytes read, %v", piece, len(all), n, err)
		}
		all = append(all, part...)
	}
	if len(all) != at.Size {
		return nil, fmt.Errorf("%d bytes, the evidence says %d", len(all), at.Size)
	}
	return all, nil
}

// readers is how many objects are read back at once.
const readers = 8

// audit reads every key that a write was sent for back, through the API and in
// Ceph, and checks all that clients were told. It returns how many objects there
// are.
func (l *load) audit(r *reader) (objects int, err error) {
	if err := l.failure(); err != nil {
		return 0, err
	}
	found := make(chan bool, len(l.keys))
	group := errgroup.Group{}
	group.SetLimit(readers)
	for n, key := range slices.Sorted(maps.Keys(l.keys)) {
		group.Go(func() error {
			exists, err := l.readBack(r, l.platform.instances[n%len(l.platform.instances)], key)
			if err != nil {
				return fmt.Errorf("%s, read back through %s: %w", key, l.platform.instances[n%len(l.platform.instances)].name, err)
			}
			found <- exists
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	close(found)
	for exists := range found {
		if exists {
			objects++
		}
	}
	return objects, linear.Check(l.ops, time.Minute)
}

// readBack adds a reading of key to the history, after everything else.
func (l *load) readBack(r *reader, i *instance, key string) (exists bool, err error) {
	op := linear.Op{Client: clients, Kind: linear.Get, Key: key, Call: time.Since(l.began)}
	status, header, body, err := l.ask(i, "/v1/objects/"+key)
	op.Return = time.Since(l.began)
	if err != nil {
		return false, err
	}
	op, v, err := judged(op, status, header, body)
	if err != nil || v != answered {
		return false, fmt.Errorf("status %d: %w", status, err)
	}
	l.mu.Lock()
	l.ops = append(l.ops, op)
	l.mu.Unlock()
	wanted := status
	status, _, text, err := l.ask(i, "/v1/evidence/"+key)
	if err != nil || status != wanted {
		return false, fmt.Errorf("evidence: status %d, of the object %d, %w", status, wanted, err)
	}
	if status == http.StatusNotFound {
		return false, nil
	}
	var at evidence
	if err := json.Unmarshal(text, &at); err != nil {
		return false, err
	}
	inCeph, err := r.rebuild(at)
	switch {
	case err != nil:
		return false, fmt.Errorf("in Ceph: %w", err)
	case !bytes.Equal(inCeph, body) || at.ETag != op.ETag:
		return false, fmt.Errorf("in Ceph lie %d bytes of %s, the API gave %d other ones of %s", len(inCeph), at.ETag, len(body), op.ETag)
	}
	return true, nil
}

func (l *load) ask(i *instance, path string) (int, http.Header, []byte, error) {
	r, err := http.NewRequest(http.MethodGet, i.address()+path, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return send(l.platform.client, r)
}
