// Tests of the parts that decide without a cluster.
package main

import (
	"net"
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

// The values are what library-go's own GetName answers.
func TestGeneratedPrefix(t *testing.T) {
	const long = "an-account-with-a-name-of-fifty-two-characters-xxxxx"
	for _, test := range []struct{ account, kind, want string }{
		{"default", pullSecretKind, "default-dockercfg-"},
		{"default", tokenSecretKind, "default-token-"},
		{long[:47], pullSecretKind, "an-account-with-a-name-of-fifty-two-characters--dockercfg-"},
		{long, pullSecretKind, "an-account-with-a-name-of-fifty-two-ch-dda19367-dockercfg-"},
		{long[:51], tokenSecretKind, "an-account-with-a-name-of-fifty-two-characters-xxxx-token-"},
		{long, tokenSecretKind, "an-account-with-a-name-of-fifty-two-charac-dda19367-token-"},
	} {
		if got := generatedPrefix(test.account, test.kind); got != test.want {
			t.Errorf("%s of %s: %q, want %q", test.kind, test.account, got, test.want)
		}
	}
}

func TestManagedName(t *testing.T) {
	secret := func(name string, annotations map[string]string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations}}
	}
	account := func(annotation string, linked ...string) *corev1.ServiceAccount {
		a := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "sa", UID: "1", Annotations: map[string]string{refAnnotation: annotation}}}
		for _, name := range linked {
			link(a, name)
		}
		return a
	}
	mine := map[string]string{accountAnnotation: "sa"}
	a, b := secret("sa-dockercfg-aaaaa", mine), secret("sa-dockercfg-bbbbb", mine)
	users := secret("sa-dockercfg-quay", nil)
	others := secret("sa-dockercfg-ccccc", map[string]string{accountAnnotation: "other"})
	old := secret("sa-dockercfg-ddddd", map[string]string{corev1.ServiceAccountUIDKey: "1", tokenNameAnnotation: "sa-token-ddddd"})
	for name, test := range map[string]struct {
		account  *corev1.ServiceAccount
		existing []*corev1.Secret
		want     string
	}{
		"new":                            {account(""), nil, ""},
		"annotated":                      {account(b.Name), []*corev1.Secret{a, b}, b.Name},
		"annotation lost":                {account("", b.Name), []*corev1.Secret{b}, b.Name},
		"account made anew":              {account(""), []*corev1.Secret{a}, a.Name},
		"secret deleted":                 {account(a.Name, a.Name), nil, a.Name},
		"annotation names another":       {account("foo", b.Name), []*corev1.Secret{a, b}, "foo"},
		"a user's secret of such a name": {account("", users.Name), []*corev1.Secret{users, others}, ""},
		"an older release's":             {account("", old.Name), []*corev1.Secret{old}, old.Name},
		"an older release's, not linked": {account(""), []*corev1.Secret{old}, ""},
	} {
		if got := managedName(test.account, test.existing); got != test.want {
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

func TestSummary(t *testing.T) {
	info := labInfo{Kubeconfig: "/lab/kubeconfig", CACert: "/lab/ca/ca.crt", Registries: map[string]registryInfo{
		namePrivate:    {Host: "127.0.0.2:1", Image: "127.0.0.2:1/team/app:v1", Accounts: []account{{"user", "pass"}, {"other", "$(word)"}}},
		nameIntegrated: {Host: "127.0.0.4:2", Image: "127.0.0.4:2/ns/app:v1"},
	}}
	want := `export KUBECONFIG=/lab/kubeconfig
# registry integrated: 127.0.0.4:2, image 127.0.0.4:2/ns/app:v1
# registry private: 127.0.0.2:1, image 127.0.0.2:1/team/app:v1, user user, password pass
# CA certificate of the registries: /lab/ca/ca.crt
`
	if got := info.summary(); got != want {
		t.Errorf("%s", got)
	}
	if got := (labInfo{Kubeconfig: "/lab/kubeconfig"}).summary(); got != "export KUBECONFIG=/lab/kubeconfig\n" {
		t.Errorf("%s", got)
	}
}

func TestReservedPorts(t *testing.T) {
	ports := map[int]bool{}
	for range 300 {
		place, err := reserve("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		defer place.release()
		ports[place.port] = true
		if thief, err := net.Listen("tcp", place.address()); err == nil {
			thief.Close()
			t.Fatal("another program takes a reserved port")
		}
		listener, err := place.listen()
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
	}
	if len(ports) != 300 {
		t.Errorf("%d of 300 ports are different", len(ports))
	}
}
