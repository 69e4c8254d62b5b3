package engine

import (
	"regexp"
	"strings"

	"github.com/millpond/millpond/internal/compile"
	"github.com/millpond/millpond/internal/plan"
	"github.com/millpond/millpond/internal/types"
)

// lineName is what a column is called that holds whole lines.
const lineName = "\x01line"

// csvWriter is what the options say of a CSV file that is written.
type csvWriter struct {
	options             map[string]string
	sep, quote, escape  string
	null, empty         string // what stands for these
	all                 bool   // quotes around every field
	inside              bool   // a quote within a field needs quotes around it
	trimLeft, trimRight bool
}

// trimmedCharacters go from a field's ends.
const trimmedCharacters = `E' \t\n\r\f\b\x0b'`

func csvWriterOf(o map[string]string) csvWriter {
	on := func(name string) bool { return !strings.EqualFold(o[name], "false") }
	return csvWriter{options: o, sep: strings.ReplaceAll(option(o, ",", "sep", "delimiter"), `\t`, "\t"), quote: option(o, `"`, "quote"), escape: option(o, `\`, "escape"),
		null: o["nullvalue"], empty: option(o, `""`, "emptyvalue"), all: flag(o, "quoteall"), inside: on("escapequotes"),
		trimLeft: on("ignoreleadingwhitespace"), trimRight: on("ignoretrailingwhitespace")}
}

// written makes a line of each row, called by the header, beside the columns that name directories.
func (c csvWriter) written(attrs []plan.Attr, w WriteRequest) []string {
	var fields, names, list []string
	for _, at := range attrs {
		if w.inPath(at.Name) {
			list = append(list, exposed(compile.Column(at.ID), at.Type)+" AS "+quoteName(at.Name))
			continue
		}
		fields, names = append(fields, c.column(exposed(compile.Column(at.ID), at.Type), at.Type)), append(names, c.name(at.Name))
	}
	name := lineName
	if flag(c.options, "header") {
		name = strings.Join(names, c.sep)
	}
	return append(list, strings.Join(fields, " || "+quoteSQL(c.sep)+" || ")+" AS "+quoteName(name))
}

// column prints a column's fields, none of which is null.
func (c csvWriter) column(value string, t types.Type) string {
	text := c.text(value, t)
	if types.IsString(t) || c.formatted(t) {
		return c.field(text)
	}
	text = "coalesce(" + text + ", " + quoteSQL(c.null) + ")"
	if c.all {
		return c.quoted(text)
	}
	return text // which holds nothing that needs quotes
}

// formatted says whether an option says how a type is printed.
func (c csvWriter) formatted(t types.Type) bool {
	return t == types.Date && c.options["dateformat"] != "" || t == types.Timestamp && c.options["timestampformat"] != "" ||
		t == types.TimestampNTZ && c.options["timestampntzformat"] != ""
}

// text prints values as Spark's CSV writer does, without quotes.
func (c csvWriter) text(value string, t types.Type) string {
	pattern := func(value, def, name string) string {
		return "spark_format_time(epoch_us(" + value + "), " + quoteSQL(option(c.options, def, name)) + ", current_setting('TimeZone'))"
	}
	quickly := func(name, quick, slow string) string {
		if c.options[name] != "" {
			return slow
		}
		return "(CASE WHEN " + fourDigits(value) + " THEN " + quick + " ELSE " + slow + " END)"
	}
	zoned := "CAST(" + value + " AS TIMESTAMPTZ)"
	switch {
	case types.IsFractional(t):
		return "spark_double_text(" + value + ")"
	case t == types.Timestamp:
		return quickly("timestampformat", instantText(value), pattern(value, "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "timestampformat"))
	case t == types.TimestampNTZ:
		return quickly("timestampntzformat", localText(value), pattern(zoned, "yyyy-MM-dd'T'HH:mm:ss.SSS", "timestampntzformat"))
	case t == types.Date && c.options["dateformat"] != "":
		return pattern(zoned, "", "dateformat")
	}
	return "CAST(" + value + " AS VARCHAR)"
}

// field puts quotes around a text where it needs them, and says what stands for null and for nothing.
func (c csvWriter) field(text string) string {
	trimmed, null, empty := c.trimmed(text), quoteSQL(c.null), quoteSQL(c.empty)
	if c.all {
		return "(CASE WHEN " + trimmed + " = '' THEN " + empty + " ELSE " + c.quoted("coalesce("+trimmed+", "+null+")") + " END)"
	}
	special := regexp.QuoteMeta(c.sep) + `|[\n\r]`
	if c.quote != "" && c.inside {
		special += "|" + regexp.QuoteMeta(c.quote)
	} else if c.quote != "" {
		special += "|^" + regexp.QuoteMeta(c.quote)
	}
	found := func(pattern, text string) string {
		return "regexp_matches(" + text + ", " + quoteSQL(pattern) + ")"
	}
	// Most texts need nothing, as one look at them says.
	return "(CASE WHEN " + text + " IS NULL THEN " + null + " WHEN NOT " + found(special+`|^[\x00-\x20]|[\x00-\x20]$|^$`, text) + " THEN " + text +
		" WHEN " + trimmed + " = '' THEN " + empty + " WHEN " + found(special, trimmed) + " THEN " + c.quoted(trimmed) + " ELSE " + trimmed + " END)"
}

func (c csvWriter) trimmed(text string) string {
	switch {
	case c.trimLeft && c.trimRight:
		return "trim(" + text + ", " + trimmedCharacters + ")"
	case c.trimLeft:
		return "ltrim(" + text + ", " + trimmedCharacters + ")"
	case c.trimRight:
		return "rtrim(" + text + ", " + trimmedCharacters + ")"
	}
	return text
}

// quoted puts quotes around a text.
func (c csvWriter) quoted(text string) string {
	if c.quote == "" {
		return text
	}
	marks := []string{c.quote}
	if c.escape != "" && c.escape != c.quote {
		marks = []string{c.escape, c.quote} // in this order: a quote's own escape is not escaped
	}
	for _, mark := range marks {
		text = "replace(" + text + ", " + quoteSQL(mark) + ", " + quoteSQL(c.escape+mark) + ")"
	}
	return quoteSQL(c.quote) + " || " + text + " || " + quoteSQL(c.quote)
}

// name is a column's name in a header.
func (c csvWriter) name(text string) string {
	if c.quote == "" || !c.all && !strings.Contains(text, c.sep) && !strings.ContainsAny(text, "\n\r") && !strings.Contains(text, c.quote) {
		return text
	}
	escapes := []string{c.quote, c.escape + c.quote}
	if c.escape != "" && c.escape != c.quote {
		escapes = append(escapes, c.escape, c.escape+c.escape)
	}
	return c.quote + strings.NewReplacer(escapes...).Replace(text) + c.quote
}
