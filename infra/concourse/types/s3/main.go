// The resource type s3 is not written yet: every call fails.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "s3: this resource type is not written yet")
	os.Exit(1)
}
