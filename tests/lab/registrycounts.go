// The counts of a registry for each account: logins and requested manifests.
package main

import (
	"net/http"
	"time"
)

// accountCounts are the requests of one account. Those without a login are the account with an empty name.
type accountCounts struct {
	Logins  int        `json:"logins"`  // tokens given
	Refused int        `json:"refused"` // tokens not given
	Pulls   int        `json:"pulls"`   // manifests given
	Heads   int        `json:"heads"`   // manifests asked for by HEAD that the account may have
	Denied  int        `json:"denied"`  // manifests not given, for whatever reason, by GET or HEAD
	Last    *time.Time `json:"last"`    // of any request; null when there was none
}

// registryReport is what `lab registry --json` prints.
type registryReport struct {
	Accounts map[string]accountCounts `json:"accounts"`
}

// asked is what a request is counted as.
type asked int

const (
	askedOther asked = iota
	askedLogin
	askedManifest
	askedHead
)

func (r *registryRules) report() registryReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := registryReport{map[string]accountCounts{"": {}}}
	for _, one := range r.accounts {
		report.Accounts[one.Username] = accountCounts{}
	}
	for user, counts := range r.counts {
		report.Accounts[user] = *counts
	}
	return report
}

func (r *registryRules) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.counts)
}

func (r *registryRules) count(user string, what asked, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.counts[user]
	if counts == nil {
		counts = &accountCounts{}
		r.counts[user] = counts
	}
	now := time.Now().UTC()
	counts.Last = &now
	given := status < http.StatusMultipleChoices || status == http.StatusNotModified
	switch {
	case what == askedLogin && given:
		counts.Logins++
	case what == askedLogin:
		counts.Refused++
	case what == askedManifest && given:
		counts.Pulls++
	case what == askedHead && given:
		counts.Heads++
	case what != askedOther:
		counts.Denied++
	}
}

// counted counts a request before its answer is sent: who has an answer finds it counted.
type counted struct {
	http.ResponseWriter
	count func(status int)
}

func (c *counted) WriteHeader(status int) {
	if c.count != nil && status >= http.StatusOK {
		c.count(status)
		c.count = nil
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *counted) Write(content []byte) (int, error) {
	if c.count != nil {
		c.WriteHeader(http.StatusOK)
	}
	return c.ResponseWriter.Write(content)
}

func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// counting serves a request and counts it for a user.
func (r *registryRules) counting(w http.ResponseWriter, user string, what asked, serve func(http.ResponseWriter)) {
	answer := &counted{w, func(status int) { r.count(user, what, status) }}
	serve(answer)
	if answer.count != nil {
		answer.WriteHeader(http.StatusOK)
	}
}
