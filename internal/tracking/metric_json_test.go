package tracking

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millpond/millpond/internal/rest"
)

// TestHistoryJSON: what is written without reflection is what reflection would write.
func TestHistoryJSON(t *testing.T) {
	type plain historyResponse // without the method
	for _, r := range []historyResponse{
		{},
		{NextPageToken: "x=="},
		{Metrics: []Metric{{Key: "a \"quoted\" <key>\u2028ü", Value: 0.1, Timestamp: 1 << 60, Step: -5}}},
		{Metrics: []Metric{{Key: "a", Value: rest.Float(math.NaN()), RunID: "r"}, {Key: "b", Value: rest.Float(math.Inf(-1)), RunID: "s"}, {Key: "b", Value: 1e300, RunID: "s"}}, NextPageToken: "t"},
		{Metrics: []Metric{{Key: "a", Value: 3, DatasetName: "d", DatasetDigest: "g", ModelID: "m", RunID: "r"}, {Key: "a", Value: 1e-9}}},
	} {
		want, err := json.Marshal(plain(r))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(r.AppendJSON(nil))); diff != "" {
			t.Error(diff)
		}
	}
}

func BenchmarkHistoryJSON(b *testing.B) {
	r := historyResponse{Metrics: make([]Metric, 100_000)}
	for i := range r.Metrics {
		r.Metrics[i] = Metric{Key: "loss", Value: rest.Float(1 / float64(i+1)), Timestamp: rest.Int64(1_800_000_000_000 + i), Step: rest.Int64(i)}
	}
	for b.Loop() {
		r.AppendJSON(nil)
	}
}
