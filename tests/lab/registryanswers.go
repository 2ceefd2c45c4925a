// Answers of a registry, or of a proxy before it, instead of the requested content: a status, the page of a proxy, damaged content.
package main

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// otherAnswer is the answer to one kind of request. Damaged content is the true content with one more byte. A location is that of a
// redirect, as of a registry whose blobs are in an object storage.
type otherAnswer struct {
	status        int
	html, damaged bool
	location      string
}

var (
	answerPlaces = []string{"ping", "token", "manifests", "blobs"}
	answerCodes  = map[int]string{
		http.StatusUnauthorized: "UNAUTHORIZED", http.StatusForbidden: "DENIED", http.StatusTooManyRequests: "TOOMANYREQUESTS",
	}
)

const proxyPage = "<!DOCTYPE html>\n<html><head><title>Access blocked</title></head><body>Ask your administrator.</body></html>\n"

// readAnswers reads PLACE=STATUS[,html], PLACE=damaged and blobs=URL.
func readAnswers(given []string) (map[string]otherAnswer, error) {
	answers := map[string]otherAnswer{}
	for _, text := range given {
		if text == "" {
			continue
		}
		place, rest, _ := strings.Cut(text, "=")
		number, form, _ := strings.Cut(rest, ",")
		status, err := strconv.Atoi(number)
		switch {
		case !slices.Contains(answerPlaces, place), form != "" && form != "html":
			return nil, wrongAnswer(text)
		case place == "blobs" && strings.HasPrefix(rest, "http"):
			answers[place] = otherAnswer{location: rest}
		case rest == "damaged" && (place == "manifests" || place == "blobs"):
			answers[place] = otherAnswer{damaged: true}
		case err != nil || status < 200 || status > 599:
			return nil, wrongAnswer(text)
		default:
			answers[place] = otherAnswer{status: status, html: form == "html"}
		}
	}
	return answers, nil
}

func wrongAnswer(text string) error {
	return fmt.Errorf("--answer is PLACE=STATUS, PLACE=STATUS,html, PLACE=damaged or blobs=URL, with a place of %s: not %q", strings.Join(answerPlaces, ", "), text)
}

// write gives the answer; for damaged content `really` gives the true one first.
func (a otherAnswer) write(w http.ResponseWriter, place string, really func(http.ResponseWriter)) {
	switch {
	case a.location != "":
		w.Header().Set("Location", a.location)
		w.WriteHeader(http.StatusTemporaryRedirect)
	case a.damaged:
		kept := &keptAnswer{header: w.Header(), status: http.StatusOK}
		really(kept)
		content := kept.body.Bytes()
		if kept.status == http.StatusOK && len(content) > 0 {
			content[len(content)-1] ^= 1
		}
		w.WriteHeader(kept.status)
		_, _ = w.Write(content)
	case a.html:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(proxyPage))
	case a.status == http.StatusNotFound && place == "blobs":
		refuse(w, a.status, "BLOB_UNKNOWN", "blob unknown to registry")
	case a.status == http.StatusNotFound:
		refuse(w, a.status, "MANIFEST_UNKNOWN", "manifest unknown")
	default:
		code := answerCodes[a.status]
		if code == "" {
			code = "UNKNOWN"
		}
		refuse(w, a.status, code, strings.ToLower(http.StatusText(a.status)))
	}
}

// keptAnswer keeps an answer, so that it can be changed before it is sent.
type keptAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *keptAnswer) Header() http.Header               { return k.header }
func (k *keptAnswer) WriteHeader(status int)            { k.status = status }
func (k *keptAnswer) Write(content []byte) (int, error) { return k.body.Write(content) }

// placeOf is the kind of a request to a registry.
func placeOf(r *http.Request) string {
	for _, place := range []string{"manifests", "blobs"} {
		if strings.Contains(r.URL.Path, "/"+place+"/") {
			return place
		}
	}
	return "ping"
}

// instead is the answer that was set for a kind of request.
func (r *registryRules) instead(place string) (otherAnswer, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answer, found := r.answers[place]
	return answer, found
}
