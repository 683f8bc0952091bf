"""The store keeps what can be used, decoded once, and says what it left out."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from made_data import folders, picture, voc

from automl.data import store as store_module
from automl.data.formats import listed
from automl.data.store import Store, stored
from automl.reporters.quiet import QuietReporter
from deploy.errors import UserError
from deploy.preprocess import model_input, open_picture


def kept(root: Path, cache: Path, side: int = 16) -> Store:
    return stored(listed(root), side, 0, cache, QuietReporter())


def test_a_split_holds_the_pictures_pixels_and_labels(tmp_path: Path) -> None:
    store = kept(folders(tmp_path / "data"), tmp_path)
    for name in ("train", "validation", "test"):
        split = store.split(name)  # type: ignore[arg-type]
        labels = [int(target["label"]) for target in split.targets]
        assert sorted(labels) == [0, 0, 0, 1, 1, 1]
        assert labels == [int(Path(sample["file"]).parent.name == "dog") for sample in store.index.samples[name]]
        for image, sample in zip(split.images, store.index.samples[name], strict=True):
            expected = model_input(open_picture(Path(sample["file"])), (16, 16))
            np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), expected)


def test_the_first_samples_of_a_split_are_of_every_class(tmp_path: Path) -> None:
    store = kept(folders(tmp_path / "data", each=40), tmp_path)
    for name in ("train", "validation", "test"):
        first = [int(target["label"]) for target in store.split(name).targets[:16]]  # type: ignore[arg-type]
        assert 3 < sum(first) < 13


def test_pictures_are_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = kept(folders(tmp_path / "data"), tmp_path)
    monkeypatch.setattr(store_module, "decoded", None)
    again = kept(tmp_path / "data", tmp_path)
    assert again.index == first.index
    assert torch.equal(again.split("test").images, first.split("test").images)


def test_another_size_or_a_changed_file_is_decoded_anew(tmp_path: Path) -> None:
    first = kept(folders(tmp_path / "data"), tmp_path)
    assert kept(tmp_path / "data", tmp_path, 24).split("test").images.shape[-1] == 24
    picture(tmp_path / "data/train/cat/0.png", 77)
    assert kept(tmp_path / "data", tmp_path).index.digest != first.index.digest


def test_the_digest_knows_labels(tmp_path: Path) -> None:
    first = kept(folders(tmp_path / "data"), tmp_path)
    shutil.move(tmp_path / "data/train/cat/0.png", tmp_path / "data/train/dog/9.png")
    assert kept(tmp_path / "data", tmp_path).index.digest != first.index.digest


def test_what_two_splits_have_leaves_train(tmp_path: Path) -> None:
    folders(tmp_path / "data")
    shutil.copy(tmp_path / "data/test/cat/0.png", tmp_path / "data/train/cat/copy.png")
    store = kept(tmp_path / "data", tmp_path)
    ((file, what),) = store.index.problems
    assert file.endswith("copy.png") and "of test, too: dropped from train" in what
    assert len(store.split("train")) == len(store.split("test")) == 6


def test_boxes_may_be_none_at_all(tmp_path: Path) -> None:
    box = ("cat", (10.0, 6.0, 20.0, 12.0))
    pictures = {"a": [box], "b": [], "c": [box], "d": [box]}
    voc(tmp_path / "data", pictures, {"train": ["a", "b"], "val": ["c"], "test": ["d"]})
    train = kept(tmp_path / "data", tmp_path).split("train")
    assert [target["boxes"].shape for target in train.targets] == [(1, 4), (0, 4)]


def test_a_split_without_pictures_is_refused(tmp_path: Path) -> None:
    folders(tmp_path / "data", each=1)
    for file in (tmp_path / "data/val").rglob("*.png"):
        file.write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"leaves no picture for validation.*first of 2 problems"):
        kept(tmp_path / "data", tmp_path)
    assert not list(tmp_path.glob("data-*"))


def test_one_class_alone_is_refused(tmp_path: Path) -> None:
    folders(tmp_path / "data")
    for split in ("train", "val", "test"):
        shutil.rmtree(tmp_path / "data" / split / "dog")
    with pytest.raises(UserError, match="one class alone"):
        kept(tmp_path / "data", tmp_path)


@pytest.mark.parametrize("name", ["index.json", "pixels.npy"])
@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_damaged_store_is_made_again(tmp_path: Path, name: str, damage: str) -> None:
    first = kept(folders(tmp_path / "data"), tmp_path)
    (file,) = tmp_path.glob(f"data-*/{name}")
    content = file.read_bytes()
    file.unlink()  # and not overwritten: the first store still reads its map
    if damage == "cut":
        file.write_bytes(content[:50])
    again = kept(tmp_path / "data", tmp_path)
    assert torch.equal(again.split("train").images, first.split("train").images)
