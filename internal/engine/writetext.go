package engine

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/sparkerr"
	"github.com/millpond/millpond/internal/types"
)

// codec is the engine's name of a compression, and how files that use it end.
type codec struct{ name, ending string }

var parquetCodecs = map[string]codec{"snappy": {"snappy", ".snappy.parquet"}, "gzip": {"gzip", ".gz.parquet"}, "zstd": {"zstd", ".zstd.parquet"},
	"brotli": {"brotli", ".br.parquet"}, "lz4_raw": {"lz4_raw", ".lz4raw.parquet"}, "none": {"uncompressed", ".parquet"}, "uncompressed": {"uncompressed", ".parquet"}}

// What Spark can compress by; of texts the engine only knows gzip.
var (
	sparkParquetCodecs = []string{"brotli", "uncompressed", "lzo", "snappy", "lz4_raw", "none", "zstd", "lz4", "gzip"}
	sparkTextCodecs    = []string{"bzip2", "deflate", "uncompressed", "snappy", "none", "lz4", "gzip"}
)

// compression is the codec that a write asks for.
func compression(w WriteRequest) (codec, error) {
	asked := strings.ToLower(option(w.Options, "", "compression", "codec", "parquet.compression"))
	ending := fileEnding[w.Format]
	codecs, known := map[string]codec{"none": {"none", ending}, "uncompressed": {"none", ending}, "gzip": {"gzip", ending + ".gz"}}, sparkTextCodecs
	if w.Format == "parquet" {
		codecs, known = parquetCodecs, sparkParquetCodecs
		asked = cmp.Or(asked, "snappy")
	}
	c, ok := codecs[cmp.Or(asked, "none")]
	if ok {
		return c, nil
	}
	for _, k := range known {
		if k == asked {
			return codec{}, sparkerr.Unsupported("the compression %s of %s files", asked, w.Format)
		}
	}
	return codec{}, sparkerr.New(sparkerr.ClassIllegalArgument, "CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION", "codecName", asked, "availableCodecs", strings.Join(known, ", "))
}

// written lists what a file holds of some columns.
func written(attrs []plan.Attr, w WriteRequest, zone string) []string {
	switch w.Format {
	case "libsvm":
		return []string{sampleText(compile.Column(attrs[0].ID), compile.Column(attrs[1].ID)) + " AS value"}
	case "json":
		return writtenJSON(attrs, w, zone)
	case "csv":
		return csvWriterOf(w.Options).written(attrs, w)
	}
	list := make([]string, len(attrs))
	for i, at := range attrs {
		list[i] = exposed(compile.Column(at.ID), at.Type) + " AS " + quoteName(at.Name)
	}
	return list
}

// inPath says whether a column names directories.
func (w WriteRequest) inPath(column string) bool {
	for _, p := range w.Partitions {
		if strings.EqualFold(p, column) {
			return true
		}
	}
	return false
}

// copyOptions are the engine's of a write.
func copyOptions(w WriteRequest, schema types.Struct, c codec) string {
	if w.Format == "parquet" {
		return "FORMAT parquet, COMPRESSION " + c.name + ", KV_METADATA {" + quoteName(sparkRowMetadata) + ": " + quoteSQL(types.ToJSON(nullable(schema))) + "}"
	}
	return fmt.Sprintf("FORMAT csv, HEADER %t, QUOTE '', ESCAPE '', DELIMITER E'\\x01', NULLSTR '', COMPRESSION %s", w.Format == "csv" && flag(w.Options, "header"), c.name)
}
