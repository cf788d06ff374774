// SPDX-License-Identifier: Apache-2.0

package logio

// In returns the source with blocks of about block bytes and that many readers.
func (s *Source) In(block, readers int) *Source {
	other := *s
	other.block, other.readers = block, readers
	return &other
}
