// The files of a node by which it pulls: rendered from the cluster's objects, written to a directory, and read from there by the
// libraries of the kubelet and of CRI-O.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.podman.io/image/v5/types"
	"k8s.io/kubernetes/pkg/credentialprovider"
)

// nodeFiles are the contents. A nil one is not written. Credentials are not among them: they are written again for each run.
type nodeFiles struct {
	Registries, Search, Policy []byte
	Sigstore                   []byte            // where to look for signatures
	Policies                   map[string][]byte // of namespaces
	Authorities                map[string][]byte // of registries, by host:port
	MatchImages                []string          // of CRI-O's credential provider; none without it
}

// render makes all files or none, as the operator does: where one cannot be made, the nodes keep what they have.
func (r imageRules) render() (files nodeFiles, warning, err error) {
	blocked, policyBlocked, allowed, warning := r.blockedAndAllowed()
	if files.Registries, err = r.registriesConf(blocked); err != nil {
		return files, warning, fmt.Errorf("could not update registries config with new changes: %w", err)
	}
	if files.Search, err = r.searchConf(); err != nil {
		return files, warning, err
	}
	if files.Policy, files.Policies, err = r.policyFiles(policyBlocked, allowed); err != nil {
		return files, warning, fmt.Errorf("could not update policy json with new changes: %w", err)
	}
	files.MatchImages = r.matchImages
	files.Authorities = r.authorities
	files.Sigstore, err = r.sigstoreConf(files.Registries)
	return files, warning, err
}

// nodeRoot is the directory that stands for the root of a node.
type nodeRoot string

func (n nodeRoot) file(name string) string { return filepath.Join(string(n), name) }

// Where a node has its files, as its messages name them.
const (
	registriesConfPath = "/etc/containers/registries.conf"
	registriesConfDir  = "/etc/containers/registries.conf.d"
	searchConfPath     = registriesConfDir + "/01-image-searchRegistries.conf"
	policyPath         = "/etc/containers/policy.json"
	signaturesConfDir  = "/etc/containers/registries.d"
	sigstoreConfPath   = signaturesConfDir + "/sigstore-registries.yaml"
	namespacedPolicies = "/etc/crio/policies"
	authoritiesDir     = "/etc/docker/certs.d"
	kubeletDir         = "/var/lib/kubelet"
	nodeAuthFile       = kubeletDir + "/config.json"
	shortNameAliases   = "/etc/containers/short-name-aliases.conf"
)

// write puts the files and the node's credentials in place.
func (n nodeRoot) write(files nodeFiles, auth []byte) error {
	contents := map[string][]byte{
		registriesConfPath: files.Registries, searchConfPath: files.Search, policyPath: files.Policy, nodeAuthFile: auth,
		sigstoreConfPath: files.Sigstore,
	}
	for namespace, policy := range files.Policies {
		contents[namespacedPolicies+"/"+namespace+".json"] = policy
	}
	for _, dir := range []string{registriesConfDir, signaturesConfDir, namespacedPolicies, kubeletDir} {
		if err := os.MkdirAll(n.file(dir), 0o700); err != nil {
			return err
		}
	}
	for host, authority := range files.Authorities {
		contents[authoritiesDir+"/"+host+"/ca.crt"] = authority
		if err := os.MkdirAll(n.file(authoritiesDir+"/"+host), 0o700); err != nil {
			return err
		}
	}
	for path, content := range contents {
		if content == nil {
			continue
		}
		if err := os.WriteFile(n.file(path), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// system is CRI-O's view of the node for pods of a namespace. No credential of a pod is in it.
func (n nodeRoot) system(home layout, namespace string) *types.SystemContext {
	system := clientContext(home)
	system.DockerAuthConfig = nil
	system.DockerCertPath = ""
	system.DockerPerHostCertDirPath = n.file(authoritiesDir)
	system.AuthFilePath = n.file(nodeAuthFile)
	system.SystemRegistriesConfPath = n.file(registriesConfPath)
	system.SystemRegistriesConfDirPath = n.file(registriesConfDir)
	system.RegistriesDirPath = n.file(signaturesConfDir)
	system.UserShortNameAliasConfPath = n.file(shortNameAliases)
	system.SignaturePolicyPath = n.file(policyPath)
	if own := n.file(namespacedPolicies + "/" + namespace + ".json"); fileExists(own) {
		system.SignaturePolicyPath = own
	}
	return system
}

// trustSystem adds the authority of the lab to those of the system, which a node trusts for all registries. On a real node, the machine config
// operator adds the bundle of openshift-config/user-ca-bundle. It has to be called before the first connection.
func trustSystem(home layout) error {
	directories := []string{home.caDir(), "/etc/ssl/certs", "/etc/pki/tls/certs"}
	if given := os.Getenv("SSL_CERT_DIR"); given != "" {
		directories = []string{home.caDir(), given}
	}
	return os.Setenv("SSL_CERT_DIR", strings.Join(directories, ":"))
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// keyring is the kubelet's view of the node's file. A file that it cannot parse counts as missing.
func (n nodeRoot) keyring() (credentialprovider.DockerConfig, credentialprovider.DockerKeyring) {
	config, err := credentialprovider.ReadDockerConfigJSONFile([]string{n.file(kubeletDir)})
	if err != nil {
		config = nil
	}
	keyring := &credentialprovider.BasicDockerKeyring{}
	keyring.Add(nil, config)
	return config, keyring
}

// asOnNode names the node's files in a message as a real node would.
func (n nodeRoot) asOnNode(message string) string { return strings.ReplaceAll(message, string(n), "") }

// keepFiles and keptFiles are the memory of a named node: the last files that could be rendered.
func keepFiles(path string, files nodeFiles) error {
	content, err := json.Marshal(files)
	if err != nil {
		return err
	}
	return writeAtomically(path, content)
}

func keptFiles(path string) (nodeFiles, bool) {
	var files nodeFiles
	content, err := os.ReadFile(path)
	return files, err == nil && json.Unmarshal(content, &files) == nil
}
