//go:build unix && !linux

package filestore

import (
	"errors"
	"os"
)

// syncData: os.File.Sync asks the drive itself on macOS (F_FULLFSYNC), which
// fdatasync does not.
func syncData(file *os.File) error { return file.Sync() }

func syncAll(*os.File) error { return errors.ErrUnsupported }

func syncsAll(*os.File) bool { return false }

func openNameless(*os.File) (*os.File, error) { return nil, errors.ErrUnsupported }

func linkNameless(_, _ *os.File, _ string) error { return errors.ErrUnsupported }
