"""A data set's format is recognised by its files, and every format tells the same story."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_data import coco, folders, picture, voc, yolo

from automl.data.formats import listed
from automl.data.listing import Entry, Listing
from deploy.errors import UserError

BOX = (10.0, 6.0, 20.0, 12.0)
CAT = {"a": [("cat", BOX)]}
BOTH = {"a": [("cat", BOX)], "b": [("dog", BOX)]}


def told(listing: Listing) -> set[tuple[str, str | None, tuple[int, ...]]]:
    return {(entry.picture.name, entry.split, entry.labels) for entry in listing.entries}


def only(listing: Listing) -> Entry:
    (entry,) = listing.entries
    return entry


def test_class_folders_with_splits(tmp_path: Path) -> None:
    listing = listed(folders(tmp_path, each=1))
    assert (listing.form, listing.detection, listing.classes) == ("folders", False, ("cat", "dog"))
    assert told(listing) == {
        ("0.png", split, (label,)) for split in ("train", "validation", "test") for label in (0, 1)
    }


def test_class_folders_without_splits(tmp_path: Path) -> None:
    assert {entry.split for entry in listed(folders(tmp_path, ("",))).entries} == {None}


def test_voc_with_its_image_sets_a_folder_down(tmp_path: Path) -> None:
    voc(tmp_path / "VOC2012", BOTH, {"train": ["a"], "val": ["b 1"]})
    listing = listed(tmp_path)
    assert (listing.form, listing.classes) == ("voc", ("cat", "dog"))
    assert told(listing) == {("a.png", "train", (0,)), ("b.png", "validation", (1,))}
    assert listing.entries[0].boxes == (BOX,)


def test_coco_with_a_file_a_split(tmp_path: Path) -> None:
    coco(tmp_path, "instances_train2017", {"a.png": CAT["a"]}, ["cat", "dog"], "train2017")
    coco(tmp_path, "instances_val2017", {"b.png": BOTH["b"]}, ["cat", "dog"], "val2017")
    coco(tmp_path, "captions_val2017", {"c.png": []}, [], "val2017")
    listing = listed(tmp_path)
    assert (listing.form, listing.classes) == ("coco", ("cat", "dog"))
    assert told(listing) == {("a.png", "train", (0,)), ("b.png", "validation", (1,))}
    assert listing.entries[0].boxes == (BOX,)


def test_one_coco_file_without_splits(tmp_path: Path) -> None:
    coco(tmp_path, "everything", {"a.png": CAT["a"]}, ["cat"])
    assert only(listed(tmp_path / "annotations" / "everything.json", "coco")).split is None


def test_yolo(tmp_path: Path) -> None:
    listing = listed(
        yolo(tmp_path, {"train": {"a": "0 0.375 0.3 0.25 0.2", "b": ""}, "val": {"c": "1 0 0 0 1 1 1"}})
    )
    assert (listing.form, listing.classes) == ("yolo", ("cat", "dog"))
    assert told(listing) == {("a.png", "train", (0,)), ("b.png", "train", ()), ("c.png", "validation", (1,))}
    first, _, outline = listing.entries
    assert first.relative and first.boxes is not None
    assert first.boxes[0] == pytest.approx((0.25, 0.2, 0.5, 0.4))
    assert outline.boxes == ((0.0, 0.0, 1.0, 1.0),)


def test_names_of_yolo_may_be_numbered(tmp_path: Path) -> None:
    assert listed(yolo(tmp_path, {"train": {"a": ""}}, "{0: cat, 1: dog}")).classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("7 0.5 0.5 0.1 0.1", "line 1 has the unknown class 7"),
        ("0 0.5 0.5", "line 1 is no 'class x y width height'"),
        ("cat 0.5 0.5 0.1 0.1", "line 1 is no 'class x y width height'"),
        ("inf 0.5 0.5 0.1 0.1", "line 1 is no 'class x y width height'"),
    ],
)
def test_a_line_of_yolo_that_is_wrong_is_named(tmp_path: Path, line: str, what: str) -> None:
    listing = listed(yolo(tmp_path, {"train": {"a": line}}))
    (problem,) = listing.problems
    assert problem.file.name == "a.txt" and what in problem.what
    assert only(listing).labels == ()


def test_what_misses_its_other_half_is_named(tmp_path: Path) -> None:
    voc(tmp_path, BOTH, {"train": ["a", "b", "c"]})
    (tmp_path / "JPEGImages" / "a.png").unlink()
    (tmp_path / "Annotations" / "b.xml").write_text("<annotation>")
    picture(tmp_path / "JPEGImages" / "c.png", 9)
    with pytest.raises(UserError, match="no picture that can be used was found as voc"):
        listed(tmp_path)


def test_annotations_of_coco_that_belong_to_nothing_are_named(tmp_path: Path) -> None:
    file = coco(tmp_path, "train", {"a.png": CAT["a"]}, ["cat"]) / "annotations" / "train.json"
    orphan = '{"image_id": 99, "category_id": 10, "bbox": [0, 0, 5, 5]}'
    strange = '{"id": 3, "image_id": 0, "category_id": 77, "bbox": [0, 0, 5, 5]}'
    file.write_text(file.read_text().replace('"annotations": [', f'"annotations": [{orphan}, {strange}, '))
    listing = listed(tmp_path)
    assert only(listing).labels == (0,)
    assert [problem.what.partition(":")[0] for problem in listing.problems] == [
        "annotation 3 has the unknown class 77",
        "1 annotations of image id 99, which is not listed",
    ]


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("instances.json", "{", "is no JSON"),
        ("data.yaml", "names: [cat]\ndate: 2024-13-45", "is no YAML"),
        ("data.yaml", "names: [", "is no YAML"),
        ("data.yaml", "names: [cat]", "names no split"),
        ("data.yaml", "names: [cat]\ntrain: nowhere", "'nowhere' is not there"),
        ("a.json", '{"images": [{}], "annotations": [], "categories": []}', "is no COCO file"),
        ("readme.txt", "", "no known format"),
    ],
)
def test_a_damaged_description_is_refused_by_name(tmp_path: Path, name: str, text: str, error: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=error):
        listed(tmp_path)


def test_nothing_there_and_no_such_format(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is nothing"):
        listed(tmp_path / "gone")
    with pytest.raises(UserError, match="did you mean 'yolo'"):
        listed(tmp_path, "yolov8")


def test_numbered_names_of_yolo_are_by_number_and_without_gaps(tmp_path: Path) -> None:
    assert listed(yolo(tmp_path, {"train": {"a": ""}}, "{1: dog, 0: cat}")).classes == ("cat", "dog")
    (tmp_path / "data.yaml").write_text("train: images/train\nnames: {0: cat, 2: dog}\n")
    with pytest.raises(UserError, match="numbered from 0 without a gap"):
        listed(tmp_path)


def test_key_points_of_yolo_are_left_out(tmp_path: Path) -> None:
    yolo(tmp_path, {"train": {"a": "0 0.5 0.5 0.2 0.2 0.4 0.4 2 0.6 0.6 2"}})
    with (tmp_path / "data.yaml").open("a") as file:
        file.write("kpt_shape: [2, 3]\n")
    assert only(listed(tmp_path)).boxes == (pytest.approx((0.4, 0.4, 0.6, 0.6)),)


def test_a_class_may_be_called_as_a_split(tmp_path: Path) -> None:
    for name in ("bus", "car", "train"):
        picture(tmp_path / name / "0.png", 0)
    assert listed(tmp_path).classes == ("bus", "car", "train")


def test_what_is_called_json_beside_pictures_does_not_matter(tmp_path: Path) -> None:
    folders(tmp_path)
    (tmp_path / "meta.json").write_text('{"a": 1}\n{"b": 2}\n')
    assert listed(tmp_path).form == "folders"


@pytest.mark.parametrize("categories", ['[{"name": "cat"}]', "null", "[3]"])
def test_categories_that_are_none_are_refused_by_file(tmp_path: Path, categories: str) -> None:
    text = f'{{"images": [], "annotations": [], "categories": {categories}}}'
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=r"a\.json is no COCO file"):
        listed(tmp_path)


def test_what_lies_beside_the_splits_is_named(tmp_path: Path) -> None:
    folders(tmp_path, ("train", "val", "test", "holdout"))
    listing = listed(tmp_path)
    assert [problem.file.name for problem in listing.problems] == ["holdout"]
    assert len(listing.entries) == len(listed(folders(tmp_path / "plain")).entries)


def test_a_picture_beside_the_classes_of_a_split_is_named_and_costs_nothing_else(tmp_path: Path) -> None:
    whole = len(listed(folders(tmp_path)).entries)
    picture(tmp_path / "train" / "overview.png", 99)
    listing = listed(tmp_path)
    assert [problem.file.name for problem in listing.problems] == ["overview.png"]
    assert len(listing.entries) == whole
