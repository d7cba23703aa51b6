package rollout

// member is one instance that lives and does not drain, as a decision sees it.
type member struct {
	id    string
	right bool // of the release that is wanted
	ready bool // seen so often enough
	sick  bool // not ready for so long that nobody waits for it any more
}

// move is the next step of a procedure. The zero move is to wait.
type move struct {
	launch bool
	retire string // id
	done   bool
}

// advance says how to go on towards the wanted release, members oldest first. It
// launches one more than are wanted and no more; it retires what is ready only
// while as many as are wanted stay ready, and does nothing while anybody is not.
// What was sick from the beginning, in a fleet that served nobody, holds nothing
// up and leaves first.
func advance(size int, all []member) move {
	ready, right := tally(all)
	for _, m := range all {
		if !m.ready && !m.sick {
			return move{}
		}
	}
	if right < size && len(all) <= size {
		return move{launch: true}
	}
	for _, m := range all {
		if !m.right && !m.ready {
			return move{retire: m.id}
		}
	}
	for _, m := range all {
		if (!m.right || right > size) && ready > size {
			return move{retire: m.id}
		}
	}
	return move{done: right == size && right == len(all)}
}

// retreat says how to go back to the release that was. What is of another one
// and not ready serves nobody and leaves at once; what is ready leaves only when
// as many as are wanted stay ready without it. Instead of a sick one another is
// launched where that is needed to let the others go.
func retreat(size int, all []member) move {
	for _, m := range all {
		if !m.right && !m.ready {
			return move{retire: m.id}
		}
	}
	ready, right := tally(all)
	if right == len(all) && right >= size {
		return surplus(size, all)
	}
	sick := 0
	for _, m := range all {
		if m.sick {
			sick++
		}
	}
	if right-sick < size && len(all)-sick <= size {
		return move{launch: true}
	}
	for _, m := range all {
		if !m.right && ready > size {
			return move{retire: m.id}
		}
	}
	return move{}
}

// surplus is how to go on when only the right release runs: what is one too many
// leaves, what is sick first, and then all the others have to be ready.
func surplus(size int, all []member) move {
	leaves, waits := all[0], false
	for _, m := range all {
		if m.sick && !leaves.sick {
			leaves = m
		}
		waits = waits || !m.ready && !m.sick
	}
	switch {
	case waits:
		return move{}
	case len(all) > size:
		return move{retire: leaves.id}
	}
	return move{done: true}
}

// vacate sends everybody away: there was no release to go back to.
func vacate(all []member) move {
	if len(all) == 0 {
		return move{done: true}
	}
	return move{retire: all[0].id}
}

func tally(all []member) (ready, right int) {
	for _, m := range all {
		if m.ready {
			ready++
		}
		if m.right {
			right++
		}
	}
	return ready, right
}
