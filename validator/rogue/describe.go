package rogue

// describe is the self-description.
func (p *platform) describe() map[string]any {
	level := "bronze"
	if p.silver {
		level = "silver"
	}
	store := "filesystem"
	if p.backing != nil {
		store = "ceph"
	}
	return map[string]any{
		"team": "rogue", "contest": p.contest, "contract": "1", "level": level, "version": p.running(),
		"deployed_at": p.started, "instance": p.instance, "started_at": p.started, "zone": "local",
		"store": store, "store_state": "primary",
		"limits": map[string]any{"object_bytes": objectBytes, "process_bytes": processBytes},
	}
}
