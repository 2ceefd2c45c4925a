// Tests of changes to a running registry, and of its counts, with a real registry and its realm, without a cluster.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"k8s.io/utils/ptr"
)

// judged is a registry with the image, and a client that keeps nothing.
type judged struct {
	*tokenRegistry
	t      *testing.T
	client *http.Client
}

func judgedRegistry(t *testing.T, realmIP string) *judged {
	t.Helper()
	logrus.SetOutput(io.Discard)
	dir := layout(t.TempDir())
	ca, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.makeDirs(); err != nil {
		t.Fatal(err)
	}
	pair, err := ca.server()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.X509KeyPair(pair.cert, pair.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := (keyPair{ca.pem, nil}).write(dir.caCert(), dir.conf("none")); err != nil {
		t.Fatal(err)
	}
	image, err := writeImage(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := &registries{}
	t.Cleanup(all.stop)
	registry, err := all.startTokenRegistry(dir, certificate, image, "judged", hostPrivate, realmIP)
	if err != nil {
		t.Fatal(err)
	}
	if err := registry.pushImage(context.Background(), teamImage); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.pem)
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &judged{registry, t, client}
}

func (j *judged) send(method, address string, prepare func(*http.Request)) (*http.Response, error) {
	request, err := http.NewRequest(method, address, nil)
	if err != nil {
		j.t.Fatal(err)
	}
	request.Header.Set("Accept", "application/vnd.docker.distribution.manifest.v2+json")
	if prepare != nil {
		prepare(request)
	}
	return j.client.Do(request)
}

// login asks for a token for the image. Without a user it asks for an anonymous token.
func (j *judged) login(user, password string) (string, int) {
	j.t.Helper()
	query := url.Values{"scope": {"repository:team/app:pull"}, "service": {j.tokens.service}}
	answer, err := j.send(http.MethodGet, j.tokens.realm+"?"+query.Encode(), func(r *http.Request) {
		if user != "" {
			r.SetBasicAuth(user, password)
		}
	})
	if err != nil {
		j.t.Fatal(err)
	}
	defer answer.Body.Close()
	var given struct{ Token string }
	_ = json.NewDecoder(answer.Body).Decode(&given)
	return given.Token, answer.StatusCode
}

// manifest asks for the image's manifest.
func (j *judged) manifest(method, token string) *http.Response {
	j.t.Helper()
	answer, err := j.send(method, "https://"+j.host+"/v2/team/app/manifests/v1", func(r *http.Request) {
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	})
	if err != nil {
		j.t.Fatal(err)
	}
	answer.Body.Close()
	return answer
}

func (j *judged) wants(token string, status int, why string) {
	j.t.Helper()
	if got := j.manifest(http.MethodGet, token).StatusCode; got != status {
		j.t.Errorf("%s: %d, want %d", why, got, status)
	}
}

func (j *judged) tell(change registryChange) {
	j.t.Helper()
	if err := j.change(change); err != nil {
		j.t.Fatal(err)
	}
}

// counted are the counts of an account: logins, refused, pulls, heads, denied.
func (j *judged) counted(user string) string {
	c := j.tokens.rules.report().Accounts[user]
	return fmt.Sprint(c.Logins, c.Refused, c.Pulls, c.Heads, c.Denied)
}

func (j *judged) accountToken(number int) (string, string) {
	j.t.Helper()
	who := j.tokens.rules.known()[number]
	token, status := j.login(who.Username, who.Password)
	if status != http.StatusOK {
		j.t.Fatal(who.Username, status)
	}
	return who.Username, token
}

func TestRegistryCounts(t *testing.T) {
	for _, realmIP := range []string{hostPrivate, hostRealm} {
		j := judgedRegistry(t, realmIP)
		for user, counts := range j.tokens.rules.report().Accounts {
			if user != "" && counts.Last != nil || j.counted(user) != "0 0 0 0 0" {
				t.Errorf("%s: %q has requests before it made any: %s", realmIP, user, j.counted(user))
			}
		}
		user, token := j.accountToken(0)
		second, _ := j.accountToken(1)
		nobodys, _ := j.login("", "")
		for range 3 {
			j.wants(token, http.StatusOK, "the account's token")
		}
		j.manifest(http.MethodHead, token)
		j.wants("", http.StatusUnauthorized, "no token")
		j.wants(nobodys, http.StatusUnauthorized, "a token of nobody")
		j.wants("nonsense", http.StatusUnauthorized, "no token of this registry")
		j.login(user, "wrong")
		j.login("stranger", "wrong")
		absent, err := j.send(http.MethodGet, "https://"+j.host+"/v2/team/app/manifests/absent", func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
		})
		if err != nil || absent.StatusCode != http.StatusNotFound {
			t.Error(absent, err)
		}
		basic, err := j.send(http.MethodHead, "https://"+j.host+"/v2/team/app/manifests/v1", func(r *http.Request) { r.SetBasicAuth(second, "any") })
		if err != nil || basic.StatusCode != http.StatusUnauthorized {
			t.Error(basic, err)
		}
		for who, want := range map[string]string{
			user: "1 1 3 1 1", second: "1 0 0 0 1", "": "1 0 0 0 3", "stranger": "0 1 0 0 0",
		} {
			if got := j.counted(who); got != want {
				t.Errorf("%s: %q has %s, want %s", realmIP, who, got, want)
			}
			if last := j.tokens.rules.report().Accounts[who].Last; last == nil || time.Since(*last) > time.Minute {
				t.Errorf("%s: %q asked last at %v", realmIP, who, last)
			}
		}
	}
}

