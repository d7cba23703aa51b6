package rehearse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// loseObject removes the file below dir that holds an object beginning with
// head, as a disk that forgets.
func loseObject(dir string, head []byte) error {
	found := ""
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil // a temporary that went while we looked
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		holds, err := beginsWith(path, head)
		if err != nil || !holds {
			return err
		}
		found = path
		return filepath.SkipAll
	})
	if err != nil {
		return fmt.Errorf("look for an object below the store: %w", err)
	}
	if found == "" {
		return errors.New("no file below the store holds the object")
	}
	return os.Remove(found)
}

// describedWithin is how many bytes a store may keep in front of a body.
const describedWithin = 8 << 10

func beginsWith(path string, head []byte) (bool, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	front, err := io.ReadAll(io.LimitReader(file, describedWithin+int64(len(head))))
	return bytes.Contains(front, head), err
}
