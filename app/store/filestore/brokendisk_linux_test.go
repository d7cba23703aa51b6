package filestore

import (
	"os"
	"path/filepath"
)

// Disks on which a right store does one thing wrong.

type which func(*os.File) bool

func of(name string) which {
	return func(file *os.File) bool { return filepath.Base(file.Name()) == name }
}

func above(name string) which {
	return func(file *os.File) bool { return filepath.Base(filepath.Dir(file.Name())) == name }
}

func not(is which) which {
	return func(file *os.File) bool { return !is(file) }
}

// rootSync is the first or the second sync that an Open does of the store's
// directory. Stores are opened one after the other here.
func rootSync(number int) which {
	var last *os.File
	return func(file *os.File) bool {
		if filepath.Base(file.Name()) != storeDir {
			return false
		}
		first := file != last
		last = file
		return first == (number == 1)
	}
}

func leavesOut(left which) func(*disk) {
	return func(d *disk) { d.syncDir = without(d.syncDir, left) }
}

func leavesOutData(left which) func(*disk) {
	return func(d *disk) { d.syncData = without(d.syncData, left) }
}

func without(sync func(*os.File) error, left which) func(*os.File) error {
	return func(file *os.File) error {
		if left(file) {
			return nil
		}
		return sync(file)
	}
}

// naming does something just before and just after an object gets its name.
func (d *disk) naming(before, after func(draft, dir *os.File) error) {
	around := func(name func(*draft, *os.File, string) error) func(*draft, *os.File, string) error {
		return func(draft *draft, dir *os.File, as string) error {
			if err := before(draft.file, dir); err != nil {
				return err
			}
			if err := name(draft, dir, as); err != nil {
				return err
			}
			return after(draft.file, dir)
		}
	}
	d.create, d.replace = around(d.create), around(d.replace)
}

// crowded lets every sync of an object or a shard be one of the whole disk.
func crowded(d *disk) { d.crowd, d.syncAll = 1, nil }

// syncsNothing is a crowd whose sync is none.
func syncsNothing(d *disk) { d.crowd, d.syncAll = 1, func(*os.File) error { return nil } }

func nothing(*os.File, *os.File) error { return nil }

func syncsDataLate(d *disk) {
	sync := d.syncData
	d.syncData = without(sync, not(of(formatUnborn)))
	d.naming(nothing, func(draft, _ *os.File) error { return sync(draft) })
}

func syncsDirectoryEarly(d *disk) {
	sync := d.syncDir
	d.syncDir = without(sync, above(objectsDir))
	d.naming(func(_, dir *os.File) error { return sync(dir) }, nothing)
}

// settlesEarly takes the mark off that tells readers to sync first.
func settlesEarly(d *disk) {
	d.naming(nothing, func(draft, _ *os.File) error {
		settled(int(draft.Fd()), modeOf(draft))
		return nil
	})
}
