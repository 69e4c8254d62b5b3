#!/usr/bin/env python3
"""Write the Spark Connect protocol as .proto text, from the message descriptors of the installed client.

    python spec/record/protos.py proto/

Names, numbers, types and oneofs are the wire's facts; comments are not carried over.
"""
import importlib
import os
import sys

from google.protobuf import descriptor_pb2 as d

FILES = "base catalog commands common expressions ml ml_common pipelines relations types".split()
SCALAR = {v: k[5:].lower() for k, v in d.FieldDescriptorProto.Type.items()}
PACKAGE = "spark.connect"


def name_of(field, scope):
    if field.type in (d.FieldDescriptorProto.TYPE_MESSAGE, d.FieldDescriptorProto.TYPE_ENUM):
        full = field.type_name.lstrip(".")
        return "." + full if not full.startswith(PACKAGE + ".") else full[len(PACKAGE) + 1:]
    return SCALAR[field.type]


def field_line(f, message, indent):
    entry = {n.name: n for n in message.nested_type if n.options.map_entry}
    last = f.type_name.rsplit(".", 1)[-1]
    if f.label == f.LABEL_REPEATED and f.type == f.TYPE_MESSAGE and last in entry:
        k, v = entry[last].field
        kind = f"map<{name_of(k, message)}, {name_of(v, message)}>"
    else:
        label = "repeated " if f.label == f.LABEL_REPEATED else "optional " if f.proto3_optional else ""
        kind = label + name_of(f, message)
    options = " [deprecated = true]" if f.options.deprecated else ""
    return f"{indent}{kind} {f.name} = {f.number}{options};"


def message_text(m, indent=""):
    inner = indent + "  "
    out = [f"{indent}message {m.name} {{"]
    for e in m.enum_type:
        out += enum_text(e, inner)
    for n in m.nested_type:
        if not n.options.map_entry:
            out += message_text(n, inner)
    done = set()
    for f in m.field:
        if f.HasField("oneof_index") and not f.proto3_optional:
            if f.oneof_index in done:
                continue
            done.add(f.oneof_index)
            out.append(f"{inner}oneof {m.oneof_decl[f.oneof_index].name} {{")
            out += [field_line(g, m, inner + "  ") for g in m.field
                    if g.HasField("oneof_index") and g.oneof_index == f.oneof_index and not g.proto3_optional]
            out.append(inner + "}")
        else:
            out.append(field_line(f, m, inner))
    for r in m.reserved_range:
        out.append(f"{inner}reserved {r.start}" + (f" to {r.end - 1}" if r.end - 1 != r.start else "") + ";")
    for r in m.reserved_name:
        out.append(f'{inner}reserved "{r}";')
    return out + [indent + "}"]


def enum_text(e, indent=""):
    out = [f"{indent}enum {e.name} {{"]
    if e.options.allow_alias:
        out.append(indent + "  option allow_alias = true;")
    return out + [f"{indent}  {v.name} = {v.number};" for v in e.value] + [indent + "}"]


def service_text(s):
    out = [f"service {s.name} {{"]
    for m in s.method:
        a, b = m.input_type.rsplit(".", 1)[-1], m.output_type.rsplit(".", 1)[-1]
        out.append(f"  rpc {m.name}({'stream ' if m.client_streaming else ''}{a}) returns ({'stream ' if m.server_streaming else ''}{b});")
    return out + ["}"]


def main(root):
    os.makedirs(os.path.join(root, "spark", "connect"), exist_ok=True)
    for name in FILES:
        module = importlib.import_module(f"pyspark.sql.connect.proto.{name}_pb2")
        fd = d.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(fd)
        out = ["// The Spark Connect protocol of pyspark 4.3, written by spec/record/protos.py. Do not edit.",
               'syntax = "proto3";', "", f"package {fd.package};", ""]
        out += [f'import "{i}";' for i in fd.dependency]
        out += ["", 'option go_package = "github.com/millpond/millpond/internal/gen/spark/connect";', ""]
        for e in fd.enum_type:
            out += enum_text(e) + [""]
        for m in fd.message_type:
            out += message_text(m) + [""]
        for s in fd.service:
            out += service_text(s) + [""]
        with open(os.path.join(root, fd.name), "w") as f:
            f.write("\n".join(out).rstrip() + "\n")


main(sys.argv[1] if len(sys.argv) > 1 else "proto")
