// Tests of the entries that CRI-O's credential provider takes from secrets.
package main

import (
	"encoding/base64"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestProviderEntries(t *testing.T) {
	login := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	secret := func(content string) corev1.Secret {
		return corev1.Secret{Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(content)}}
	}
	got := entriesFor([]corev1.Secret{
		secret(fmt.Sprintf(`{"auths": {"https://m.io": {"auth": %q}, "m.i": {"auth": %q}}}`, login("a:1"), login("none"))),
		secret(fmt.Sprintf(`{"auths": {"m.io": {"auth": %q}, "m.io/z/app": {"auth": %q}, "q.io": {"auth": "?"}}}`, login("b:2\x00"), login("c:3"))),
		secret(fmt.Sprintf(`{"auths": {"m.io": {"auth": %q}, "x.io": []}}`, login("d:4"))),
		secret(`no JSON`),
	}, []string{"m.io/z", "q.io/team/app"})
	want := map[string]authEntry{"m.io": {login("b:2")}, "m.i": {login(":")}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestNamespaceOfAToken(t *testing.T) {
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"kubernetes.io": {"namespace": "project-a"}}`))
	if namespace, err := namespaceOf("head." + claims + ".signature"); namespace != "project-a" || err != nil {
		t.Error(namespace, err)
	}
	for _, token := range []string{"", "a.b", "head.e30.signature", "head.?.signature"} {
		if namespace, err := namespaceOf(token); err == nil {
			t.Errorf("%q: %s", token, namespace)
		}
	}
}
