package evaluation

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/millpond/millpond/internal/rest"
)

// What a scorer's text may say. Clients rebuild scorers from it: a text that has
// them run code, or call addresses of its own choice, is not kept.

// checkPayload refuses what MLflow's server does.
func checkPayload(serialized string) error {
	var value any
	if json.Unmarshal([]byte(serialized), &value) != nil {
		return rest.Invalid("serialized_scorer must be valid JSON")
	}
	scorer, ok := value.(map[string]any)
	if !ok {
		return rest.Invalid("serialized_scorer must be a JSON object")
	}
	if hasCode(scorer) {
		return rest.Invalid("Custom scorer registration (using @scorer decorator) is disabled: whoever loads such a scorer runs its code. " +
			"Keep its source in a repository and import it, or use built-in scorers or make_judge() scorers.")
	}
	if err := checkThirdParty(scorer); err != nil {
		return err
	}
	model := modelOf(scorer)
	text, isText := model.(string)
	switch {
	case model == nil:
		return nil
	case !isText:
		return rest.Invalid("Scorer model must be a string, got %s.", pythonType(model))
	case strings.TrimSpace(text) == "":
		return rest.Invalid("Scorer model cannot be empty or contain only whitespace.")
	}
	if endpoint, ok := gatewayEndpoint(text); ok { // there is no gateway, so there are no endpoints of it
		return rest.NotFound("GatewayEndpoint not found (name='%s')", endpoint)
	}
	return nil
}

// pythonType is what Python, and so MLflow's messages, call the type of a JSON value.
func pythonType(v any) string {
	switch v := v.(type) {
	case string:
		return "str"
	case bool:
		return "bool"
	case []any:
		return "list"
	case map[string]any:
		return "dict"
	case float64:
		if v == math.Trunc(v) {
			return "int"
		}
	}
	return "float"
}

// walkJSON calls fn for every object in a value.
func walkJSON(v any, fn func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		fn(v)
		for _, nested := range v {
			walkJSON(nested, fn)
		}
	case []any:
		for _, nested := range v {
			walkJSON(nested, fn)
		}
	}
}

// hasCode reports whether a scorer, or one inside it, is a program's text.
func hasCode(scorer any) (found bool) {
	walkJSON(scorer, func(o map[string]any) { found = found || o["call_source"] != nil })
	return found
}

// destinations are options by which a library's client is sent to another address.
var destinations = []string{"api_base", "base_url", "custom_llm_provider", "fallbacks", "model_list"}

// checkThirdParty refuses scorers of other libraries that choose whom to ask.
func checkThirdParty(scorer any) (err error) {
	walkJSON(scorer, func(o map[string]any) {
		data, ok := o["third_party_scorer_data"].(map[string]any)
		if !ok || err != nil {
			return
		}
		options, ok := data["kwargs"].(map[string]any)
		if !ok && data["kwargs"] != nil {
			err = rest.Invalid("third_party_scorer_data.kwargs must be a JSON object, got %s.", pythonType(data["kwargs"]))
			return
		}
		if found := destinationsIn(options); len(found) > 0 {
			err = rest.Invalid("third_party_scorer_data.kwargs must not contain %s: these options choose where the scorer's LLM client sends requests. "+
				"Name the judge's endpoint in the environment of those who run it.",
				"'"+strings.Join(found, "', '")+"'")
		}
	})
	return err
}

func destinationsIn(v any) (out []string) {
	add := func(name string) {
		if slices.Contains(destinations, name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, nested := range v {
				add(name)
				walk(nested)
			}
		case []any:
			for _, nested := range v {
				if pair, ok := nested.([]any); ok && len(pair) == 2 { // how some write a map
					if name, ok := pair[0].(string); ok {
						add(name)
					}
				}
				walk(nested)
			}
		}
	}
	walk(v)
	slices.Sort(out)
	return out
}

// modelOf is the model that a scorer asks, nil if it asks none.
func modelOf(scorer map[string]any) any {
	for _, kind := range []string{"instructions_judge_pydantic_data", "builtin_scorer_pydantic_data"} {
		if data, ok := scorer[kind].(map[string]any); ok && len(data) > 0 {
			return data["model"]
		}
	}
	if data, ok := scorer["memory_augmented_judge_data"].(map[string]any); ok && len(data) > 0 {
		base, _ := data["base_judge"].(map[string]any)
		return modelOf(base)
	}
	data, _ := scorer["third_party_scorer_data"].(map[string]any)
	return data["model"]
}

// gatewayEndpoint is the endpoint of MLflow's gateway that a model's address names.
func gatewayEndpoint(model string) (string, bool) {
	provider, path, ok := strings.Cut(model, ":/")
	path = strings.TrimLeft(path, "/")
	return path, ok && provider == "gateway" && path != ""
}
