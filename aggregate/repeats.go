// SPDX-License-Identifier: Apache-2.0

package aggregate

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"

	"github.com/throngdp/throng/aggregate/table"
)

// headBytes is how much is compared of objects of one length before all of them is.
const headBytes = 64 << 10

// checkRepeats refuses an input that has the same records twice: the same source, or the same stored bytes under whatever
// name. Bounds would keep one person's part as small as it is; every number would be twice what it is.
func checkRepeats(ctx context.Context, input string, sources []table.Source) error {
	repeated := func(name, other string) error {
		return fmt.Errorf("%s input: got %s with the same content as %s, want every record once; name one of them, or join the two where both count: %w",
			input, name, other, ErrInputs)
	}
	var all []error
	var objects []table.Object
	for i, s := range sources {
		if slices.ContainsFunc(sources[:i], func(o table.Source) bool { return identical(o, s) }) {
			all = append(all, repeated(s.Name(), s.Name()))
		} else if stored, ok := s.(table.Stored); ok {
			objects = append(objects, stored.Objects()...)
		}
	}
	groups := [][]table.Object{objects}
	for _, most := range []int64{0, headBytes, math.MaxInt64} {
		var err error
		if groups, err = alike(ctx, groups, most); err != nil {
			return err
		}
	}
	for _, g := range groups {
		some, err := holdsRecords(ctx, g[0].Source)
		if err != nil {
			return err
		}
		for _, o := range g[1:] {
			if some {
				all = append(all, repeated(o.Name(), g[0].Name()))
			}
		}
	}
	return errors.Join(all...)
}

// identical reports whether two sources are one value.
func identical(a, b table.Source) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// alike parts groups by the lengths of objects and by the hash of at most so many of their first bytes. It leaves out
// objects that no other is like, and empty ones.
func alike(ctx context.Context, groups [][]table.Object, most int64) ([][]table.Object, error) {
	type key struct {
		bytes int64
		hash  [sha256.Size]byte
	}
	var all [][]table.Object
	for _, g := range groups {
		at := map[key]int{}
		var parts [][]table.Object
		for _, o := range g {
			k := key{bytes: o.Bytes}
			var err error
			if k.hash, err = hashOf(ctx, o, most); err != nil {
				return nil, err
			}
			if _, known := at[k]; !known {
				at[k], parts = len(parts), append(parts, nil)
			}
			parts[at[k]] = append(parts[at[k]], o)
		}
		all = append(all, slices.DeleteFunc(parts, func(p []table.Object) bool { return len(p) < 2 || p[0].Bytes == 0 })...)
	}
	return all, nil
}

// hashOf hashes the first bytes of an object. The hash leaves this file no more than the bytes do.
func hashOf(ctx context.Context, o table.Object, most int64) (sum [sha256.Size]byte, err error) {
	if most == 0 {
		return sum, nil
	}
	r, err := o.Raw(ctx)
	if err != nil {
		return sum, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(r, most)); err != nil {
		return sum, err
	}
	h.Sum(sum[:0])
	return sum, nil
}

// holdsRecords reports whether a source has any record: shards that have none are often the same.
func holdsRecords(ctx context.Context, src table.Source) (bool, error) {
	schema, err := src.Schema(ctx)
	if err != nil {
		return false, err
	}
	var columns []string
	if len(schema.Fields) > 0 {
		columns = []string{schema.Fields[0].Name}
	}
	readers, err := src.Open(ctx, columns)
	if err != nil {
		return false, err
	}
	defer func() {
		for _, r := range readers {
			r.Close()
		}
	}()
	for _, r := range readers {
		var b table.Batch
		err := r.Next(ctx, &b)
		if err == nil && b.Len > 0 {
			return true, nil
		}
		if err != nil && err != io.EOF {
			return false, err
		}
	}
	return false, nil
}
