// SPDX-License-Identifier: Apache-2.0

package scan

// The limits of a memo.
const (
	MaxMemo      = maxMemo
	MaxMemoBytes = maxMemoBytes
)

// Remembered returns how many values of a dimension a builder remembers, and the bytes of their texts.
func (b *Builder) Remembered(label int) (values, bytes int) {
	m := b.labels[label]
	for text := range m.byBytes {
		bytes += len(text)
	}
	return len(m.byBytes) + len(m.byInt) + len(m.spans), bytes
}
