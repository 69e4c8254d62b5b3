package execute

// #include <stdlib.h>
// struct arrow_array_stream { void *p[5]; };
import "C"

import "unsafe"

// allocStream makes an empty ArrowArrayStream (four callbacks and a pointer) in C memory, where
// DuckDB may keep its address.
func allocStream() unsafe.Pointer { return C.calloc(1, C.sizeof_struct_arrow_array_stream) }

func freeStream(p unsafe.Pointer) { C.free(p) }
