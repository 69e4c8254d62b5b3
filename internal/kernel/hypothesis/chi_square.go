// Package hypothesis holds statistical tests: numbers in, a statistic and its probability out.
package hypothesis

import (
	"errors"
	"math"

	"github.com/millpond/millpond/internal/kernel/linalg"
	"github.com/millpond/millpond/internal/kernel/prob"
)

// ChiSquare is the outcome of Pearson's test of independence.
type ChiSquare struct {
	Statistic, PValue float64
	DegreesOfFreedom  int
}

// MaxCategories is how many different values a column may have that is taken as categories.
const MaxCategories = 10000

// Errors of columns that are no categories.
var (
	ErrNaN  = errors.New("a category is NaN")
	ErrMany = errors.New("too many categories")
)

// ChiSquares tests each column of dense rows for independence of the labels. Every different value
// is a category. Where a column is no categories, its number comes with the error.
func ChiSquares(rows *linalg.Rows, labels []float64) ([]ChiSquare, int, error) {
	classes, names, err := categories(labels)
	if err != nil {
		return nil, -1, err
	}
	type tested struct {
		of  ChiSquare
		err error
	}
	parts := linalg.Chunks(rows.D, 1, 0, func(column, _, _ int) tested {
		values := make([]float64, rows.N)
		for i := range values {
			values[i] = rows.Dense[i*rows.D+column]
		}
		places, n, err := categories(values)
		if err != nil {
			return tested{err: err}
		}
		table := make([]float64, n*names)
		for i, p := range places {
			table[int(p)*names+int(classes[i])]++
		}
		return tested{of: Independence(table, names)}
	})
	out := make([]ChiSquare, len(parts))
	for column, p := range parts {
		if p.err != nil {
			return nil, column, p.err
		}
		out[column] = p.of
	}
	return out, 0, nil
}

// categories numbers the different values.
func categories(values []float64) ([]int32, int, error) {
	numbers, out := map[float64]int32{}, make([]int32, len(values))
	for i, x := range values {
		if math.IsNaN(x) {
			return nil, 0, ErrNaN
		}
		n, ok := numbers[x]
		if !ok {
			if len(numbers) == MaxCategories {
				return nil, 0, ErrMany
			}
			n = int32(len(numbers))
			numbers[x] = n
		}
		out[i] = n
	}
	return out, len(numbers), nil
}

// Independence tests a table of counts with so many columns, none of whose rows and columns is
// all zeros.
func Independence(table []float64, columns int) ChiSquare {
	rows := len(table) / columns
	byRow, byColumn, total := make([]float64, rows), make([]float64, columns), 0.0
	for i, x := range table {
		byRow[i/columns] += x
		byColumn[i%columns] += x
		total += x
	}
	dof := (rows - 1) * (columns - 1)
	if dof == 0 {
		return ChiSquare{PValue: 1}
	}
	statistic := 0.0
	for i, x := range table {
		expected := byRow[i/columns] * byColumn[i%columns] / total
		statistic += (x - expected) * (x - expected) / expected
	}
	return ChiSquare{Statistic: statistic, PValue: prob.ChiSquaredAbove(statistic, float64(dof)), DegreesOfFreedom: dof}
}