// Many at once: each is counted, and counted when its answer is there.
func TestRegistryCountsTogether(t *testing.T) {
	j := judgedRegistry(t, hostPrivate)
	user, token := j.accountToken(0)
	const each, clients = 25, 8
	done := make(chan string, clients)
	for range clients {
		go func() {
			for range each {
				j.manifest(http.MethodGet, token)
			}
			done <- ""
		}()
	}
	for range clients {
		<-done
	}
	if got, want := j.counted(user), fmt.Sprintf("1 0 %d 0 0", each*clients); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDisabledAccount(t *testing.T) {
	j := judgedRegistry(t, hostRealm)
	user, token := j.accountToken(0)
	_, others := j.accountToken(1)
	j.tell(registryChange{Disable: []string{user}})
	refused := j.manifest(http.MethodGet, token)
	if header := refused.Header.Get("WWW-Authenticate"); refused.StatusCode != http.StatusUnauthorized || !strings.Contains(header, `error="invalid_token"`) {
		t.Error("its token is refused as one that is over:", refused.StatusCode, header)
	}
	if _, status := j.login(user, j.tokens.rules.known()[0].Password); status != http.StatusUnauthorized {
		t.Error("its login:", status)
	}
	j.wants(others, http.StatusOK, "another account's token")
	if got := j.counted(user); got != "1 1 0 0 1" {
		t.Error("counted for it:", got)
	}
	j.tell(registryChange{Enable: []string{user}})
	j.wants(token, http.StatusOK, "enabled")
	j.accountToken(0)
}

func TestTokensEnd(t *testing.T) {
	j := judgedRegistry(t, hostPrivate)
	_, before := j.accountToken(0)
	j.tell(registryChange{Expire: ptr.To(1)})
	_, token := j.accountToken(0)
	j.wants(token, http.StatusOK, "new")
	time.Sleep(1100 * time.Millisecond)
	ended := j.manifest(http.MethodGet, token)
	if header := ended.Header.Get("WWW-Authenticate"); ended.StatusCode != http.StatusUnauthorized || !strings.Contains(header, `error="invalid_token"`) {
		t.Error("over:", ended.StatusCode, header)
	}
	j.wants(before, http.StatusUnauthorized, "given before the change")
	j.tell(registryChange{Expire: ptr.To(0)})
	j.wants(before, http.StatusOK, "as at the start")
	j.wants(token, http.StatusUnauthorized, "one that was given for a second stays over")
}

func TestClosedRegistry(t *testing.T) {
	j := judgedRegistry(t, hostRealm)
	_, token := j.accountToken(0)
	for range 3 {
		j.tell(registryChange{Close: true})
		for _, address := range []string{"https://" + j.host + "/v2/", j.tokens.realm} {
			if _, err := j.send(http.MethodGet, address, nil); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%s: %v", address, err)
			}
		}
		if thief, err := net.Listen("tcp", j.host); err == nil {
			thief.Close()
			t.Error("another program takes the port of a closed registry")
		}
		j.tell(registryChange{Close: true})
		j.tell(registryChange{Open: true})
		j.tell(registryChange{Open: true})
		j.wants(token, http.StatusOK, "open again")
		j.accountToken(1)
	}
}

