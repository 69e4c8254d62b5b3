package pyworker

// construct makes the value of a call that a pickle holds.
func construct(g pyGlobal, args []any) (any, error) {
	switch g {
	case pyGlobal{"decimal", "Decimal"}:
		if s, ok := one[string](args); ok {
			return pyDecimal(s), nil
		}
	case pyGlobal{"datetime", "date"}:
		if b, ok := one[[]byte](args); ok && len(b) == 4 {
			return pyPoint{year: int(b[0])<<8 | int(b[1]), month: int(b[2]), day: int(b[3]), date: true}, nil
		}
	case pyGlobal{"datetime", "datetime"}:
		if len(args) >= 1 {
			if b, ok := args[0].([]byte); ok && len(b) == 10 {
				return pyPoint{year: int(b[0])<<8 | int(b[1]), month: int(b[2] & 0x7f), day: int(b[3]), hour: int(b[4]), minute: int(b[5]), second: int(b[6]),
					micro: int(b[7])<<16 | int(b[8])<<8 | int(b[9])}, nil
			}
		}
	case pyGlobal{"datetime", "timedelta"}:
		if len(args) == 3 {
			days, ok1 := args[0].(int64)
			secs, ok2 := args[1].(int64)
			micros, ok3 := args[2].(int64)
			if ok1 && ok2 && ok3 {
				return pyDelta((days*86_400+secs)*1_000_000 + micros), nil
			}
		}
	case pyGlobal{"pyspark.sql.types", "_create_row"}:
		if len(args) == 2 {
			return row(args[0], args[1])
		}
	case pyGlobal{"builtins", "bytearray"}:
		if len(args) == 0 {
			return []byte{}, nil
		}
		if b, ok := one[[]byte](args); ok {
			return b, nil
		}
	case pyGlobal{"builtins", "set"}, pyGlobal{"builtins", "frozenset"}:
		if l, ok := one[*pyList](args); ok {
			return l, nil
		}
	case pyGlobal{"_codecs", "encode"}: // how older protocols write bytes
		if len(args) == 2 {
			if s, ok := args[0].(string); ok {
				return latin(s), nil
			}
		}
	}
	return nil, pickleError("expected zero arguments for construction of ClassDict (for %s.%s). This happens when an unsupported/unregistered class is being unpickled that requires construction arguments. Fix it by registering a custom IObjectConstructor for this class.", g.module, g.name)
}

func one[T any](args []any) (T, bool) {
	var zero T
	if len(args) != 1 {
		return zero, false
	}
	v, ok := args[0].(T)
	return v, ok
}

func row(names, values any) (any, error) {
	var fields []string
	list, _ := names.(*pyList)
	if t, ok := names.(*pyTuple); ok {
		list = &pyList{items: t.items}
	}
	vals, ok := values.(*pyTuple)
	if l, isList := values.(*pyList); isList {
		vals, ok = &pyTuple{items: l.items}, true
	}
	if list == nil || !ok {
		return nil, errShort
	}
	for _, n := range list.items {
		s, _ := n.(string)
		fields = append(fields, s)
	}
	return &pyTuple{items: vals.items, fields: fields}, nil
}

func latin(s string) []byte {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}
