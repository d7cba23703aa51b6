package radosstore

// Numbers are how busy the way to the cluster is at one moment.
type Numbers struct {
	InFlight, InFlightMax int64 // operations
	Waiting, WaitingMax   int64 // operations that wait for a place
	Held, HeldMax         int64 // bytes of bodies in memory
}

// Numbers returns how busy the way to the cluster is now.
func (h *Home) Numbers() Numbers {
	n := Numbers{InFlightMax: int64(h.cfg.InFlight), WaitingMax: int64(h.cfg.Waiting), Held: h.buffers.held.Load(), HeldMax: h.buffers.total}
	if p, ok := h.pool.(interface {
		busy() (inFlight, waiting int64)
	}); ok {
		n.InFlight, n.Waiting = p.busy()
	}
	return n
}