// A connection that is open does not outlive the closing, even one that has sent nothing.
func TestClosedConnections(t *testing.T) {
	j := judgedRegistry(t, hostPrivate)
	connection, err := net.Dial("tcp", j.host)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	// The server has taken it when it answers another one.
	_, token := j.accountToken(0)
	j.tell(registryChange{Close: true})
	_ = connection.SetReadDeadline(time.Now().Add(3 * time.Second))
	if _, err := connection.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	for range 100 {
		j.tell(registryChange{Open: true})
		j.tell(registryChange{Close: true})
		if late, err := net.Dial("tcp", j.host); err == nil {
			late.Close()
			t.Fatal("a door that was closed at once takes connections")
		}
	}
	j.tell(registryChange{Open: true})
	j.wants(token, http.StatusOK, "open again")
}

func TestRateLimit(t *testing.T) {
	j := judgedRegistry(t, hostRealm)
	user, token := j.accountToken(0)
	j.tell(registryChange{RateLimit: ptr.To(2)})
	j.wants(token, http.StatusOK, "the first")
	j.wants(token, http.StatusOK, "the second")
	answer := j.manifest(http.MethodGet, token)
	if answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") == "" {
		t.Error(answer.StatusCode, answer.Header)
	}
	if _, status := j.login(user, j.tokens.rules.known()[0].Password); status != http.StatusTooManyRequests {
		t.Error("the realm:", status)
	}
	if got := j.counted(user); got != "1 1 2 0 1" {
		t.Error("counted:", got)
	}
	j.tell(registryChange{RateLimit: ptr.To(0)})
	j.wants(token, http.StatusOK, "without a limit")
}

func TestHiddenAndDenied(t *testing.T) {
	j := judgedRegistry(t, hostPrivate)
	user, token := j.accountToken(0)
	_, others := j.accountToken(1)
	j.tell(registryChange{Hide: []string{"team/app"}, From: user})
	j.wants(token, http.StatusNotFound, "hidden")
	j.wants(others, http.StatusOK, "hidden from another")
	j.wants("", http.StatusUnauthorized, "hidden, without a token")
	j.tell(registryChange{Show: []string{"team/app"}, From: user, Deny: []string{"team/app"}})
	refused := j.manifest(http.MethodGet, token)
	if header := refused.Header.Get("WWW-Authenticate"); refused.StatusCode != http.StatusUnauthorized || !strings.Contains(header, `error="insufficient_scope"`) {
		t.Error("denied:", refused.StatusCode, header)
	}
	_, again := j.accountToken(0)
	j.wants(again, http.StatusUnauthorized, "denied, with a new token")
	j.wants(others, http.StatusOK, "denied to another")
	if err := j.pushImage(context.Background(), teamImage); err != nil {
		t.Error("the lab pushes:", err)
	}
	j.tell(registryChange{Allow: []string{"team/app"}, From: user})
	j.wants(token, http.StatusOK, "allowed")
	j.wants(again, http.StatusUnauthorized, "its token was given without the right")
	j.tell(registryChange{Hide: []string{"team/app"}})
	j.wants(token, http.StatusNotFound, "hidden from all")
	j.wants(others, http.StatusNotFound, "hidden from all")
	j.wants("", http.StatusUnauthorized, "hidden from all, without a token")
	j.tell(registryChange{Disable: []string{user}})
	j.wants(token, http.StatusUnauthorized, "hidden from all, with a token that is over")
	j.tell(registryChange{Show: []string{"team/app"}, Deny: []string{"team/app"}, Enable: []string{user}})
	j.wants(token, http.StatusUnauthorized, "denied to all")
	j.wants(others, http.StatusUnauthorized, "denied to all")
	if header := j.manifest(http.MethodGet, "").Header.Get("WWW-Authenticate"); strings.Contains(header, "error=") {
		t.Error("denied to all, without a token:", header)
	}
}

