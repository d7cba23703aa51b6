package probe

func tlsProbes() []Probe { return nil }
