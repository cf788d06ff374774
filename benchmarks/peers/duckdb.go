// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	_ "github.com/duckdb/duckdb-go/v2" // the driver
)

// answer is the DuckDB process that is measured: it runs a query in memory and writes CSV.
func answer(ctx context.Context, query string, threads int, w io.Writer) (err error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1) // settings belong to the connection
	settings := fmt.Sprintf("set threads = %d; set preserve_insertion_order = false", threads)
	if _, err := db.ExecContext(ctx, settings); err != nil {
		return err
	}
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	buf := bufio.NewWriter(w)
	if err := writeRows(buf, rows); err != nil {
		return err
	}
	return buf.Flush()
}

func writeRows(w io.Writer, rows *sql.Rows) error {
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(names); err != nil {
		return err
	}
	values, into, cells := make([]any, len(names)), make([]any, len(names)), make([]string, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, v := range values {
			cells[i] = fmt.Sprint(v)
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return errors.Join(rows.Err(), out.Error())
}
