package function

import "strings"

// unsupportedPrefixes and unsupportedNames are functions of Spark that this engine lacks: a call says so by name.
var unsupportedPrefixes = []string{"kll_", "theta_", "tuple_", "hll_", "st_", "variant_", "try_variant_", "approx_top_k", "count_min_sketch", "time_", "from_avro", "to_avro",
	"from_protobuf", "to_protobuf"}

var unsupportedNames = map[string]bool{"parse_json": true, "try_parse_json": true, "to_variant_object": true, "is_variant_null": true, "is_valid_variant": true, "schema_of_variant": true,
	"schema_of_variant_agg": true, "from_xml": true, "to_xml": true, "schema_of_xml": true, "reflect": true, "java_method": true, "try_reflect": true, "session_window": true,
	"make_time": true, "to_time": true, "try_to_time": true, "current_time": true, "localtime": true, "unix_nanos": true, "timestamp_nanos": true,
	"shuffle": true, "input_file_block_start": true, "input_file_block_length": true}

func unsupported(name string) bool {
	name = strings.ToLower(name)
	for _, p := range unsupportedPrefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return unsupportedNames[name]
}
