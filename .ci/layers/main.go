// Layers checks who may import whom in this repository, and the few rules of
// the house that a compiler does not know. It reads source files and nothing
// else, so it sees every build tag at once and needs no network.
package main

import (
	"fmt"
	"os"
)

func main() {
	findings, err := check(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "layers:", err)
		os.Exit(2)
	}
	for _, f := range findings {
		fmt.Println(f)
	}
	if len(findings) > 0 {
		os.Exit(1)
	}
}
