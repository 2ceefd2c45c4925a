// etcd, kube-apiserver and kube-controller-manager: flags, start order and readiness.
package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"k8s.io/client-go/rest"
)

type controlPlane struct {
	dir                          layout
	places                       planePlaces
	server                       string
	etcd, apiServer, controllers *child
	admin, openshift             *rest.Config
}

// planePlaces are the ports of etcd and the API server.
type planePlaces struct{ client, peer, server *reservation }

func reservePlanePlaces() (planePlaces, error) {
	var p planePlaces
	for _, place := range []**reservation{&p.client, &p.peer, &p.server} {
		var err error
		if *place, err = reserve("127.0.0.1"); err != nil {
			p.release()
			return p, err
		}
	}
	return p, nil
}

func (p planePlaces) release() {
	for _, place := range []*reservation{p.client, p.peer, p.server} {
		place.release()
	}
}

// Every version of the objects that grant a pull, for the tests' histories: who wrote it, what was sent, and what it became.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- level: RequestResponse
  verbs: [create, update, patch, delete, deletecollection]
  resources:
  - group: ""
    resources: [serviceaccounts, secrets, namespaces, configmaps, pods]
  - group: rbac.authorization.k8s.io
    resources: [roles, rolebindings, clusterroles, clusterrolebindings]
