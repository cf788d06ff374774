// SPDX-License-Identifier: Apache-2.0

//go:build !linux && !windows

package spill

import "errors"

const removeOnClose = 0

func openUnnamed(string) (file, error) { return nil, errors.ErrUnsupported }
