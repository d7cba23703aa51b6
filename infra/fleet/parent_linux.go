package fleet

import "syscall"

// diesWithParent has the kernel end a process when the judge dies, so that
// even a killed rehearsal leaves nothing running.
func diesWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