- level: Metadata
`

// startControlPlane starts the three processes and returns when the API server says that it is ready.
func startControlPlane(ctx context.Context, dir layout, ca *authority) (*controlPlane, error) {
	p := &controlPlane{dir: dir}
	if err := p.writeFiles(ca); err != nil {
		return p, err
	}
	var err error
	if p.places, err = reservePlanePlaces(); err != nil {
		return p, err
	}
	p.server = p.places.server.url()
	if err := p.startEtcd(ctx); err != nil {
		return p, err
	}
	if err := p.startAPIServer(); err != nil {
		return p, err
	}
	if err := p.writeClients(ca); err != nil {
		return p, err
	}
	if err := p.waitReady(ctx, ca); err != nil {
		return p, err
	}
	return p, p.startControllers()
}

func (p *controlPlane) writeFiles(ca *authority) error {
	server, err := ca.server()
	if err != nil {
		return err
	}
	if err := server.write(p.dir.pki("server.crt"), p.dir.pki("server.key")); err != nil {
		return err
	}
	etcdClient, err := ca.client("etcd-client")
	if err != nil {
		return err
	}
	if err := etcdClient.write(p.dir.pki("etcd-client.crt"), p.dir.pki("etcd-client.key")); err != nil {
		return err
	}
	if err := writeServiceAccountKey(p.dir); err != nil {
		return err
	}
	return os.WriteFile(p.dir.conf("audit-policy.yaml"), []byte(auditPolicy), 0o600)
}

func writeServiceAccountKey(dir layout) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	private, err := pemKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := os.WriteFile(dir.pki("sa.key"), private, 0o600); err != nil {
		return err
	}
	return os.WriteFile(dir.pki("sa.pub"), pemBlock("PUBLIC KEY", public), 0o600)
}

// etcd asks for a client certificate: loopback is open to every user of the machine.
func (p *controlPlane) startEtcd(ctx context.Context) error {
	client, peer := p.places.client.url(), p.places.peer.url()
	cert, key, ca := p.dir.pki("server.crt"), p.dir.pki("server.key"), p.dir.caCert()
	var err error
	p.etcd, err = startPart(partEtcd, p.dir.log(partEtcd),
		"--name=lab", "--data-dir="+p.dir.file("etcd"), "--unsafe-no-fsync", "--logger=zap", "--log-level=warn",
		"--socket-reuse-port", "--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=lab="+peer,
		"--cert-file="+cert, "--key-file="+key, "--trusted-ca-file="+ca, "--client-cert-auth",
		"--peer-cert-file="+cert, "--peer-key-file="+key, "--peer-trusted-ca-file="+ca, "--peer-client-cert-auth",
		// A lab is small and short-lived; one large quota spares a surprise in a stress test.
		"--quota-backend-bytes=4294967296")
	if err != nil {
		return err
	}
	return waitForPlace(ctx, p.etcd, p.places.client)
}

func waitForPlace(ctx context.Context, c *child, place *reservation) error {
	return poll(ctx, 20*time.Millisecond, func() (bool, error) {
		if c.ended() {
			return false, fmt.Errorf("%s ended at its start; see its log", c.name)
		}
		connection, err := net.DialTimeout("tcp", place.address(), time.Second)
		if err != nil {
			return false, nil
		}
		return true, connection.Close()
	})
}

func (p *controlPlane) startAPIServer() error {
	var err error
	p.apiServer, err = startPart(partAPIServer, p.dir.log(partAPIServer),
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", p.places.server.port), "--permit-port-sharing",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none", "--shutdown-delay-duration=0s",
		"--etcd-servers="+p.places.client.url(), "--etcd-cafile="+p.dir.caCert(),
		"--etcd-certfile="+p.dir.pki("etcd-client.crt"), "--etcd-keyfile="+p.dir.pki("etcd-client.key"),
		"--authorization-mode=RBAC", "--client-ca-file="+p.dir.caCert(),
		"--tls-cert-file="+p.dir.pki("server.crt"), "--tls-private-key-file="+p.dir.pki("server.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+p.dir.pki("sa.pub"), "--service-account-signing-key-file="+p.dir.pki("sa.key"),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--max-requests-inflight=3000", "--max-mutating-requests-inflight=1500",
		"--audit-policy-file="+p.dir.conf("audit-policy.yaml"), "--audit-log-path="+p.dir.log("audit"),
		"--audit-log-format=json", "--audit-log-mode=blocking", "--audit-log-maxsize=100000",
		"--profiling=false")
	return err
}

func (p *controlPlane) writeClients(ca *authority) error {
	admin, err := ca.client("lab-admin", "system:masters")
	if err != nil {
		return err
	}
	if err := writeKubeconfig(p.dir.kubeconfig(), p.server, "lab-admin", ca.pem, admin); err != nil {
		return err
	}
	manager, err := ca.client("system:kube-controller-manager", "system:masters")
	if err != nil {
		return err
	}
	if err := writeKubeconfig(p.dir.conf("controllers.kubeconfig"), p.server, "controllers", ca.pem, manager); err != nil {
		return err
	}
	openshift, err := ca.client("system:openshift-controller-manager", "system:masters")
	if err != nil {
		return err
	}
	p.admin = clientConfig(p.server, ca.pem, admin, "lab")
	p.openshift = clientConfig(p.server, ca.pem, openshift, "openshift-controller-manager/lab")
	return nil
}

// clientConfig has no client-side rate limit: the lab must be as fast as the server.
func clientConfig(server string, ca []byte, pair keyPair, userAgent string) *rest.Config {
	return &rest.Config{
		Host:            server,
		UserAgent:       userAgent,
		QPS:             -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: ca, CertData: pair.cert, KeyData: pair.key},
	}
}

func (p *controlPlane) waitReady(ctx context.Context, ca *authority) error {
	client, err := rest.HTTPClientFor(p.admin)
	if err != nil {
		return err
	}
	return poll(ctx, 50*time.Millisecond, func() (bool, error) {
		if p.etcd.ended() || p.apiServer.ended() {
			return false, fmt.Errorf("a part of the control plane ended at its start; see the logs")
		}
		response, err := client.Get(p.server + "/readyz")
		if err != nil {
			return false, nil
		}
		defer response.Body.Close()
		var body bytes.Buffer
		_, _ = body.ReadFrom(response.Body)
		return response.StatusCode == http.StatusOK, nil
	})
}

func (p *controlPlane) startControllers() error {
	kubeconfig := p.dir.conf("controllers.kubeconfig")
	var err error
	p.controllers, err = startPart(partControllers, p.dir.log(partControllers),
		"--kubeconfig="+kubeconfig, "--bind-address=127.0.0.1", "--secure-port=0",
		"--controllers=serviceaccount-controller,serviceaccount-token-controller,namespace-controller,root-ca-certificate-publisher-controller",
		"--leader-elect=false", "--root-ca-file="+p.dir.caCert(),
		"--service-account-private-key-file="+p.dir.pki("sa.key"),
		"--concurrent-namespace-syncs=20", "--kube-api-qps=2000", "--kube-api-burst=4000", "--profiling=false")
	return err
}

// stop ends the processes in the order that works: an apiserver whose etcd died first ignores SIGTERM.
func (p *controlPlane) stop() {
	stopTogether(4*time.Second, p.controllers, p.apiServer)
	stopTogether(3*time.Second, p.etcd)
	p.places.release()
}

// died is closed when any of the processes has ended.
func (p *controlPlane) died() <-chan string {
	names := make(chan string, 3)
	for _, c := range []*child{p.etcd, p.apiServer, p.controllers} {
		go func() {
			<-c.done
			names <- c.name
		}()
	}
	return names
}

// poll calls check until it says true, fails, or ctx is over.
func poll(ctx context.Context, interval time.Duration, check func() (bool, error)) error {
	for {
		done, err := check()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(interval):
		}
	}
}
