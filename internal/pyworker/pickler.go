package pyworker

import (
	"encoding/binary"
	"math"
	"math/big"
	"time"
)

// Opcodes of pickle protocol 2 to 4, the few that are written or read here.
const (
	opMark       = '('
	opStop       = '.'
	opNone       = 'N'
	opTrue       = '\x88'
	opFalse      = '\x89'
	opInt        = 'J' // 4 bytes
	opInt1       = 'K'
	opInt2       = 'M'
	opLong1      = '\x8a'
	opFloat      = 'G'
	opText       = 'X' // 4 bytes of length
	opText1      = '\x8c'
	opBytes      = 'B'
	opBytes1     = 'C'
	opTuple      = 't'
	opTuple0     = ')'
	opTuple1     = '\x85'
	opTuple2     = '\x86'
	opTuple3     = '\x87'
	opEmptyList  = ']'
	opAppends    = 'e'
	opAppend     = 'a'
	opEmptyDict  = '}'
	opSetItems   = 'u'
	opSetItem    = 's'
	opGlobal     = 'c'
	opStackName  = '\x93'
	opReduce     = 'R'
	opProto      = '\x80'
	opFrame      = '\x95'
	opMemoize    = '\x94'
	opPut        = 'q'
	opPut4       = 'r'
	opGet        = 'h'
	opGet4       = 'j'
	opNewObj     = '\x81'
	opBuild      = 'b'
	opEmptySet   = '\x8f'
	opAddItems   = '\x90'
	opFrozenSet  = '\x91'
	opBytes8     = '\x8e'
	opText8      = '\x8d'
	opByteArray8 = '\x96'
	opLong4      = '\x8b'
	opPop        = '0'
	opPopMark    = '1'
	opDup        = '2'
)

// pickler writes Python values as a pickle.
type pickler struct {
	b    []byte
	memo map[string]int // what was memoised, by a name of ours
}

func newPickler() *pickler { return &pickler{b: []byte{opProto, 4}, memo: map[string]int{}} }

func (p *pickler) end() []byte { return append(p.b, opStop) }

func (p *pickler) none() { p.b = append(p.b, opNone) }

func (p *pickler) bool(v bool) {
	if v {
		p.b = append(p.b, opTrue)
	} else {
		p.b = append(p.b, opFalse)
	}
}

func (p *pickler) int(v int64) {
	switch {
	case v >= 0 && v < 256:
		p.b = append(p.b, opInt1, byte(v))
	case v >= 0 && v < 65536:
		p.b = append(p.b, opInt2, byte(v), byte(v>>8))
	case v >= math.MinInt32 && v <= math.MaxInt32:
		p.b = binary.LittleEndian.AppendUint32(append(p.b, opInt), uint32(int32(v)))
	default:
		p.b = binary.LittleEndian.AppendUint64(append(p.b, opLong1, 8), uint64(v))
	}
}

func (p *pickler) float(v float64) {
	p.b = binary.BigEndian.AppendUint64(append(p.b, opFloat), math.Float64bits(v))
}

func (p *pickler) str(v string) {
	p.b = binary.LittleEndian.AppendUint32(append(p.b, opText), uint32(len(v)))
	p.b = append(p.b, v...)
}

func (p *pickler) bytes(v []byte) {
	p.b = binary.LittleEndian.AppendUint32(append(p.b, opBytes), uint32(len(v)))
	p.b = append(p.b, v...)
}

// list writes a list of n values, which item writes by their places.
func (p *pickler) list(n int, item func(i int)) {
	p.b = append(p.b, opEmptyList)
	if n == 0 {
		return
	}
	p.b = append(p.b, opMark)
	for i := range n {
		item(i)
	}
	p.b = append(p.b, opAppends)
}

func (p *pickler) tuple(n int, item func(i int)) {
	if n > 3 {
		p.b = append(p.b, opMark)
	}
	for i := range n {
		item(i)
	}
	p.b = append(p.b, [...]byte{opTuple0, opTuple1, opTuple2, opTuple3, opTuple}[min(n, 4)])
}

// dict writes a dictionary of n pairs; pair writes a key and a value.
func (p *pickler) dict(n int, pair func(i int)) {
	p.b = append(p.b, opEmptyDict)
	if n == 0 {
		return
	}
	p.b = append(p.b, opMark)
	for i := range n {
		pair(i)
	}
	p.b = append(p.b, opSetItems)
}

// once writes a value the first time and refers to it afterwards.
func (p *pickler) once(name string, write func()) {
	if at, ok := p.memo[name]; ok {
		p.b = binary.LittleEndian.AppendUint32(append(p.b, opGet4), uint32(at))
		return
	}
	write()
	at := len(p.memo)
	p.memo[name] = at
	p.b = binary.LittleEndian.AppendUint32(append(p.b, opPut4), uint32(at))
}

func (p *pickler) global(module, name string) {
	p.once("global "+module+"."+name, func() {
		p.b = append(p.b, opGlobal)
		p.b = append(p.b, module+"\n"+name+"\n"...)
	})
}

func (p *pickler) reduce() { p.b = append(p.b, opReduce) }

func (p *pickler) date(days int32) {
	p.global("datetime", "date")
	y, m, d := time.Unix(int64(days)*86400, 0).UTC().Date()
	p.call(int64(y), int64(m), int64(d))
}

// datetime writes a datetime without a zone that reads as t does in its own.
func (p *pickler) datetime(t time.Time) {
	p.global("datetime", "datetime")
	y, m, d := t.Date()
	p.call(int64(y), int64(m), int64(d), int64(t.Hour()), int64(t.Minute()), int64(t.Second()), int64(t.Nanosecond()/1000))
}

func (p *pickler) timedelta(micros int64) {
	p.global("datetime", "timedelta")
	p.call(0, 0, micros)
}

func (p *pickler) call(args ...int64) {
	p.tuple(len(args), func(i int) { p.int(args[i]) })
	p.reduce()
}

func (p *pickler) decimal(unscaled *big.Int, scale int) {
	p.global("decimal", "Decimal")
	p.tuple(1, func(int) { p.str(decimalText(unscaled, scale)) })
	p.reduce()
}

func decimalText(unscaled *big.Int, scale int) string {
	s := new(big.Int).Abs(unscaled).String()
	if scale > 0 {
		for len(s) <= scale {
			s = "0" + s
		}
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if unscaled.Sign() < 0 {
		s = "-" + s
	}
	return s
}
