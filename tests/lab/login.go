// `lab login`: auth files written by the code of Podman and Docker themselves.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/config/configfile"
	dockertypes "github.com/docker/cli/cli/config/types"
	"go.podman.io/image/v5/pkg/docker/config"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

type loginOptions struct {
	dir, registry, account, path, serviceAccount, podman, docker string
}

func login(o loginOptions) error {
	info, err := readLab(o.dir)
	if err != nil {
		return err
	}
	registry, known := info.Registries[o.registry]
	if !known {
		return misuse("--registry is private, delegated or integrated, not %q", o.registry)
	}
	holder, err := o.credential(info, registry)
	if err != nil {
		return err
	}
	key := registry.Host
	if o.path != "" {
		key += "/" + strings.Trim(o.path, "/")
	}
	if o.podman != "" {
		if err := loginPodman(layout(info.Dir), o.podman, key, holder); err != nil {
			return fail("%s: %v", o.podman, err)
		}
	}
	if o.docker != "" {
		if err := loginDocker(o.docker, key, holder); err != nil {
			return fail("%s: %v", o.docker, err)
		}
	}
	return nil
}

func (o loginOptions) credential(info labInfo, registry registryInfo) (account, error) {
	if o.registry == nameIntegrated {
		return o.serviceAccountToken(info)
	}
	if o.serviceAccount != "" {
		return account{}, misuse("--service-account is for the integrated registry")
	}
	for _, candidate := range registry.Accounts {
		if o.account == "" || o.account == candidate.Username {
			return candidate, nil
		}
	}
	return account{}, misuse("registry %s has no account %q", o.registry, o.account)
}

// serviceAccountToken is what `oc registry login` stores: any user name, and a token as the password.
func (o loginOptions) serviceAccountToken(info labInfo) (account, error) {
	namespace, name, found := strings.Cut(o.serviceAccount, "/")
	if !found || namespace == "" || name == "" {
		return account{}, misuse("the integrated registry needs --service-account NAMESPACE/NAME")
	}
	clusterConfig, err := loadKubeconfig(info.Kubeconfig)
	if err != nil {
		return account{}, misuse("%v", err)
	}
	client, err := kubernetes.NewForConfig(clusterConfig)
	if err != nil {
		return account{}, misuse("%v", err)
	}
	answer, err := client.CoreV1().ServiceAccounts(namespace).
		CreateToken(context.Background(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return account{}, misuse("%v", err)
	}
	username := o.account
	if username == "" {
		username = name
	}
	return account{username, answer.Status.Token}, nil
}

func loginPodman(home layout, file, key string, holder account) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	system := clientContext(home)
	system.AuthFilePath, system.DockerAuthConfig = path, nil
	_, err = config.SetCredentials(system, key, holder.Username, holder.Password)
	return err
}

// loginDocker uses Docker's plain file store. A credentials store would run a program of the machine.
func loginDocker(file, key string, holder account) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	content := configfile.New(path)
	existing, err := os.Open(path)
	if err == nil {
		err = content.LoadFromReader(existing)
		existing.Close()
	}
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if content.CredentialsStore != "" || len(content.CredentialHelpers) > 0 {
		return fmt.Errorf("it keeps its credentials elsewhere (credsStore or credHelpers)")
	}
	entry := dockertypes.AuthConfig{ServerAddress: key, Username: holder.Username, Password: holder.Password}
	// What the file store does, without its warning on the terminal.
	content.AuthConfigs[key] = entry
	if err := content.Save(); err != nil {
		return err
	}
	return os.Chmod(path, 0o600)
}
