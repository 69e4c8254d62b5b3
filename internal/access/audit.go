package access

import (
	"context"
	"strings"

	"github.com/millpond/millpond/internal/db"
	"github.com/millpond/millpond/internal/rest"
)

// note is what is learnt of a request on its way, for the record.
type note struct {
	action string
	keep   bool
}

type noteKey struct{}

func noteOf(ctx context.Context) *note {
	n, _ := ctx.Value(noteKey{}).(*note)
	return n
}

// record is one line of what was done.
type record struct {
	AtMS     int64  `json:"timestamp"`
	User     string `json:"username"`
	Action   string `json:"action"`
	Resource string `json:"resource"`
	Status   int    `json:"status"`
	Remote   string `json:"remote_address"`
}

// audit keeps what was done. It does not wait for the disk: were the queue full,
// the record goes to the log instead.
func (s *Service) audit(user, action, what string, status int, remote string) {
	// Texts of strangers are kept short, and without what a database refuses.
	what = strings.ReplaceAll(strings.ToValidUTF8(rest.Cut(what, 500), "?"), "\x00", "?")
	r := record{s.millis(), user, action, what, status, remote}
	select {
	case s.audits <- r:
	default:
		s.log.Warn("audit", "user", user, "action", action, "resource", what, "status", status, "remote", remote)
	}
}

// Run writes the record until ctx ends, then what is left.
func (s *Service) Run(ctx context.Context) {
	for {
		select {
		case r := <-s.audits:
			s.keep(context.WithoutCancel(ctx), r)
		case <-ctx.Done():
			for {
				select {
				case r := <-s.audits:
					s.keep(context.WithoutCancel(ctx), r)
				default:
					return
				}
			}
		}
	}
}

func (s *Service) keep(ctx context.Context, r record) {
	err := s.db.Write(ctx, func(ctx context.Context, q db.Querier) error {
		_, err := q.ExecContext(ctx, `INSERT INTO audit (at_ms, user_name, action, resource, status, remote) VALUES (?, ?, ?, ?, ?, ?)`,
			r.AtMS, r.User, r.Action, r.Resource, r.Status, r.Remote)
		return err
	})
	if err != nil {
		s.log.ErrorContext(ctx, "the audit record cannot be written", "error", err, "user", r.User, "action", r.Action, "resource", r.Resource)
	}
}

type (
	auditRequest struct {
		MaxResults *rest.Int64 `json:"max_results"`
		PageToken  string      `json:"page_token"`
	}
	auditResponse struct {
		Records       []record `json:"records"`
		NextPageToken string   `json:"next_page_token,omitempty"`
	}
)

// listAudit tells what was done, newest first.
func (s *Service) listAudit(ctx context.Context, in *auditRequest) (*auditResponse, error) {
	limit := 100
	var err error
	if in.MaxResults != nil {
		if limit, err = rest.MaxResults(int64(*in.MaxResults), 1000); err != nil {
			return nil, err
		}
	}
	offset, err := rest.ParsePageToken(in.PageToken)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT at_ms, user_name, action, resource, status, remote FROM audit ORDER BY id DESC LIMIT ? OFFSET ?`, limit+1, offset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := &auditResponse{Records: []record{}}
	for rows.Next() {
		var r record
		if err := rows.Scan(&r.AtMS, &r.User, &r.Action, &r.Resource, &r.Status, &r.Remote); err != nil {
			return nil, err
		}
		out.Records = append(out.Records, r)
	}
	if len(out.Records) > limit {
		out.Records, out.NextPageToken = out.Records[:limit], rest.PageToken(offset+limit)
	}
	return out, rows.Err()
}
