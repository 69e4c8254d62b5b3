package pyworker

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/millpond/millpond/internal/sparkerr"
)

// What a pickle holds: nil, bool, int64, *big.Int, float64, string, []byte, *pyTuple, *pyList,
// *pyDict, pyDecimal, pyDate, pyDatetime, pyDelta.
type (
	pyTuple struct {
		items  []any
		fields []string // of a Row
	}
	pyList  struct{ items []any }
	pyDict  struct{ keys, values []any }
	pyPoint struct { // a date or datetime
		year, month, day, hour, minute, second, micro int
		date                                          bool
	}
	pyDecimal string
	pyDelta   int64
	pyGlobal  struct{ module, name string }
	pyMark    struct{}
)

// unpickler reads the subset of pickle that plain values need. It runs nothing: a class that it
// does not know is an error.
type unpickler struct {
	b     []byte
	at    int
	stack []any
	memo  []any
	left  int // values that may still be made
}

func unpickle(b []byte) (v any, err error) {
	u := &unpickler{b: b, left: 64 + 4*len(b)}
	for err == nil {
		var done bool
		if done, err = u.step(); done {
			return u.pop()
		}
	}
	return nil, err
}

// pickleError is Spark's error for a value that it cannot read.
func pickleError(format string, args ...any) error {
	e := sparkerr.Plain(sparkerr.ClassSpark, "net.razorvine.pickle.PickleException: "+format, args...)
	return e
}

var errShort = fmt.Errorf("a pickle from the Python worker ends too early")

func (u *unpickler) take(n int) ([]byte, error) {
	if n < 0 || n > len(u.b)-u.at {
		return nil, errShort
	}
	b := u.b[u.at : u.at+n]
	u.at += n
	return b, nil
}

// number reads an unsigned number of n bytes.
func (u *unpickler) number(n int) (int, error) {
	b, err := u.take(n)
	if err != nil {
		return 0, err
	}
	var v uint64
	for i := n - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	if v > math.MaxInt32 {
		return 0, errShort
	}
	return int(v), nil
}

func (u *unpickler) line() (string, error) {
	i := strings.IndexByte(string(u.b[u.at:min(len(u.b), u.at+4096)]), '\n')
	if i < 0 {
		return "", errShort
	}
	b, err := u.take(i + 1)
	return string(b[:max(0, len(b)-1)]), err
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

func (u *unpickler) pop() (any, error) {
	if len(u.stack) == 0 {
		return nil, errShort
	}
	v := u.stack[len(u.stack)-1]
	u.stack = u.stack[:len(u.stack)-1]
	return v, nil
}

// popMark takes what lies above the last mark.
func (u *unpickler) popMark() ([]any, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(pyMark); ok {
			items := append([]any(nil), u.stack[i+1:]...)
			u.stack = u.stack[:i]
			return items, nil
		}
	}
	return nil, errShort
}

func (u *unpickler) popN(n int) ([]any, error) {
	if len(u.stack) < n {
		return nil, errShort
	}
	items := append([]any(nil), u.stack[len(u.stack)-n:]...)
	u.stack = u.stack[:len(u.stack)-n]
	return items, nil
}

func (u *unpickler) step() (bool, error) {
	op, err := u.take(1)
	if err != nil {
		return false, err
	}
	if u.left--; u.left < 0 {
		return false, errShort
	}
	switch op[0] {
	case opStop:
		return true, nil
	case opProto:
		_, err = u.take(1)
	case opFrame:
		_, err = u.take(8)
	case opMark:
		u.push(pyMark{})
	case opPop:
		_, err = u.pop()
	case opPopMark:
		_, err = u.popMark()
	case opNone:
		u.push(nil)
	case opTrue, opFalse:
		u.push(op[0] == opTrue)
	case opInt, opInt1, opInt2, opLong1, opLong4, opFloat:
		err = u.numeral(op[0])
	case opText, opText1, opText8, opBytes, opBytes1, opBytes8, opByteArray8:
		err = u.text(op[0])
	case opMemoize, opPut, opPut4, opGet, opGet4:
		err = u.remember(op[0])
	case opGlobal, opStackName, opReduce, opNewObj, opBuild:
		err = u.object(op[0])
	default:
		err = u.container(op[0])
	}
	return false, err
}

func (u *unpickler) numeral(op byte) error {
	switch op {
	case opInt1, opInt2:
		n, err := u.number(int(op-opInt1)/2 + 1) // K is one byte, M two
		u.push(int64(n))
		return err
	case opInt:
		b, err := u.take(4)
		if err != nil {
			return err
		}
		u.push(int64(int32(binary.LittleEndian.Uint32(b))))
	case opFloat:
		b, err := u.take(8)
		if err != nil {
			return err
		}
		u.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	default:
		size := 1
		if op == opLong4 {
			size = 4
		}
		n, err := u.number(size)
		if err != nil {
			return err
		}
		b, err := u.take(n)
		if err != nil {
			return err
		}
		u.push(long(b))
	}
	return nil
}

