"""CSV files as they are read more than once: the server holds what it parsed, and must not be caught by it."""
import os

import pytest


def read(spark, path, **options):
    return spark.read.csv(str(path), header=True, inferSchema=True, **options)


def test_a_changed_file_is_read_again(spark, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,a\n2,b\n")
    for _ in range(3):
        assert read(spark, path).collect() == [(1, "a"), (2, "b")]
    path.write_text("x,y\n7,c\n8,d\n")  # as long as it was
    os.utime(path, ns=(1, 1))
    for _ in range(3):
        assert read(spark, path).collect() == [(7, "c"), (8, "d")]
    path.unlink()
    try:
        read(spark, path).collect()
    except Exception as e:
        assert "PATH_NOT_FOUND" in str(e)
    else:
        raise AssertionError("a file that is gone was read")


def test_a_late_value_changes_the_type(spark, tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{i},{i},,x" for i in range(5000)]
    path.write_text("i,late,blank,s\n" + "\n".join(rows) + "\n1.5,word,3,y\n")
    df = read(spark, path)
    assert df.dtypes == [("i", "double"), ("late", "string"), ("blank", "int"), ("s", "string")]
    for _ in range(3):
        assert read(spark, path).filter("late = 'word'").collect() == [(1.5, "word", 3, "y")]
        assert read(spark, path).count() == 5001


def test_long_records(spark, tmp_path):
    path = tmp_path / "a.csv"
    text = "z" * 3_000_000
    path.write_text(f"i,s\n1,{text}\n2,b\n")
    for _ in range(3):
        assert [(r.i, len(r.s)) for r in read(spark, path).collect()] == [(1, 3_000_000), (2, 1)]
    path.write_text('i,s\n1,"' + "line\n" * 600_000 + '"\n2,b\n')
    assert [(r.i, len(r.s)) for r in read(spark, path, multiLine=True).collect()] == [(1, 3_000_000), (2, 1)]


def test_dialects_do_not_share(spark, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x;y\n1;NA\n2;3\n")
    for _ in range(3):
        assert read(spark, path, sep=";", nullValue="NA").collect() == [(1, None), (2, 3)]
        assert read(spark, path, sep=";").collect() == [(1, "NA"), (2, "3")]
        assert spark.read.csv(str(path), header=True, sep=";", schema="x int, y string").select("y").collect() == [("NA",), ("3",)]
        assert len(read(spark, path).columns) == 1


def test_time_zones_do_not_share(spark, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("t\n2024-01-01 12:00:00\n")
    before = spark.conf.get("spark.sql.session.timeZone")
    try:
        seen = set()
        for zone in ("UTC", "America/New_York", "UTC", "America/New_York"):
            spark.conf.set("spark.sql.session.timeZone", zone)
            seen.add((zone, read(spark, path).selectExpr("unix_timestamp(t)").first()[0]))
        assert len(seen) == 2
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)


def test_a_line_is_a_record_unless_told(spark, tmp_path):
    """The answers are those of Spark 4.3."""
    path = tmp_path / "a.csv"
    path.write_text('i,s,t\n1,"a\nb",x\n2,c,y\n"q,r\n"3","d","z"\n4,"e\n')
    assert read(spark, path).collect() == [("1", "a", None), ('b"', "x", None), ("2", "c", "y"), ("q,r", None, None), ("3", "d", "z"), ("4", "e", None)]
    path.write_text('i,s\n1,"a\nb"\n2,c\n')
    assert read(spark, path, multiLine=True).collect() == [(1, "a\nb"), (2, "c")]


def test_a_copy_that_nobody_checked_confirms_no_guess(spark, tmp_path):
    """A schema that the reader was given makes a copy with nulls; inferring must not take it for proof."""
    path = tmp_path / "a.csv"
    path.write_text("i\n" + "\n".join(str(i) for i in range(5000)) + "\nword\n")
    for _ in range(3):
        assert spark.read.csv(str(path), header=True, schema="i int").filter("i IS NULL").count() == 1
    assert read(spark, path).dtypes == [("i", "string")]
    assert read(spark, path).filter("i = 'word'").count() == 1


@pytest.mark.parametrize("form", ["csv", "json", "text"])
def test_other_ends_of_lines_are_not_passed_over(spark, tmp_path, form):
    from pyspark.errors import PySparkException

    rows = spark.range(2).selectExpr("cast(id as string) v")
    with pytest.raises(PySparkException, match="lineSep"):
        rows.write.option("lineSep", "__").format(form).save(str(tmp_path / "out"))
    rows.write.option("lineSep", "\n").format(form).save(str(tmp_path / "out"))
    assert spark.read.format(form).load(str(tmp_path / "out")).count() == 2
