// How a registry is told to behave while it runs: its accounts, how long tokens live, limits, redirects, and which account sees
// which repository.
package main

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// ownAccount is the lab itself. It pushes, no rule holds for it, and it is not counted.
const ownAccount = "lab"

// registryChange is a request of `lab registry`. Settings that it does not contain stay unchanged.
type registryChange struct {
	Name      string   `json:"name"`
	Add       []string `json:"add,omitempty"` // users
	Nasty     bool     `json:"nasty,omitempty"`
	Disable   []string `json:"disable,omitempty"`
	Enable    []string `json:"enable,omitempty"`
	Expire    *int     `json:"expire,omitempty"` // seconds, 0: as at the start
	Close     bool     `json:"close,omitempty"`
	Open      bool     `json:"open,omitempty"`
	RateLimit *int     `json:"rate_limit,omitempty"` // requests, 0: no limit
	Quota     *int     `json:"quota,omitempty"`      // remaining pulls that manifests report, negative: none is reported
	Hide      []string `json:"hide,omitempty"`       // repositories, as the three below
	Show      []string `json:"show,omitempty"`
	Deny      []string `json:"deny,omitempty"`
	Allow     []string `json:"allow,omitempty"`
	From      string   `json:"from,omitempty"` // an account, or empty for all
	Redirect  *string  `json:"redirect,omitempty"`
	Trust     *string  `json:"trust,omitempty"`  // AUDIENCE=SUBJECT of tokens that are passwords, or empty for none
	Answer    []string `json:"answer,omitempty"` // PLACE=STATUS[,html], PLACE=damaged or blobs=URL; an empty one ends all others
}

// restriction takes a repository from one account, or from all where that is empty.
type restriction struct{ repository, from string }

// registryRules are the rules of one registry, and its counts. They are read again for each request.
type registryRules struct {
	mu             sync.Mutex
	accounts       []account
	disabled       map[string]bool
	counts         map[string]*accountCounts
	life           time.Duration
	limited        bool
	left           int // requests until the limit
	quota          int // remaining pulls that manifests report, negative: none is reported
	redirect       string
	hidden, denied map[restriction]bool
	answers        map[string]otherAnswer // by the kind of request
}

func newRegistryRules() *registryRules {
	return &registryRules{
		accounts: newAccounts(), life: tokenLife, quota: -1, counts: map[string]*accountCounts{},
		disabled: map[string]bool{}, hidden: map[restriction]bool{}, denied: map[restriction]bool{},
	}
}

// known are all accounts, also those that are disabled.
func (r *registryRules) known() []account {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.accounts)
}

// change does all of it or, with an error, nothing.
func (r *registryRules) change(c registryChange) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.check(c); err != nil {
		return err
	}
	for _, user := range c.Add {
		password := rand.Text()
		if c.Nasty {
			password = nastyPassword()
		}
		r.accounts = append(r.accounts, account{user, password})
	}
	for _, user := range c.Disable {
		r.disabled[user] = true
	}
	for _, user := range c.Enable {
		delete(r.disabled, user)
	}
	restrict(r.hidden, c.Hide, c.Show, c.From)
	restrict(r.denied, c.Deny, c.Allow, c.From)
	r.changeAnswers(c)
	return nil
}

func (r *registryRules) changeAnswers(c registryChange) {
	if c.Expire != nil {
		r.life = time.Duration(*c.Expire) * time.Second
		if *c.Expire == 0 {
			r.life = tokenLife
		}
	}
	if c.RateLimit != nil {
		r.limited, r.left = *c.RateLimit > 0, *c.RateLimit
	}
	if c.Quota != nil {
		r.quota = *c.Quota
	}
	if len(c.Answer) > 0 {
		r.answers, _ = readAnswers(c.Answer)
	}
	if c.Redirect != nil {
		r.redirect = strings.TrimSuffix(*c.Redirect, "/")
	}
}

func restrict(rules map[restriction]bool, add, remove []string, from string) {
	for _, repository := range add {
		rules[restriction{repository, from}] = true
	}
	for _, repository := range remove {
		delete(rules, restriction{repository, from})
	}
}