// A token of another token server is anonymous, whatever its claims are.
func TestForgedTokens(t *testing.T) {
	j := judgedRegistry(t, hostPrivate)
	other, _, err := newTokenServer(j.tokens.realm, j.tokens.service)
	if err != nil {
		t.Fatal(err)
	}
	user := j.tokens.rules.known()[0].Username
	for _, subject := range []string{user, ownAccount} {
		forged, err := other.issue(subject, grantPull([]string{"repository:team/app:pull"}))
		if err != nil {
			t.Fatal(err)
		}
		j.wants(forged, http.StatusUnauthorized, "forged for "+subject)
	}
	if mine, nobodys := j.counted(user), j.counted(""); mine != "0 0 0 0 0" || nobodys != "0 0 0 0 2" {
		t.Error(mine, "and of nobody", nobodys)
	}
}

func TestWhatARequestWants(t *testing.T) {
	for _, test := range []struct {
		method, path, repository string
		what                     asked
	}{
		{http.MethodGet, "/v2/", "", askedOther},
		{http.MethodGet, "/v2/_catalog", "", askedOther},
		{http.MethodGet, "/v2/team/app/manifests/v1", "team/app", askedManifest},
		{http.MethodHead, "/v2/team/app/manifests/v1", "team/app", askedHead},
		{http.MethodPut, "/v2/team/app/manifests/v1", "team/app", askedOther},
		{http.MethodGet, "/v2/team/app/tags/list", "team/app", askedOther},
		{http.MethodGet, "/v2/team/app/blobs/sha256:0", "team/app", askedOther},
		{http.MethodGet, "/v2/team/blobs/tags/manifests/v1", "team/blobs/tags", askedManifest},
		{http.MethodGet, "/v2/team/manifests/app/tags/list", "team/manifests/app", askedOther},
	} {
		request := &http.Request{Method: test.method, URL: &url.URL{Path: test.path}}
		if repository, what := wantedOf(request); repository != test.repository || what != test.what {
			t.Errorf("%s %s: %q %v", test.method, test.path, repository, what)
		}
	}
}

// watchedAnswer reads the counts at the time when an answer is sent.
type watchedAnswer struct {
	http.ResponseWriter
	sent func()
}

func (w watchedAnswer) WriteHeader(status int) {
	w.sent()
	w.ResponseWriter.WriteHeader(status)
}

func TestCountedBeforeTheAnswer(t *testing.T) {
	for name, serve := range map[string]func(http.ResponseWriter){
		"a status": func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK); w.WriteHeader(http.StatusOK) },
		"content":  func(w http.ResponseWriter) { _, _ = w.Write([]byte("a")); _, _ = w.Write([]byte("b")) },
		"nothing":  func(http.ResponseWriter) {},
		"early":    func(w http.ResponseWriter) { w.WriteHeader(http.StatusEarlyHints); w.WriteHeader(http.StatusOK) },
	} {
		rules := newRegistryRules()
		var seen int
		answer := watchedAnswer{httptest.NewRecorder(), func() { seen = rules.report().Accounts["user"].Pulls }}
		rules.counting(answer, "user", askedManifest, serve)
		if seen != 1 || rules.report().Accounts["user"].Pulls != 1 {
			t.Errorf("%s: %d when it was sent, %d at the end", name, seen, rules.report().Accounts["user"].Pulls)
		}
	}
}

func TestRedirect(t *testing.T) {
	j := judgedRegistry(t, hostPrivate)
	user, token := j.accountToken(0)
	j.tell(registryChange{Redirect: ptr.To("https://other.example.com/")})
	answer := j.manifest(http.MethodGet, token)
	if where := answer.Header.Get("Location"); answer.StatusCode != http.StatusTemporaryRedirect || where != "https://other.example.com/v2/team/app/manifests/v1" {
		t.Error(answer.StatusCode, where)
	}
	j.accountToken(0)
	j.tell(registryChange{Redirect: ptr.To("")})
	j.wants(token, http.StatusOK, "no more")
	if got := j.counted(user); got != "2 0 1 0 1" {
		t.Error("counted:", got)
	}
}

