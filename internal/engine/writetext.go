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
func written(attrs []plan.Attr, w WriteRequest, zone string) ([]string, error) {
	switch w.Format {
	case "libsvm":
		return []string{sampleText(compile.Column(attrs[0].ID), compile.Column(attrs[1].ID)) + " AS value"}, nil
	case "json":
		return writtenJSON(attrs, w, zone)
	}
	list := make([]string, len(attrs))
	for i, at := range attrs {
		text := exposed(compile.Column(at.ID), at.Type)
		if w.Format == "csv" && !w.inPath(at.Name) {
			text = csvText(text, at.Type, w.Options)
		}
		list[i] = text + " AS " + quoteName(at.Name)
	}
	return list, nil
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

// csvText prints a column as Spark's CSV writer does.
func csvText(text string, t types.Type, options map[string]string) string {
	pattern := func(value, def, name string) string {
		return "spark_format_time(epoch_us(" + value + "), " + quoteSQL(option(options, def, name)) + ", current_setting('TimeZone'))"
	}
	quickly := func(name, quick, slow string) string {
		if options[name] != "" {
			return slow
		}
		return "(CASE WHEN " + fourDigits(text) + " THEN " + quick + " ELSE " + slow + " END)"
	}
	zoned := "CAST(" + text + " AS TIMESTAMPTZ)"
	switch {
	case types.IsFractional(t):
		text = "spark_double_text(" + text + ")"
	case t == types.Timestamp:
		text = quickly("timestampformat", instantText(text), pattern(text, "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "timestampformat"))
	case t == types.TimestampNTZ:
		text = quickly("timestampntzformat", localText(text), pattern(zoned, "yyyy-MM-dd'T'HH:mm:ss.SSS", "timestampntzformat"))
	case t == types.Date && options["dateformat"] != "":
		text = pattern(zoned, "", "dateformat")
	}
	if flag(options, "quoteall") { // what is null, too
		text = "coalesce(CAST(" + text + " AS VARCHAR), " + quoteSQL(options["nullvalue"]) + ")"
	}
	return text
}

// copyOptions are the engine's of a write.
func copyOptions(w WriteRequest, schema types.Struct, c codec) string {
	switch w.Format {
	case "parquet":
		return "FORMAT parquet, COMPRESSION " + c.name + ", KV_METADATA {" + quoteName(sparkRowMetadata) + ": " + quoteSQL(types.ToJSON(nullable(schema))) + "}"
	case "json", "text", "libsvm":
		return "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\\x01', NULLSTR '', COMPRESSION " + c.name
	}
	force := ""
	if flag(w.Options, "quoteall") {
		force = ", FORCE_QUOTE *"
	}
	return fmt.Sprintf("FORMAT csv, HEADER %t, DELIMITER %s, QUOTE %s, ESCAPE %s, NULLSTR %s, COMPRESSION %s%s", flag(w.Options, "header"),
		quoteSQL(strings.ReplaceAll(option(w.Options, ",", "sep", "delimiter"), `\t`, "\t")), quoteSQL(option(w.Options, `"`, "quote")),
		quoteSQL(option(w.Options, `"`, "escape")), quoteSQL(w.Options["nullvalue"]), c.name, force)
}
