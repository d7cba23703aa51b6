package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"bogops/infra/ceph"
)

// cephMemory reads the app's largest resident set with 64 clients on large
// objects in Ceph, and how many threads it has with so many operations allowed
// at once.
func cephMemory(ctx context.Context, b *bench, into *report) error {
	return b.withCeph(ctx, func(c *ceph.Cluster) error {
		if err := b.cephThreads(ctx, c, into); err != nil {
			return err
		}
		return b.cephResident(ctx, c, into)
	})
}

func (b *bench) cephResident(ctx context.Context, c *ceph.Cluster, into *report) (err error) {
	s, err := b.startCephApp(ctx, c, "memory", true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	return b.memoryOf(ctx, s, into.table(fmt.Sprintf("Ceph: memory, 64 clients on objects of %d MiB, HTTPS", b.Large>>20), "largest resident set, MiB", "threads"))
}

// cephThreads loads the app with 64 clients. A thread that was made stays, so
// what there are at the end is what there ever were.
func (b *bench) cephThreads(ctx context.Context, c *ceph.Cluster, into *report) error {
	t := into.table("Ceph: threads of the app, 64 connections that PUT 4 KiB", "threads before", "threads after", "more than before")
	for _, allowed := range []int{8, 32, 128} {
		err := func() (err error) {
			s, err := b.startCephApp(ctx, c, fmt.Sprintf("threads-%d", allowed), false, "--ceph-in-flight", strconv.Itoa(allowed))
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.stop()) }()
			before, err := s.threads()
			if err != nil {
				return err
			}
			if _, err := b.wrk(ctx, s, load{method: "PUT", path: "/v1/objects/put-%d", body: 4 << 10, token: token, connections: 64}); err != nil {
				return err
			}
			after, err := s.threads()
			if err != nil {
				return err
			}
			t.row(fmt.Sprintf("--ceph-in-flight %d", allowed), "").add(before, after, after-before)
			return nil
		}()
		if err != nil {
			return err
		}
	}
	return nil
}