func (r *registryRules) check(c registryChange) error {
	for i, user := range c.Add {
		if err := checkUser(user); err != nil {
			return err
		}
		if r.has(user) || slices.Contains(c.Add[:i], user) {
			return fmt.Errorf("registry %s has an account %q already", c.Name, user)
		}
	}
	named := slices.Concat(c.Disable, c.Enable)
	if c.From != "" {
		named = append(named, c.From)
	}
	for _, user := range named {
		if !r.has(user) && !slices.Contains(c.Add, user) {
			return fmt.Errorf("registry %s has no account %q", c.Name, user)
		}
	}
	return c.check()
}

func (r *registryRules) has(user string) bool {
	return slices.ContainsFunc(r.accounts, func(a account) bool { return a.Username == user })
}

// checkUser refuses names that a login cannot carry, and the lab's own name.
func checkUser(user string) error {
	if user == "" || strings.Contains(user, ":") || user == ownAccount {
		return fmt.Errorf("an account has a name without a colon, other than %q: not %q", ownAccount, user)
	}
	return nil
}

// check validates the settings that do not depend on accounts.
func (c registryChange) check() error {
	repositories := slices.Concat(c.Hide, c.Show, c.Deny, c.Allow)
	for _, repository := range repositories {
		if repository == "" || strings.Contains(repository, ":") {
			return fmt.Errorf("a repository is called as in team/app, without host and tag, unlike %q", repository)
		}
	}
	switch {
	case c.From != "" && len(repositories) == 0:
		return fmt.Errorf("--from is for --hide, --show, --deny and --allow")
	case c.Nasty && len(c.Add) == 0:
		return fmt.Errorf("--nasty is for --add")
	case c.Close && c.Open:
		return fmt.Errorf("--close and --open are one or the other")
	case c.Expire != nil && *c.Expire < 0, c.RateLimit != nil && *c.RateLimit < 0:
		return fmt.Errorf("--expire and --rate-limit cannot be negative")
	}
	if _, err := readAnswers(c.Answer); err != nil {
		return err
	}
	return c.checkRedirect()
}

func (c registryChange) checkRedirect() error {
	if c.Redirect == nil || *c.Redirect == "" {
		return nil
	}
	target, err := url.Parse(*c.Redirect)
	if err != nil || target.Host == "" || target.Scheme != "https" && target.Scheme != "http" {
		return fmt.Errorf("--redirect is a URL such as https://127.0.0.1:8443, not %q", *c.Redirect)
	}
	return nil
}

// isChange says whether anything is asked for.
func (c registryChange) isChange() bool {
	lists := slices.Concat(c.Add, c.Disable, c.Enable, c.Hide, c.Show, c.Deny, c.Allow, c.Answer)
	return len(lists) > 0 || c.Close || c.Open || c.Expire != nil || c.RateLimit != nil || c.Quota != nil || c.Redirect != nil || c.Trust != nil
}

// accepts says whether this login is one of an account that is not disabled.
func (r *registryRules) accepts(username, password string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.disabled[username] && slices.ContainsFunc(r.accounts, func(a account) bool {
		return a.Username == username && subtle.ConstantTimeCompare([]byte(a.Password), []byte(password)) == 1
	})
}

// tokenLives says whether a token of an account still counts: one that is disabled has none, whenever it was given.
func (r *registryRules) tokenLives(user string, given time.Time, granted time.Duration, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.disabled[user] && now.Before(given.Add(min(granted, r.life)))
}

func (r *registryRules) tokenLife() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.life
}

// overLimit takes one request from the remaining ones.
func (r *registryRules) overLimit() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.limited {
		return false
	}
	r.left--
	return r.left < 0
}

// reportQuota writes the headers of Docker Hub's pull limit.
func (r *registryRules) reportQuota(header http.Header) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.quota >= 0 {
		header.Set("ratelimit-limit", "100;w=21600")
		header.Set("ratelimit-remaining", fmt.Sprintf("%d;w=21600", r.quota))
	}
}

// redirected is where requests for path and query are sent, or empty.
func (r *registryRules) redirected(uri string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.redirect == "" {
		return ""
	}
	return r.redirect + uri
}

func (r *registryRules) hides(repository, user string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hidden[restriction{repository, user}] || r.hidden[restriction{repository, ""}]
}

func (r *registryRules) denies(repository, user string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.denied[restriction{repository, user}] || r.denied[restriction{repository, ""}]
}
