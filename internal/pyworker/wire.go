package pyworker

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Marks of the worker protocol.
const (
	markEndOfData   = -1
	markException   = -2
	markTiming      = -3
	markEndOfStream = -4
	markArrow       = -6
	markInit        = -8
)

// maxText bounds what a worker may send as one piece of text or pickle.
const maxText = 1 << 30

// task is what one run of a worker is told before its data.
type task struct {
	evalType  int
	functions []function
	conf      [][2]string // settings of the runner
	evalConf  [][2]string // settings of this kind of function
	python    string      // the client's Python, "3.11"
	filesDir  string
	includes  []string
	partition int
	attempt   int // number among all tasks
}

// function is one Python function and the input columns it reads.
type function struct {
	command []byte
	args    []argument
}

// argument is a column's place; name is set for keyword arguments.
type argument struct {
	place int
	name  string
}

// wire appends the protocol's encodings to a buffer.
type wire struct{ b []byte }

func (w *wire) int(v int)    { w.b = binary.BigEndian.AppendUint32(w.b, uint32(int32(v))) }
func (w *wire) long(v int64) { w.b = binary.BigEndian.AppendUint64(w.b, uint64(v)) }
func (w *wire) bytes(v []byte) {
	w.int(len(v))
	w.b = append(w.b, v...)
}
func (w *wire) text(v string) {
	w.int(len(v))
	w.b = append(w.b, v...)
}
func (w *wire) bool(v bool) {
	b := byte(0)
	if v {
		b = 1
	}
	w.b = append(w.b, b)
}

func (w *wire) pairs(list [][2]string) {
	w.int(len(list))
	for _, p := range list {
		w.text(p[0])
		w.text(p[1])
	}
}

// taskContext is what pyspark.TaskContext tells a function about where it runs.
type taskContext struct {
	IsBarrier       bool              `json:"isBarrier"`
	ConnInfo        any               `json:"connInfo"`
	Secret          any               `json:"secret"`
	StageID         int               `json:"stageId"`
	PartitionID     int               `json:"partitionId"`
	AttemptNumber   int               `json:"attemptNumber"`
	TaskAttemptID   int               `json:"taskAttemptId"`
	CPUs            int               `json:"cpus"`
	CPUAmount       string            `json:"cpuAmount"`
	Resources       map[string]any    `json:"resources"`
	LocalProperties map[string]string `json:"localProperties"`
}

// encode gives the message that starts a task.
func (t *task) encode() ([]byte, error) {
	ctx, err := json.Marshal(taskContext{PartitionID: t.partition, TaskAttemptID: t.attempt, CPUs: 1, CPUAmount: "1",
		Resources: map[string]any{}, LocalProperties: map[string]string{}})
	if err != nil {
		return nil, fmt.Errorf("encode the task's context: %w", err)
	}
	w := &wire{}
	w.int(t.partition)
	w.text(t.python)
	w.bytes(ctx)
	w.text(t.filesDir)
	w.int(len(t.includes))
	for _, i := range t.includes {
		w.text(i)
	}
	w.bool(false) // no server that decrypts broadcasts
	w.int(0)      // no broadcasts
	w.int(t.evalType)
	w.pairs(t.conf)
	w.pairs(t.evalConf)
	w.int(len(t.functions))
	for i, f := range t.functions {
		w.int(len(f.args))
		for _, a := range f.args {
			w.int(a.place)
			w.bool(a.name != "")
			if a.name != "" {
				w.text(a.name)
			}
		}
		w.int(1) // functions chained into one
		w.bytes(f.command)
		w.long(int64(i))
	}
	head := &wire{}
	head.int(markInit)
	head.bytes(w.b)
	return head.b, nil
}

// source reads the protocol's encodings.
type source struct{ r *bufio.Reader }

func (s source) int() (int, error) {
	var b [4]byte
	if _, err := io.ReadFull(s.r, b[:]); err != nil {
		return 0, cut(err)
	}
	return int(int32(binary.BigEndian.Uint32(b[:]))), nil
}

func (s source) long() (int64, error) {
	var b [8]byte
	if _, err := io.ReadFull(s.r, b[:]); err != nil {
		return 0, cut(err)
	}
	return int64(binary.BigEndian.Uint64(b[:])), nil
}

// bytes reads n bytes; memory grows with what really comes, so that a false length is harmless.
func (s source) bytes(n int) ([]byte, error) {
	if n < 0 || n > maxText {
		return nil, fmt.Errorf("a length of %d from the Python worker", n)
	}
	const step = 1 << 20
	out := make([]byte, 0, min(n, step))
	for len(out) < n {
		k := min(n-len(out), step)
		at := len(out)
		out = append(out, make([]byte, k)...)
		if _, err := io.ReadFull(s.r, out[at:]); err != nil {
			return nil, cut(err)
		}
	}
	return out, nil
}

// sized reads bytes after their length.
func (s source) sized() ([]byte, error) {
	n, err := s.int()
	if err != nil {
		return nil, err
	}
	return s.bytes(n)
}

// errCut says that a worker closed its connection in the midst of a task.
var errCut = errors.New("the Python worker closed its connection")

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

// trailer is what a worker reports when a task is done.
type trailer struct {
	boot, init, finish, busy int64 // milliseconds; the first three since 1970
	memory, disk             int64 // bytes spilled
	reusable                 bool
}

// trailer reads what follows markTiming. Accumulators are read and dropped: Connect has none.
func (s source) trailer() (trailer, error) {
	var t trailer
	for _, p := range []*int64{&t.boot, &t.init, &t.finish, &t.busy, &t.memory, &t.disk} {
		v, err := s.long()
		if err != nil {
			return t, err
		}
		*p = v
	}
	mark, err := s.int()
	if err != nil {
		return t, err
	}
	if mark != markEndOfData {
		return t, fmt.Errorf("mark %d from the Python worker where its data ends", mark)
	}
	n, err := s.int()
	if err != nil {
		return t, err
	}
	for range n {
		if _, err := s.sized(); err != nil {
			return t, err
		}
	}
	mark, err = s.int()
	t.reusable = mark == markEndOfStream
	return t, err
}
