// The owner of a lab directory. The supervisor holds a lock on one file for as long as it lives. A free lock means
// that the lab is not running, whatever process ids say.
package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockContent is the information that `down` needs even after a crash.
type lockContent struct {
	PID        int    `json:"pid"`
	DirCreated bool   `json:"dir_created"`
	SocketDir  string `json:"socket_dir,omitempty"`
}

func tryLock(file *os.File) bool {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

func readLock(file *os.File) lockContent {
	var content lockContent
	_, _ = file.Seek(0, io.SeekStart)
	_ = json.NewDecoder(file).Decode(&content)
	return content
}

func writeLock(file *os.File, content lockContent) error {
	encoded, err := json.Marshal(content)
	if err != nil {
		return err
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.WriteAt(encoded, 0)
	return err
}

// claim makes dir ours: new, empty, or the remains of a crashed lab, which are removed.
func claim(dir string) (*os.File, lockContent, error) {
	_, statErr := os.Stat(dir)
	created := os.IsNotExist(statErr)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, lockContent{}, fail("%v", err)
	}
	if err := refuseForeign(dir); err != nil {
		return nil, lockContent{}, err
	}
	file, err := os.OpenFile(layout(dir).lock(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, lockContent{}, fail("%v", err)
	}
	old := readLock(file)
	if !tryLock(file) {
		file.Close()
		return nil, lockContent{}, fail("a lab is already running in %s (process %d); `make lab-down` (`lab down`) stops it", dir, old.PID)
	}
	emptyDir(dir, old)
	content := lockContent{DirCreated: created || old.DirCreated}
	return file, content, writeLock(file, content)
}

// refuseForeign keeps a lab from starting, and later from deleting, in a directory with files that are not its own.
func refuseForeign(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fail("%v", err)
	}
	if _, err := os.Stat(layout(dir).lock()); err == nil || len(entries) == 0 {
		return nil
	}
	return fail("%s holds files that are not a lab's; choose an empty or new directory", dir)
}

// emptyDir removes all but the lock file.
func emptyDir(dir string, content lockContent) {
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		if path := filepath.Join(dir, entry.Name()); path != layout(dir).lock() {
			_ = os.RemoveAll(path)
		}
	}
	if content.SocketDir != "" {
		_ = os.RemoveAll(content.SocketDir)
	}
}

// removeAll removes the lab in dir, and dir itself if the lab made it. The caller holds the lock.
func removeAll(dir string, content lockContent) {
	emptyDir(dir, content)
	_ = os.Remove(layout(dir).lock())
	if content.DirCreated {
		_ = os.Remove(dir)
	}
}

// waitForLock waits until the holder is gone.
func waitForLock(file *os.File, patience time.Duration) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if tryLock(file) {
			return true
		}
	}
	return tryLock(file)
}
