package filestore

// usualCrowd is from how many syncs at once on they share one. A few are faster
// by themselves, and do not wait for what other programs write.
const usualCrowd = 8

// sync makes something durable: by one, which syncs that alone, or in a crowd
// together with all others by a sync of the whole file system that begins after
// sync did. A journal commits everything in it at once anyhow; to ask it once
// for all instead of once for each took a third of the processor time.
//
// An error of the whole poisons the store, whatever it is: it may be about
// a file whose writer has not asked yet, and will not be told again.
func (s *Store) sync(what string, one func() error) error {
	defer s.syncing.Add(-1)
	if s.syncing.Add(1) < s.disk.crowd || !s.together {
		return one()
	}
	return s.whole.do(func() error {
		if err := s.healthy(); err != nil {
			return err
		}
		if err := s.disk.syncAll(s.objects.file); err != nil {
			return s.syncFailed(what, err)
		}
		return nil
	})
}
