package ui

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	mdtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// markdowner renders the course's Markdown. Raw HTML and links to scripts are left out. Cells are
// aligned by attribute: the policy forbids styles.
var markdowner = goldmark.New(
	goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
	goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(marker{}, 100))),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(coder{}, 100))),
)

// markdown renders a text.
func markdown(source string) (template.HTML, error) {
	var out bytes.Buffer
	if err := markdowner.Convert([]byte(source), &out); err != nil {
		return "", fmt.Errorf("render Markdown: %w", err)
	}
	return template.HTML(out.String()), nil
}

// markdownLine renders a text that stands within a line, without a paragraph of its own.
func markdownLine(source string) (template.HTML, error) {
	out, err := markdown(source)
	inner := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(string(out)), "<p>"), "</p>")
	if err != nil || strings.Contains(inner, "<p>") {
		return out, err
	}
	return template.HTML(inner), nil
}

// marker gives tables the pages' look, and paragraphs that say where sources differ a box.
type marker struct{}

const differ = "Sources differ:"

// Transform implements parser.ASTTransformer.
func (marker) Transform(doc *ast.Document, r mdtext.Reader, _ parser.Context) {
	// The walk ends with no error because the visitor gives none.
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if n.Kind().String() == "Table" {
			n.SetAttributeString("class", []byte("list"))
		}
		if p, ok := n.(*ast.Paragraph); ok && p.Lines().Len() > 0 {
			first := p.Lines().At(0)
			if bytes.HasPrefix(first.Value(r.Source()), []byte("**"+differ+"**")) {
				p.SetAttributeString("class", []byte("differ"))
			}
		}
		return ast.WalkContinue, nil
	})
}

// coder renders fenced code with colours.
type coder struct{}

// RegisterFuncs implements renderer.NodeRenderer.
func (coder) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindFencedCodeBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		var code strings.Builder
		for i := range n.Lines().Len() {
			line := n.Lines().At(i)
			code.Write(line.Value(source))
		}
		language := string(n.(*ast.FencedCodeBlock).Language(source))
		_, err := w.WriteString(string(highlighted(language, code.String())))
		return ast.WalkSkipChildren, err
	})
}

// token finds what is coloured: comments, strings, words, numbers, by turns.
const token = `(%s[^\n]*)|("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|\b(%s)\b|\b(\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\b`

// languages are those that the course has code of.
var languages = map[string]*regexp.Regexp{
	"python": regexp.MustCompile(fmt.Sprintf(token, "#", "and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield|None|True|False")),
	"sql":    regexp.MustCompile(fmt.Sprintf(token, "--", "(?i:select|from|where|group|by|order|having|join|left|right|on|as|and|or|not|null|create|table|view|insert|into|values|with|union|limit|over|partition|case|when|then|else|end)")),
}

// tokenClasses are the groups of token.
var tokenClasses = []string{"comment", "string", "word", "number"}

// highlighted is code as a block that can be copied, coloured where its language is known.
func highlighted(language, code string) template.HTML {
	code = strings.TrimRight(code, "\n")
	var out strings.Builder
	out.WriteString(`<pre class="code" data-copy><code>`)
	at := 0
	if tokens := languages[language]; tokens != nil {
		for _, m := range tokens.FindAllStringSubmatchIndex(code, -1) {
			for i, class := range tokenClasses {
				if m[2*i+2] >= 0 {
					fmt.Fprintf(&out, `%s<span class="%s">%s</span>`, html.EscapeString(code[at:m[0]]), class, html.EscapeString(code[m[0]:m[1]]))
				}
			}
			at = m[1]
		}
	}
	out.WriteString(html.EscapeString(code[at:]) + "</code></pre>")
	return template.HTML(out.String())
}
