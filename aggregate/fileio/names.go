// SPDX-License-Identifier: Apache-2.0

package fileio

import "context"

// namer is a source whose schema is open and which can list the names that its first records have.
type namer interface {
	Names(ctx context.Context, records int) (names map[string]int, read int, err error)
}

// Names lists the names of the first records over all files, where their format is one without a header
// (NDJSON); see Names of package ndjsonio. It lists none for other formats.
func (f *files) Names(ctx context.Context, records int) (names map[string]int, read int, err error) {
	names = map[string]int{}
	for _, s := range f.sources {
		n, ok := s.(namer)
		if !ok || read >= records {
			break
		}
		more, records, err := n.Names(ctx, records-read)
		if err != nil {
			return nil, 0, err
		}
		for name, count := range more {
			names[name] += count
		}
		read += records
	}
	return names, read, nil
}
