// Tests of the parts that decide without a cluster.
package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestGrantPull(t *testing.T) {
	for scope, want := range map[string]string{
		"repository:team/app:pull":            "team/app",
		"repository:team/app:pull,push":       "team/app",
		"repository(plugin):team/app:pull":    "team/app",
		"repository:host.example:5000/a:pull": "host.example:5000/a",
		"repository:team/app:push":            "",
		"registry:catalog:*":                  "",
		"":                                    "",
		"nonsense":                            "",
	} {
		got := ""
		for _, granted := range grantPull([]string{scope}) {
			got = granted.Name
			if strings.Join(granted.Actions, ",") != "pull" {
				t.Errorf("%q grants %v", scope, granted.Actions)
			}
		}
		if got != want {
			t.Errorf("%q grants %q, want %q", scope, got, want)
		}
	}
}

func TestPullSecretPrefix(t *testing.T) {
	if got := pullSecretPrefix("default"); got != "default-dockercfg-" {
		t.Error(got)
	}
	long := pullSecretPrefix(strings.Repeat("a", 200))
	if len(long) != longestPrefix || long == pullSecretPrefix(strings.Repeat("a", 199)) {
		t.Errorf("%q of %d characters", long, len(long))
	}
}

func TestManagedName(t *testing.T) {
	secret := func(name string) *corev1.Secret { return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}} }
	account := func(annotation string, linked ...string) *corev1.ServiceAccount {
		a := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "sa", Annotations: map[string]string{refAnnotation: annotation}}}
		for _, name := range linked {
			link(a, name)
		}
		return a
	}
	a, b := secret("sa-dockercfg-aaaaa"), secret("sa-dockercfg-bbbbb")
	for name, test := range map[string]struct {
		account *corev1.ServiceAccount
		managed []*corev1.Secret
		want    string
	}{
		"new":                {account(""), nil, ""},
		"annotated":          {account(b.Name), []*corev1.Secret{a, b}, b.Name},
		"annotation lost":    {account("", b.Name), []*corev1.Secret{a, b}, b.Name},
		"annotation changed": {account("foo", b.Name), []*corev1.Secret{a, b}, b.Name},
		"account made anew":  {account(""), []*corev1.Secret{a}, a.Name},
		"secret deleted":     {account(a.Name, a.Name), nil, a.Name},
		"a stranger's name":  {account("foo"), nil, ""},
	} {
		if got := managedName(test.account, test.managed); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestNastyPassword(t *testing.T) {
	password := nastyPassword()
	if n := utf8.RuneCountInString(password); n < 250 || n > 350 {
		t.Errorf("%d characters", n)
	}
	for _, piece := range []string{":", `"`, "'", " ", `\`, "$", "{{", "%", "é", "ü", "漢"} {
		if !strings.Contains(password, piece) {
			t.Errorf("no %q", piece)
		}
	}
	if password == nastyPassword() {
		t.Error("not random")
	}
}
