// How the controllers name what they generate: openshift/library-go pkg/build/naming (GetName) with a limit of 58
// characters, in all releases, and five random characters behind it (k8s.io/apiserver pkg/storage/names).
package main

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
)

const (
	pullSecretKind  = "dockercfg"
	tokenSecretKind = "token"
	// longestPrefix leaves room for the random characters: names of secrets end at 63 here, as those of labels do.
	longestPrefix = 58
)

// generatedPrefix is the name before the random characters: ACCOUNT-KIND-, and for a long account name its beginning, a
// hash of the whole name and the kind.
func generatedPrefix(account, kind string) string {
	ending := "-" + kind + "-"
	if len(account)+len(ending) <= longestPrefix {
		return account + ending
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(account))
	ending = fmt.Sprintf("-%08x%s", hash.Sum32(), ending)
	return account[:longestPrefix-len(ending)] + ending
}

func generatedName(account, kind string) string {
	return generatedPrefix(account, kind) + randomSuffix()
}

// randomSuffix is like the one the API server appends to generateName.
func randomSuffix() string {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	suffix := make([]byte, 5)
	for i := range suffix {
		suffix[i] = letters[rand.IntN(len(letters))]
	}
	return string(suffix)
}
