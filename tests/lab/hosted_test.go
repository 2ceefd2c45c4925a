// Tests of how a hosted cluster handles the secret that its users add. The tests of the collection use the same file of cases.
package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestMerge(t *testing.T) {
	var cases []struct{ Name, Key, Given, Merged, Error string }
	content, err := os.ReadFile("../support/hosted_merges.json")
	if err == nil {
		err = json.Unmarshal(content, &cases)
	}
	if err != nil || len(cases) == 0 {
		t.Fatal(err)
	}
	const original = `{"auths":{"quay.io":{"auth":"dTpw"}}}`
	for _, test := range cases {
		got, err := merge([]byte(original), &corev1.Secret{Data: map[string][]byte{test.Key: []byte(test.Given)}})
		failed := err != nil && test.Error != "" && strings.Contains(err.Error(), test.Error)
		if !failed && (err != nil || test.Error != "" || string(got) != test.Merged) {
			t.Errorf("%s: %s %v, want %s%s", test.Name, got, err, test.Merged, test.Error)
		}
	}
}
