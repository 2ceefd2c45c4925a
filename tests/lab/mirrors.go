// The mirrors of each source, merged over all objects into one order that keeps each object's own.
package main

import (
	"maps"
	"slices"
)

// mergeMirrors returns the sources in order, the mirrors of each, and which of them must never be contacted. A set without a
// mirror other than its source is none.
func mergeMirrors(sets []mirrorSet) (sources []string, merged map[string][]string, blocked map[string]bool) {
	chains := map[string][][]string{}
	blocked = map[string]bool{}
	for _, set := range sets {
		if !slices.ContainsFunc(set.Mirrors, func(mirror string) bool { return mirror != set.Source }) {
			continue
		}
		chains[set.Source] = append(chains[set.Source], set.Mirrors)
		blocked[set.Source] = blocked[set.Source] || set.Policy == neverContactSource
	}
	sources = slices.Sorted(maps.Keys(chains))
	merged = map[string][]string{}
	for _, source := range sources {
		merged[source] = mergeChains(source, chains[source])
	}
	return sources, merged, blocked
}

// mergeChains orders what several lists name, the source after all mirrors unless a list says otherwise.
func mergeChains(source string, chains [][]string) []string {
	after := map[string]map[string]bool{} // what comes after each, and so for all names
	add := func(name string) {
		if after[name] == nil {
			after[name] = map[string]bool{}
		}
	}
	for _, chain := range chains {
		if !slices.Contains(chain, source) {
			chain = append(slices.Clone(chain), source)
		}
		for i, name := range chain {
			add(name)
			if i > 0 {
				after[chain[i-1]][name] = true
			}
		}
	}
	sorted := inOrder(after)
	if last := len(sorted) - 1; sorted[last] == source {
		sorted = sorted[:last]
	}
	return sorted
}

// inOrder sorts names so that each comes before those after it; of equals the smaller is first, and a circle is cut at its smallest.
func inOrder(after map[string]map[string]bool) []string {
	before := map[string]int{}
	for _, names := range after {
		for name := range names {
			before[name]++
		}
	}
	all := slices.Sorted(maps.Keys(after))
	used := map[string]bool{}
	var queue, sorted []string
	for _, name := range all {
		if before[name] == 0 {
			queue = append(queue, name)
		}
	}
	for len(queue) > 0 || len(all) > 0 {
		var name string
		if len(queue) > 0 {
			name, queue = queue[0], queue[1:]
		} else {
			name, all = all[0], all[1:]
		}
		if used[name] {
			continue
		}
		used[name] = true
		sorted = append(sorted, name)
		for _, next := range slices.Sorted(maps.Keys(after[name])) {
			if before[next]--; before[next] == 0 && !used[next] {
				queue = append(queue, next)
			}
		}
	}
	return sorted
}
