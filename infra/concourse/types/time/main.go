// The resource type time is not written yet: every call fails.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "time: this resource type is not written yet")
	os.Exit(1)
}
