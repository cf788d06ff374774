// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/throngdp/throng/dp"
)

func isHelp(arg string) bool {
	return slices.Contains([]string{"-h", "--h", "-help", "--help", "help"}, arg)
}

// wantsJSON looks for -json where parsing has stopped at a fault before it.
func wantsJSON(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		return slices.Contains([]string{"-json", "--json", "-json=true", "--json=true"}, a)
	})
}

func newFlagSet(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}

// helpText is what -h prints.
func helpText() string {
	var b strings.Builder
	b.WriteString("budget computes with privacy budgets. Neighbours differ in one privacy unit, added or removed.\n\n" +
		"  go run ./examples/budget compose -laplace b=10,n=5 -gauss sigma=20,n=10 -delta 1e-6\n" +
		"  go run ./examples/budget calibrate -epsilon 1 -delta 1e-9 -statistics 20 -l0 3\n")
	for _, c := range []struct {
		text  string
		flags *flag.FlagSet
	}{
		{"compose prints the ε at -delta of all mechanisms together: ideal, continuous, of sensitivity 1. The flags\n" +
			"repeat. basic adds ε; as a Gaussian has no single ε, each is given an equal part of -delta and the ε that\n" +
			"belongs to it (Balle and Wang 2018), and these are added. zcdp adds ρ and converts. pld convolves the\n" +
			"distributions of the privacy loss. All are rounded up.\n", (&compose{}).flags()},
		{"calibrate prints the least noise with which all statistics together cost at most -epsilon and -delta, by\n" +
			"each method: the better of Laplace and Gaussian noise of that scale on every statistic and group.\n", (&calibrate{}).flags()},
	} {
		fmt.Fprintf(&b, "\n%s\nFlags of %s:\n", c.text, c.flags.Name())
		c.flags.SetOutput(&b)
		c.flags.PrintDefaults()
	}
	b.WriteString("\nExit codes: 0 done; 1 the result could not be computed or printed; 2 the command line is wrong.\n")
	return b.String()
}

// mechanism is a flag such as b=2,n=3: the parameter's exact text, and how many draws.
type mechanism struct {
	text  string
	value float64
	times int64
}

// mechanisms is a flag that may be given several times. Faults are kept, so that all can be told at once.
type mechanisms struct {
	flag, parameter string
	all             []mechanism
	faults          []error
}

func (m *mechanisms) String() string { return "" }

func (m *mechanisms) Set(v string) error {
	one, err := m.read(v)
	if err != nil {
		m.faults = append(m.faults, usageError(fmt.Sprintf("-%s: got %q, %s; such as -%s %s=2,n=3", m.flag, v, err, m.flag, m.parameter)))
		return nil
	}
	m.all = append(m.all, one)
	return nil
}

func (m *mechanisms) read(v string) (mechanism, error) {
	one := mechanism{times: 1}
	seen := map[string]bool{}
	for field := range strings.SplitSeq(v, ",") {
		name, text, _ := strings.Cut(field, "=")
		if seen[name] {
			return one, fmt.Errorf("want %s= once", name)
		}
		seen[name] = true
		var err error
		switch name {
		case m.parameter:
			one.text = text
			one.value, err = readNumber(text)
		case "n":
			one.times, err = strconv.ParseInt(text, 10, 64)
			if err != nil || one.times < 1 {
				err = errors.New("want n= a whole number of at least 1")
			}
		default:
			err = fmt.Errorf("want %s= and n= only", m.parameter)
		}
		if err != nil {
			return one, err
		}
	}
	if !seen[m.parameter] {
		return one, fmt.Errorf("want %s=", m.parameter)
	}
	return one, nil
}

// readNumber takes decimal text alone: no hexadecimal, no infinity.
func readNumber(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || strings.ContainsAny(text, "xXpP_iInN") || !(x > 0) {
		return 0, errors.New("want a positive decimal number")
	}
	return x, nil
}

// number is a flag that is a positive number.
type number struct {
	value float64
	set   bool
}

func (n *number) String() string {
	if n == nil || !n.set {
		return ""
	}
	return strconv.FormatFloat(n.value, 'g', -1, 64)
}

func (n *number) Set(v string) (err error) {
	n.value, err = readNumber(v)
	n.set = err == nil
	return err
}

// pureSpend is (ε, 0) for an ε from text, of any size that accounting takes.
func pureSpend(text string) (dp.Spend, error) {
	zero, err := dp.ParseDelta("0")
	if err != nil {
		return dp.Spend{}, err
	}
	epsilon, err := dp.ParseEpsilon(text)
	if err != nil {
		if _, ok := new(big.Rat).SetString(text); ok {
			return dp.Spend{}, fmt.Errorf("got eps=%s, %w", text, err)
		}
		return dp.Spend{}, fmt.Errorf("got eps=%s, want a plain decimal number", text)
	}
	return dp.Spend{Epsilon: epsilon, Delta: zero}, nil
}
