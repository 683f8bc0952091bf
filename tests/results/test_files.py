"""Golden files: pareto.json and pareto.csv of a small run, byte for byte."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_records import SPLITS, image, measured_on_test, record

from results.document import FORMAT
from results.files import csv_text, json_text, record_csv, record_json, write_files
from results.record import RunInfo, TrialRecord

GOLDEN = Path(__file__).parent / "golden"
INFO = RunInfo("shelf", "detection", "mAP", ("quality", "edge_flops", "bytes"), SPLITS, 61.4e6, 9999.0)


def small_run() -> list[TrialRecord]:
    webp = image(1, "webp", 50, 96)
    return [
        measured_on_test(record(0, 0.75, 61.4e6, 0.0, cut=SPLITS, kind="anchor"), 0.74, (0.0, 0.0)),
        replace(webp, validation=replace(webp.validation, quality=0.745, bytes=800.0)),
        measured_on_test(record(2, 0.75, 12.28e6, 200.0), 0.735, (-0.0125, 0.005)),
        record(3, 0.5, 6.14e6, 25.5, cut=2, seconds=1.25),
        record(4, 0.4, 30.7e6, 400.0),
    ]


@pytest.mark.parametrize(("name", "text"), [("pareto.json", json_text), ("pareto.csv", csv_text)])
def test_the_files_are_as_they_were(name, text):
    assert text(small_run(), INFO) == (GOLDEN / name).read_text(encoding="utf-8")


def test_the_json_tells_the_front_the_plain_answers_and_the_reference():
    told = json.loads(json_text(small_run(), INFO))
    assert told["format"] == FORMAT
    assert [member["trial"] for member in told["members"]] == [0, 3, 2, 1]
    assert {answer["trial"] for answer in told["plain_answers"]} == {0, 1}
    assert [axis["reference"] for axis in told["hypervolume"]["axes"]] == [1.0, 1.1, 4.0]
    assert told["members"][2]["finalist"]["test_gap_interval"] == [-0.0125, 0.005]


def test_columns_that_a_later_row_adds_stay_with_their_kind():
    first, *others = small_run()
    smaller = [replace(each, config=replace(each.config, resolution=24)) for each in others]
    columns = next(csv.reader(io.StringIO(csv_text([first, *smaller], INFO))))
    kinds = [name.partition(".")[0] for name in columns]
    assert kinds == sorted(kinds, key=kinds.index)
    assert columns.index("config.resolution") < columns.index("validation.quality")


def test_the_csv_has_a_row_a_member_and_gaps_where_nothing_was_measured():
    rows = list(csv.DictReader(io.StringIO(csv_text(small_run(), INFO))))
    assert [row["trial"] for row in rows] == ["0", "3", "2", "1"]
    assert [row["test.quality"] for row in rows] == ["0.74", "", "0.735", ""]


def test_one_record_reads_the_same_in_both_forms():
    (row,) = csv.DictReader(io.StringIO(record_csv(small_run()[2])))
    assert float(row["test.bytes"]) == json.loads(record_json(small_run()[2]))["finalist"]["test"]["bytes"] == 200.0


def test_files_replace_older_ones_and_leave_nothing_beside_them(tmp_path):
    write_files(small_run()[:2], INFO, tmp_path)
    paths = write_files(small_run(), INFO, tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert paths[0].read_text(encoding="utf-8") == json_text(small_run(), INFO)


def test_an_empty_front_still_makes_files(tmp_path):
    assert all(path.stat().st_size for path in write_files([], INFO, tmp_path))
