package main

import (
	_ "github.com/duckdb/duckdb-go/v2"
	_ "modernc.org/sqlite"
	_ "google.golang.org/grpc"
	_ "github.com/apache/arrow-go/v18/parquet/pqarrow"
	_ "gonum.org/v1/gonum/mat"
	_ "github.com/spf13/cobra"
	_ "github.com/spf13/viper"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/google/uuid"
	_ "github.com/pressly/goose/v3"
	_ "github.com/prometheus/client_golang/prometheus/promhttp"
	_ "google.golang.org/protobuf/proto"
	_ "github.com/klauspost/compress/zstd"
	_ "gopkg.in/yaml.v3"
)

func main() {}
