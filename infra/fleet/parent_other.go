//go:build !linux

package fleet

import "syscall"

// diesWithParent keeps a terminal's interrupt from the processes: the judge
// stops them itself. Only Linux can also tie their lives to the judge's.
func diesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
