package fleet

// view is what runs and what is wanted, at one moment.
type view struct {
	size     int
	have     []seen // that live and do not drain, oldest first
	draining int
}

type seen struct {
	id    string
	right bool // of the release
	ready bool
}

// step is what a group does next; at most one thing.
type step struct {
	launch  bool
	missing bool   // launch because something died, and not to replace what runs
	retire  string // id
}

// plan brings what runs to what is wanted: the number first; then, one at a
// time, an instance of the release for each of another one, a new one ready
// before an old one leaves; then, as many as are wanted and no more. Ready
// instances leave only while as many as are wanted stay, and one at a time.
func plan(v view) step {
	right, ready := 0, 0
	for _, s := range v.have {
		right += count(s.right)
		ready += count(s.ready)
	}
	switch {
	case len(v.have) < v.size:
		return step{launch: true, missing: true}
	case v.draining > 0:
		return step{}
	case right < v.size && len(v.have) == v.size:
		return step{launch: true}
	case right == len(v.have) && right == v.size:
		return step{}
	}
	return step{retire: leaver(v, right, ready)}
}

// leaver is who goes: of another release before one of this, and what is not
// ready before what is.
func leaver(v view, right, ready int) string {
	for _, wrong := range []bool{true, false} {
		if !wrong && right <= v.size {
			return ""
		}
		for _, s := range v.have {
			if s.right != wrong && !s.ready {
				return s.id
			}
		}
		for _, s := range v.have {
			if s.right != wrong && ready > v.size {
				return s.id
			}
		}
	}
	return ""
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
