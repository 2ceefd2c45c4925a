// The three registries and their token servers: which address each has, and how they start.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"k8s.io/client-go/rest"
)

// Each has its own loopback address, so that a realm on another host really is another host.
const (
	hostPrivate    = "127.0.0.2"
	hostDelegated  = "127.0.0.3"
	hostRealm      = "127.0.0.4"
	hostIntegrated = "127.0.0.5"
)

const (
	namePrivate    = "private"
	nameDelegated  = "delegated"
	nameIntegrated = "integrated"
)

const (
	teamImage    = "team/app:v1"
	projectImage = "project-b/app:v1"
)

type registries struct {
	private, delegated *tokenRegistry
	integrated         *integratedRegistry
	signingKey         *ecdsa.PrivateKey
	publicKey          string // of signingKey, as PEM
	doors              []*door
	places             []*reservation
	pushed             chan error
}

// newRegistries starts all listeners; images are pushed while the control plane starts.
func newRegistries(dir layout, ca *authority) (*registries, error) {
	// The registry library logs every authorization through this one logger; our own request logs say enough.
	if libraryLog, err := os.OpenFile(dir.log("registry-library"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err == nil {
		logrus.SetOutput(libraryLog)
	}
	logrus.SetLevel(logrus.ErrorLevel)
	image, err := writeImage(dir)
	if err != nil {
		return nil, err
	}
	pair, err := ca.server()
	if err != nil {
		return nil, err
	}
	certificate, err := tls.X509KeyPair(pair.cert, pair.key)
	if err != nil {
		return nil, err
	}
	r := &registries{pushed: make(chan error, 1)}
	if r.signingKey, r.publicKey, err = newSigningKey(); err != nil {
		return nil, err
	}
	if err := r.startAll(dir, certificate, image); err != nil {
		r.stop()
		return nil, err
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), startPatience)
		defer cancel()
		r.pushed <- errors.Join(r.private.pushImage(ctx, teamImage), r.delegated.pushImage(ctx, teamImage))
	}()
	return r, nil
}

func (r *registries) startAll(dir layout, certificate tls.Certificate, image pushSource) error {
	var err error
	if r.private, err = r.startTokenRegistry(dir, certificate, image, namePrivate, hostPrivate, hostPrivate); err != nil {
		return err
	}
	if r.delegated, err = r.startTokenRegistry(dir, certificate, image, nameDelegated, hostDelegated, hostRealm); err != nil {
		return err
	}
	place, err := r.reserve(hostIntegrated)
	if err != nil {
		return err
	}
	if r.integrated, err = newIntegratedRegistry(dir, place.address(), image); err != nil {
		return err
	}
	_, err = r.serve(dir, place, certificate, nameIntegrated, r.integrated.handler())
	return err
}

func (r *registries) startTokenRegistry(dir layout, certificate tls.Certificate, image pushSource, name, ip, realmIP string) (*tokenRegistry, error) {
	place, err := r.reserve(ip)
	if err != nil {
		return nil, err
	}
	host := place.address()
	realm := place.url() + "/token"
	var realmPlace *reservation
	if realmIP != ip {
		if realmPlace, err = r.reserve(realmIP); err != nil {
			return nil, err
		}
		realm = realmPlace.url() + "/auth/token"
	}
	t, err := newTokenRegistry(dir, name, host, realm, image)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	if realmPlace == nil {
		mux.Handle("/token", t.tokens)
		mux.Handle("/", t)
		if err := r.serveUntrusted(t, dir, ip, mux); err != nil {
			return nil, err
		}
		return t, r.serveToo(t, dir, place, certificate, name, mux)
	}
	mux.Handle("/auth/token", t.tokens)
	if err := r.serveToo(t, dir, realmPlace, certificate, name+"-realm", mux); err != nil {
		return nil, err
	}
	return t, r.serveToo(t, dir, place, certificate, name, t)
}

// serveToo is a door of this registry.
func (r *registries) serveToo(t *tokenRegistry, dir layout, place *reservation, certificate tls.Certificate, name string, handler http.Handler) error {
	opened, err := r.serve(dir, place, certificate, name, handler)
	t.doors = append(t.doors, opened)
	return err
}

