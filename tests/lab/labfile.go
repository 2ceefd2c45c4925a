// lab.json, the description of a running lab, and the directory that contains it.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type account struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

type registryInfo struct {
	Host      string    `json:"host"`
	RealmHost string    `json:"realm_host,omitempty"`
	Realm     string    `json:"realm,omitempty"`
	Service   string    `json:"service,omitempty"`
	Image     string    `json:"image"`
	Accounts  []account `json:"accounts,omitempty"`
	// The same registry at an address whose certificate is of an authority that no node knows, and that authority's file.
	UntrustedHost string `json:"untrusted_host,omitempty"`
	UntrustedCA   string `json:"untrusted_ca,omitempty"`
}

type labInfo struct {
	Dir         string                  `json:"dir"`
	Kubeconfig  string                  `json:"kubeconfig"`
	Server      string                  `json:"server"`
	CACert      string                  `json:"ca_cert"`
	AuditLog    string                  `json:"audit_log,omitempty"`
	Provisioner string                  `json:"provisioner"`
	PID         int                     `json:"pid"`
	Socket      string                  `json:"socket"`
	Registries  map[string]registryInfo `json:"registries"`
	SigningKey  string                  `json:"signing_key,omitempty"` // the public key of lab sign
}

// foreign says whether the cluster is the reader's own, and not the lab's.
func (i labInfo) foreign() bool { return i.AuditLog == "" }

// summary contains the details that a person needs to use the lab by hand. A shell can evaluate it: all but the first line are comments.
func (i labInfo) summary() string {
	lines := []string{"export KUBECONFIG=" + i.Kubeconfig}
	for _, name := range slices.Sorted(maps.Keys(i.Registries)) {
		one := i.Registries[name]
		line := fmt.Sprintf("# registry %s: %s, image %s", name, one.Host, one.Image)
		if len(one.Accounts) > 0 {
			line += fmt.Sprintf(", user %s, password %s", one.Accounts[0].Username, one.Accounts[0].Password)
		}
		lines = append(lines, line)
	}
	if len(i.Registries) > 0 {
		lines = append(lines, "# CA certificate of the registries: "+i.CACert)
	}
	return strings.Join(lines, "\n") + "\n"
}

// layout names every file of a lab directory in one place.
type layout string

func (l layout) file(name string) string  { return filepath.Join(string(l), name) }
func (l layout) lab() string              { return l.file("lab.json") }
func (l layout) lock() string             { return l.file("lab.lock") }
func (l layout) kubeconfig() string       { return l.file("kubeconfig") }
func (l layout) log(name string) string   { return filepath.Join(string(l), "logs", name+".log") }
func (l layout) pki(name string) string   { return filepath.Join(string(l), "pki", name) }
func (l layout) conf(name string) string  { return filepath.Join(string(l), "conf", name) }
func (l layout) store(name string) string { return filepath.Join(string(l), "registry", name) }

// caDir holds ca.crt and nothing else: registry clients read every certificate of such a directory.
func (l layout) caDir() string  { return l.file("ca") }
func (l layout) caCert() string { return filepath.Join(l.caDir(), "ca.crt") }

func (l layout) makeDirs() error {
	for _, name := range []string{"logs", "pki", "conf", "conf/empty", "registry", "ca", "etcd"} {
		if err := os.MkdirAll(l.file(name), 0o700); err != nil {
			return err
		}
	}
	// Registry clients of the lab read these instead of the machine's files.
	if err := os.WriteFile(l.conf("registries.conf"), nil, 0o600); err != nil {
		return err
	}
	return os.WriteFile(l.conf("no-auth.json"), []byte("{}"), 0o600)
}

// writeAtomically leaves either the old or the new content, never half of it.
func writeAtomically(path string, content []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

func (i labInfo) write() error {
	content, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	return writeAtomically(layout(i.Dir).lab(), append(content, '\n'))
}

// readLab reads the description of the lab in dir, for the commands that use a running one.
func readLab(dir string) (labInfo, error) {
	var info labInfo
	dir, err := absolute(dir)
	if err != nil {
		return info, err
	}
	content, err := os.ReadFile(layout(dir).lab())
	if os.IsNotExist(err) {
		return info, misuse("no lab is ready in %s", dir)
	}
	if err != nil {
		return info, misuse("%v", err)
	}
	if err := json.Unmarshal(content, &info); err != nil {
		return info, misuse("%s: %v", layout(dir).lab(), err)
	}
	return info, nil
}
