package ui

import (
	"net/http"
	"net/url"
)

// activity is one thing that was done to a model version.
type activity struct {
	ID            string `json:"id"`
	Type          string `json:"activity_type"`
	User          string `json:"user_id"`
	Comment       string `json:"comment"`
	SystemComment string `json:"system_comment"`
	From          string `json:"from_stage"`
	To            string `json:"to_stage"`
	Created       int64  `json:"creation_timestamp"`
	Updated       int64  `json:"last_updated_timestamp"`
}

// did is what an activity is called.
var did = map[string]string{
	"APPLIED_TRANSITION": "moved it", "SYSTEM_TRANSITION": "moved it", "APPROVED_REQUEST": "approved the move",
	"REQUESTED_TRANSITION": "asked to move it", "REJECTED_REQUEST": "rejected the move", "CANCELLED_REQUEST": "withdrew the request to move it",
	"NEW_COMMENT": "commented", "USED_BY": "read it",
}

// Did is what was done, in words.
func (a activity) Did() string {
	if words, ok := did[a.Type]; ok {
		return words
	}
	return a.Type
}

// Moved is true of an activity that changed the stage.
func (a activity) Moved() bool {
	return a.Type == "APPLIED_TRANSITION" || a.Type == "SYSTEM_TRANSITION" || a.Type == "APPROVED_REQUEST"
}

// IsComment is true of a comment, which its writer can delete.
func (a activity) IsComment() bool { return a.Type == "NEW_COMMENT" }

// stageRequest is a request for a stage that waits for an answer.
type stageRequest struct {
	User    string `json:"user_id"`
	Comment string `json:"comment"`
	To      string `json:"to_stage"`
	Created int64  `json:"creation_timestamp"`
}

// versionHistory reads what was done to a version, the newest first, and what waits for an answer.
func (u *UI) versionHistory(r *http.Request, name, number string) ([]activity, []stageRequest, error) {
	q := url.Values{"name": {name}, "version": {number}}
	var done struct{ Activities []activity }
	if err := u.api.do(r, http.MethodGet, "/ajax-api/2.0/millpond/model-versions/activities?"+q.Encode(), nil, &done); err != nil {
		return nil, nil, err
	}
	var open struct{ Requests []stageRequest }
	err := u.api.get(r, "transition-requests/list", q, &open)
	return done.Activities, open.Requests, err
}
