// Package content is the study course as data: exam maps, objectives, topics, questions, labs
// and plans, embedded as files. README.md tells how to add to it; internal/learn/course reads it.
package content

import "embed"

// Files holds the course.
//
//go:embed maps objectives.yaml checklist.yaml topics questions labs plans data
var Files embed.FS
