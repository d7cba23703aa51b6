// Command task is what the tests have Concourse run: one static file is a whole
// image.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	switch os.Args[1] {
	case "get":
		client := http.Client{Timeout: 10 * time.Second}
		answer, err := client.Get(os.ExpandEnv(os.Args[2]))
		if err != nil {
			fmt.Println("got nothing:", err)
			os.Exit(1)
		}
		fmt.Print("got: ")
		io.Copy(os.Stdout, answer.Body)
		fmt.Println()
	case "wait":
		fmt.Println("waiting")
		time.Sleep(time.Hour)
	}
}