// serveUntrusted is another door of the registry, with the certificate of an authority of its own.
func (r *registries) serveUntrusted(t *tokenRegistry, dir layout, ip string, handler http.Handler) error {
	other, err := newAuthority()
	if err != nil {
		return err
	}
	pair, err := other.server()
	if err != nil {
		return err
	}
	certificate, err := tls.X509KeyPair(pair.cert, pair.key)
	if err != nil {
		return err
	}
	place, err := r.reserve(ip)
	if err != nil {
		return err
	}
	t.untrusted = untrustedPlace{place.address(), dir.pki("untrusted-ca.crt")}
	if err := os.WriteFile(t.untrusted.authority, other.pem, 0o600); err != nil {
		return err
	}
	return r.serveToo(t, dir, place, certificate, t.name+"-untrusted", handler)
}

// serve adds TLS and the request log.
func (r *registries) serve(dir layout, place *reservation, certificate tls.Certificate, name string, handler http.Handler) (*door, error) {
	output, err := os.OpenFile(dir.log("registry-"+name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	requests := log.New(output, "", log.LstdFlags|log.Lmicroseconds)
	handler = logRequests(requests, handler)
	opened, err := openDoor(place, func() *http.Server {
		return &http.Server{
			Handler:           handler,
			ErrorLog:          requests,
			ReadHeaderTimeout: 30 * time.Second,
			TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
		}
	})
	r.doors = append(r.doors, opened)
	return opened, err
}

// connect gives the integrated registry its API server and waits for the images.
func (r *registries) connect(ctx context.Context, cluster *rest.Config) error {
	r.private.cluster, r.delegated.cluster = cluster, cluster
	if err := r.integrated.connect(cluster); err != nil {
		return err
	}
	if _, err := r.integrated.pushImage(ctx, projectImage); err != nil {
		return err
	}
	select {
	case err := <-r.pushed:
		// The lab's own questions were the first.
		r.private.tokens.rules.forget()
		r.delegated.tokens.rules.forget()
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *registries) info() map[string]registryInfo {
	return map[string]registryInfo{
		namePrivate:    r.private.info(),
		nameDelegated:  r.delegated.info(),
		nameIntegrated: {Host: r.integrated.host, Image: r.integrated.host + "/" + projectImage},
	}
}

func (r *registries) stop() {
	for _, one := range r.doors {
		one.close()
	}
	for _, one := range r.places {
		one.release()
	}
}

func (r *registries) reserve(ip string) (*reservation, error) {
	place, err := reserve(ip)
	if err == nil {
		r.places = append(r.places, place)
	}
	return place, err
}

// named is one of the registries that can be changed while they run.
func (r *registries) named(name string) (*tokenRegistry, error) {
	switch name {
	case namePrivate:
		return r.private, nil
	case nameDelegated:
		return r.delegated, nil
	}
	return nil, fmt.Errorf("the registry is private or delegated, not %q", name)
}

// statusRecorder remembers the status for the log.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// logRequests writes no query and only harmless headers: others can hold names and credentials.
func logRequests(output *log.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := &statusRecorder{w, http.StatusOK}
		next.ServeHTTP(recorder, r)
		authorization := "none"
		if scheme, _, found := strings.Cut(r.Header.Get("Authorization"), " "); found {
			authorization = strings.ToLower(scheme)
		}
		output.Printf("host=%s agent=%q %s %s authorization=%s status=%d",
			r.Host, r.UserAgent(), r.Method, r.URL.Path, authorization, recorder.status)
	})
}

// newAccounts makes an ordinary account and one that breaks careless code.
func newAccounts() []account {
	return []account{
		{Username: "developer@example.com", Password: rand.Text()},
		{Username: "11009103|robot-pull", Password: nastyPassword()},
	}
}

// nastyPassword is about 300 characters long and holds what shells, JSON, YAML, templates, base64
// and `user:password` splitting stumble over, with random parts between.
func nastyPassword() string {
	hard := []string{":", "::", `"`, "'", " ", `\`, "$", "{{", "}}", "%", "%s", "é", "ü", "漢", "#", "&", "<", ">", "`", "|", "!", "~", ",", "/", "+", "="}
	var password strings.Builder
	for _, piece := range hard {
		password.WriteString(randomText(9))
		password.WriteString(piece)
	}
	password.WriteString(randomText(12))
	return password.String()
}

func randomText(length int) string {
	raw := make([]byte, length)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)[:length]
}

// splitImage checks NAME:TAG.
func splitImage(image string) (string, string, error) {
	name, tag, found := strings.Cut(image, ":")
	if !found || name == "" || tag == "" {
		return "", "", fmt.Errorf("an image is NAME:TAG, not %q", image)
	}
	return name, tag, nil
}