// long reads two's complement, little end first.
func long(b []byte) any {
	if len(b) <= 8 {
		var v uint64
		for i := range b {
			v |= uint64(b[i]) << (8 * i)
		}
		if k := len(b); k > 0 && k < 8 && b[k-1]&0x80 != 0 {
			v |= ^uint64(0) << (8 * k)
		}
		return int64(v)
	}
	turned := make([]byte, len(b))
	for i := range b {
		turned[len(b)-1-i] = b[i]
	}
	v := new(big.Int).SetBytes(turned)
	if b[len(b)-1]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return v
}

func (u *unpickler) text(op byte) error {
	size := map[byte]int{opText: 4, opText1: 1, opText8: 8, opBytes: 4, opBytes1: 1, opBytes8: 8, opByteArray8: 8}[op]
	n, err := u.number(size)
	if err != nil {
		return err
	}
	b, err := u.take(n)
	if err != nil {
		return err
	}
	switch op {
	case opText, opText1, opText8:
		u.push(strings.ToValidUTF8(string(b), "?"))
	default:
		u.push(append([]byte{}, b...))
	}
	return nil
}

func (u *unpickler) remember(op byte) error {
	if op == opMemoize {
		if len(u.stack) == 0 {
			return errShort
		}
		u.memo = append(u.memo, u.stack[len(u.stack)-1])
		return nil
	}
	size := 1
	if op == opPut4 || op == opGet4 {
		size = 4
	}
	n, err := u.number(size)
	if err != nil {
		return err
	}
	if op == opGet || op == opGet4 {
		if n >= len(u.memo) {
			return errShort
		}
		u.push(u.memo[n])
		return nil
	}
	if len(u.stack) == 0 || n > len(u.memo)+len(u.b) {
		return errShort
	}
	for n >= len(u.memo) {
		u.memo = append(u.memo, nil)
	}
	u.memo[n] = u.stack[len(u.stack)-1]
	return nil
}

func (u *unpickler) container(op byte) error {
	var items []any
	var err error
	switch op {
	case opEmptyList, opEmptySet:
		u.push(&pyList{})
		return nil
	case opEmptyDict:
		u.push(&pyDict{})
		return nil
	case opTuple0:
		u.push(&pyTuple{})
		return nil
	case opTuple1, opTuple2, opTuple3:
		items, err = u.popN(int(op-opTuple1) + 1)
	case opTuple, opAppends, opSetItems, opAddItems, opFrozenSet:
		items, err = u.popMark()
	case opAppend:
		items, err = u.popN(1)
	case opSetItem:
		items, err = u.popN(2)
	default:
		return fmt.Errorf("opcode %#x in a pickle from the Python worker", op)
	}
	if err != nil {
		return err
	}
	switch op {
	case opFrozenSet:
		u.push(&pyList{items: items})
		return nil
	case opTuple, opTuple1, opTuple2, opTuple3:
		u.push(&pyTuple{items: items})
		return nil
	}
	if len(u.stack) == 0 {
		return errShort
	}
	switch c := u.stack[len(u.stack)-1].(type) {
	case *pyList:
		c.items = append(c.items, items...)
	case *pyDict:
		if len(items)%2 != 0 {
			return errShort
		}
		for i := 0; i < len(items); i += 2 {
			c.keys, c.values = append(c.keys, items[i]), append(c.values, items[i+1])
		}
	default:
		return errShort
	}
	return nil
}

// object reads globals and calls of the few that are known.
func (u *unpickler) object(op byte) error {
	switch op {
	case opGlobal:
		module, err := u.line()
		if err != nil {
			return err
		}
		name, err := u.line()
		u.push(pyGlobal{module, name})
		return err
	case opStackName:
		two, err := u.popN(2)
		if err != nil {
			return err
		}
		module, ok1 := two[0].(string)
		name, ok2 := two[1].(string)
		if !ok1 || !ok2 {
			return errShort
		}
		u.push(pyGlobal{module, name})
		return nil
	}
	two, err := u.popN(2)
	if err != nil {
		return err
	}
	if op == opBuild { // the state of a Row or of a class that was refused already
		return pickleError("expected zero arguments for construction of ClassDict")
	}
	g, ok1 := two[0].(pyGlobal)
	args, ok2 := two[1].(*pyTuple)
	if !ok1 || !ok2 {
		return errShort
	}
	v, err := construct(g, args.items)
	u.push(v)
	return err
}
