// SPDX-License-Identifier: Apache-2.0

// Command quickstart is the code of the README: policy, release, two files, a partner's folder.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/throngdp/throng/aggregate"
	"github.com/throngdp/throng/aggregate/bundle"
	"github.com/throngdp/throng/aggregate/fileio"
	"github.com/throngdp/throng/aggregate/table"
	"github.com/throngdp/throng/examples/internal/nocore"
)

func report(ctx context.Context, dir string) error {
	policy, err := aggregate.LoadPolicy("examples/partnerreport/policy.yaml")
	if err != nil {
		return err
	}
	release, err := aggregate.LoadRelease("examples/partnerreport/release.yaml")
	if err != nil {
		return err
	}
	usage, err := fileio.Open(ctx, []string{"testdata/usage.parquet"}, fileio.Options{})
	if err != nil {
		return err
	}
	visitors, err := fileio.Open(ctx, []string{"testdata/visitors.parquet"}, fileio.Options{})
	if err != nil {
		return err
	}
	result, err := aggregate.Run(ctx, policy, release, aggregate.Inputs{
		Usage: []table.Source{usage}, Visitors: []table.Source{visitors},
	})
	if err != nil {
		return err // names every fault and its fix, and holds no data
	}
	return bundle.Write(ctx, dir, result)
}

func main() {
	_ = nocore.Set() // memory holds records: it stays out of core files
	if err := report(context.Background(), "out/quickstart"); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}
