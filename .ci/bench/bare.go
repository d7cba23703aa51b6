package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// serveBare is the bare net/http server: GET by http.FileServer, PUT into a
// file. With --sync a PUT keeps the promise of the app's: the data synced, one
// rename, the directory synced. Without, it keeps none, like most servers.
func serveBare(ctx context.Context, s settings) error {
	files := http.FileServer(http.Dir(s.Serve))
	server := &http.Server{Addr: s.Disk, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			files.ServeHTTP(w, r)
			return
		}
		if err := keep(r.Body, filepath.Join(s.Serve, filepath.Base(r.URL.Path)), s.Sync); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})}
	ended := make(chan error, 1)
	go func() {
		if s.TLS == "" {
			ended <- server.ListenAndServe()
			return
		}
		ended <- server.ListenAndServeTLS(filepath.Join(s.TLS, "cert.pem"), filepath.Join(s.TLS, "key.pem"))
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	within, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = server.Shutdown(within) // what hangs is cut by the exit
	return nil
}

func keep(body io.Reader, path string, sync bool) error {
	if !sync {
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, body)
		return errors.Join(err, file.Close())
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".put-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(file, body)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