func TestFurtherAccounts(t *testing.T) {
	j := judgedRegistry(t, hostPrivate)
	j.tell(registryChange{Add: []string{"robot+new", "robot+next"}})
	j.tell(registryChange{Add: []string{"robot+nasty"}, Nasty: true})
	accounts := j.info().Accounts
	if len(accounts) != 5 || accounts[2].Password == accounts[3].Password || len(accounts[2].Password) > 40 || len(accounts[4].Password) < 250 {
		t.Error(len(accounts))
	}
	for number := range accounts {
		_, token := j.accountToken(number)
		j.wants(token, http.StatusOK, accounts[number].Username)
	}
}

func TestChangesThatAreRefused(t *testing.T) {
	rules := newRegistryRules()
	user := rules.known()[0].Username
	for want, change := range map[string]registryChange{
		"already":            {Add: []string{"new", user}},
		"already ":           {Add: []string{"new", "new"}},
		"without a colon":    {Add: []string{"new", "a:b"}},
		"other than":         {Add: []string{"new", ownAccount}},
		"no account":         {Add: []string{"new"}, Disable: []string{"stranger"}},
		"no account ":        {Add: []string{"new"}, Hide: []string{"team/app"}, From: "stranger"},
		"without host":       {Add: []string{"new"}, Deny: []string{"127.0.0.2:5000/team/app"}},
		"--from is for":      {Add: []string{"new"}, From: user},
		"--nasty is for":     {Nasty: true, Disable: []string{user}},
		"one or the other":   {Add: []string{"new"}, Close: true, Open: true},
		"cannot be negative": {Add: []string{"new"}, Expire: ptr.To(-1)},
		"be negative":        {Add: []string{"new"}, RateLimit: ptr.To(-1)},
		"is a URL":           {Add: []string{"new"}, Redirect: ptr.To("other.example.com")},
	} {
		if err := rules.change(change); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if len(rules.known()) != 2 || len(rules.disabled) > 0 {
		t.Error("a change that was refused was carried out in part")
	}
}

func TestOtherAnswers(t *testing.T) {
	j := judgedRegistry(t, hostPrivate)
	user, token := j.accountToken(0)
	body := func(path string) (int, string, string) {
		t.Helper()
		answer, err := j.send(http.MethodGet, "https://"+j.host+path, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		content, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, answer.Header.Get("Content-Type"), string(content)
	}
	_, _, real := body("/v2/team/app/manifests/v1")
	for given, want := range map[string]struct {
		path, kind, content string
		status              int
	}{
		"manifests=402":      {"/v2/team/app/manifests/v1", "application/json", "payment required", 402},
		"manifests=403,html": {"/v2/team/app/manifests/v1", "text/html; charset=utf-8", "<!DOCTYPE html>", 403},
		"blobs=404":          {"/v2/team/app/blobs/sha256:0", "application/json", "BLOB_UNKNOWN", 404},
		"ping=200,html":      {"/v2/", "text/html; charset=utf-8", "<html>", 200},
		"token=502":          {"/v2/team/app/manifests/v1", "application/vnd.docker.distribution.manifest.v2+json", real, 200},
	} {
		j.tell(registryChange{Answer: []string{given}})
		if status, kind, content := body(want.path); status != want.status || kind != want.kind || !strings.Contains(content, want.content) {
			t.Errorf("%s: %d %s %s", given, status, kind, content)
		}
	}
	j.tell(registryChange{Answer: []string{"token=502"}})
	if _, status := j.login(user, "any"); status != http.StatusBadGateway {
		t.Error("the token server answers", status)
	}
	j.tell(registryChange{Answer: []string{"manifests=damaged"}})
	if _, _, damaged := body("/v2/team/app/manifests/v1"); damaged == real || len(damaged) != len(real) {
		t.Error("damaged content is", damaged)
	}
	j.tell(registryChange{Answer: []string{""}})
	j.wants(token, http.StatusOK, "no other answer any more")
	for _, wrong := range []string{"other=403", "ping", "ping=damaged", "token=damaged", "ping=99", "ping=403,xml", "=403"} {
		if err := j.change(registryChange{Answer: []string{wrong}}); err == nil {
			t.Error(wrong, "is accepted")
		}
	}
}
