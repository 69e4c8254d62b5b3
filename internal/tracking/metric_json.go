package tracking

import (
	"encoding/json"
	"strconv"
)

// AppendJSON implements [rest.Appender]: a history may have 100,000 points.
func (r *historyResponse) AppendJSON(b []byte) []byte {
	const point = 128 // about the length of one
	if b == nil {
		b = make([]byte, 0, len(r.Metrics)*point+64)
	}
	b = append(b, '{')
	if len(r.Metrics) > 0 {
		var texts quoted
		b = append(b, `"metrics":[`...)
		for i := range r.Metrics {
			if i > 0 {
				b = append(b, ',')
			}
			b = r.Metrics[i].append(b, &texts)
		}
		b = append(b, ']')
	}
	if r.NextPageToken != "" {
		if len(r.Metrics) > 0 {
			b = append(b, ',')
		}
		b = append(append(b, `"next_page_token":`...), quote(r.NextPageToken)...)
	}
	return append(b, '}')
}

// append writes a metric as encoding/json does.
func (m *Metric) append(b []byte, texts *quoted) []byte {
	b = append(append(b, `{"key":`...), texts.of(0, m.Key)...)
	b = m.Value.AppendJSON(append(b, `,"value":`...))
	b = strconv.AppendInt(append(b, `,"timestamp":`...), int64(m.Timestamp), 10)
	b = strconv.AppendInt(append(b, `,"step":`...), int64(m.Step), 10)
	for i, f := range [...]struct{ name, value string }{{`,"dataset_name":`, m.DatasetName}, {`,"dataset_digest":`, m.DatasetDigest},
		{`,"model_id":`, m.ModelID}, {`,"run_id":`, m.RunID}} {
		if f.value != "" {
			b = append(append(b, f.name...), texts.of(i+1, f.value)...)
		}
	}
	return append(b, '}')
}

// quoted keeps the texts that were quoted last, by field: the points of a history
// have the same ones.
type quoted [5]struct {
	text string
	json []byte
}

func (q *quoted) of(field int, text string) []byte {
	if q[field].json == nil || q[field].text != text {
		q[field].text, q[field].json = text, quote(text)
	}
	return q[field].json
}

func quote(text string) []byte {
	raw, _ := json.Marshal(text) // a text has always a form
	return raw
}
