package registry

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/millpond/millpond/internal/rest"
)

const (
	maxTagKey   = 250
	maxTagValue = 100_000
	maxAlias    = 255
	// promptTag marks the registered models that hold prompts.
	promptTag = "mlflow.prompt.is_prompt"
)

var (
	aliasPattern   = regexp.MustCompile(`^[\p{L}\p{N}_\-]*$`)
	versionPattern = regexp.MustCompile(`^[vV]\d+$`)
)

func missingField(field string) error {
	return rest.Invalid("Missing value for required parameter '%s'.", field)
}

func checkModelName(name string) error {
	if strings.TrimSpace(name) == "" {
		return missingField("name")
	}
	if strings.ContainsAny(name, "/:") {
		return rest.Invalid("Invalid model name '%s'. Names cannot contain '/' or ':'.", name)
	}
	if clean := path.Clean(name); clean != name || clean == "." || strings.HasPrefix(clean, "..") {
		return rest.InvalidValue("name", name, fmt.Sprintf("Names may be treated as files in certain cases, and must not "+
			"resolve to other names when treated as such. This name would resolve to '%s'", clean))
	}
	return nil
}

func parseVersion(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, rest.Invalid("Parameter 'version' must be an integer, got '%s'.", text)
	}
	return n, nil
}

func checkTag(t Tag) error {
	if err := rest.CheckName(t.Key, "key"); err != nil {
		return err
	}
	if err := checkLength("key", maxTagKey, t.Key); err != nil {
		return err
	}
	return checkLength("value", maxTagValue, t.Value)
}

func checkTags(tags []Tag) error {
	for _, t := range tags {
		if err := checkTag(t); err != nil {
			return err
		}
	}
	return nil
}

func checkLength(what string, limit int, value string) error {
	if len(value) > limit && utf8.RuneCountInString(value) > limit {
		return rest.Invalid("'%s' exceeds the maximum length of %d characters", what, limit)
	}
	return nil
}

func checkAlias(alias string) error {
	if !aliasPattern.MatchString(alias) {
		return rest.Invalid("Invalid alias name: '%s'. Names may only contain alphanumerics, underscores (_), and dashes (-).", alias)
	}
	return checkLength("Registered model alias name", maxAlias, alias)
}

// checkNewAlias refuses aliases that mean something by themselves.
func checkNewAlias(alias string) error {
	if err := checkAlias(alias); err != nil {
		return err
	}
	if strings.EqualFold(alias, "latest") {
		return rest.Invalid("'latest' alias name (case insensitive) is reserved.")
	}
	if versionPattern.MatchString(alias) {
		return rest.Invalid("Version alias name '%s' is reserved.", alias)
	}
	return nil
}

// canonicalStage finds a stage by its name in any case.
func canonicalStage(name string) (string, error) {
	for _, s := range []string{stageNone, stageStaging, stageProduction, stageArchived} {
		if strings.EqualFold(name, s) {
			return s, nil
		}
	}
	return "", rest.Invalid("Invalid Model Version stage: %s. Value must be one of None, Staging, Production, Archived.", name)
}

func isPrompt(tags []Tag) bool {
	last := ""
	for _, t := range tags {
		if t.Key == promptTag {
			last = t.Value
		}
	}
	return strings.EqualFold(last, "true")
}
