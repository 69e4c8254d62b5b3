package catalog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStoreOutlivesProcess(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PutDatabase(Database{Name: "Sales", Comment: "c"}); err != nil {
		t.Fatal(err)
	}
	want := Table{Database: "sales", Name: "orders", Kind: Managed, Format: "parquet", Schema: "{}", Partitions: []string{"day"}}
	if err := s.PutTable(Table{Database: "SALES", Name: "Orders", Kind: Managed, Format: "parquet", Schema: "{}", Partitions: []string{"day"}}); err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := again.Table("sales", "ORDERS")
	if !ok || cmp.Diff(want, got) != "" {
		t.Errorf("table after reopening: %v %s", ok, cmp.Diff(want, got))
	}
	if err := again.DropDatabase("sales"); err != nil {
		t.Fatal(err)
	}
	if _, ok := again.Table("sales", "orders"); ok {
		t.Error("a dropped database keeps its table")
	}
	if _, ok := again.Database(Default); !ok {
		t.Error("no default database")
	}
}
