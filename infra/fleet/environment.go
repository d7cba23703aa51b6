package fleet

import "os"

// inherited are the variables of this process that instances see.
var inherited = []string{"PATH", "HOME", "TMPDIR", "TZ"}

func environment(more []string) []string {
	var all []string
	for _, name := range inherited {
		if value, set := os.LookupEnv(name); set {
			all = append(all, name+"="+value)
		}
	}
	return append(all, more...)
}
