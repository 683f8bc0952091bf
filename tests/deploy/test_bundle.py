import errno
import hashlib
import json
import os
from dataclasses import replace

import pytest

from deploy.bundle import CLOUD, EDGE, MANIFEST, SAMPLE, TABLES, Bundle
from deploy.errors import UserError
from deploy.manifest import FORMAT, Manifest

KINDS = ("image", "features", "edge")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_opens_again(make_bundle, kind):
    bundle = make_bundle(kind)
    again = Bundle.open(bundle.path)
    assert again.manifest == bundle.manifest
    assert again.manifest.kind == kind
    files = {"image": {CLOUD, SAMPLE}, "features": {EDGE, CLOUD, TABLES}, "edge": {EDGE}}[kind]
    assert set(again.manifest.files) == files
    assert {entry.name for entry in bundle.path.parent.iterdir()} == {kind}


@pytest.mark.parametrize("kind", KINDS)
def test_a_bundle_of_the_format_that_one_tensor_crossed_opens(make_bundle, kind):
    bundle = make_bundle(kind)
    content = json.loads(bundle.manifest.to_json())
    del content["sha256"]
    shapes = content.pop("symbol_shapes")
    content |= {"format": 2, "symbol_shape": shapes[0] if shapes else None}
    check = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    (bundle.path / MANIFEST).write_text(json.dumps({**content, "sha256": check}))
    assert Bundle.open(bundle.path).manifest == bundle.manifest


def test_the_manifest_survives_json(make_bundle):
    manifest = make_bundle("features").manifest
    assert Manifest.from_json(manifest.to_json()) == manifest


@pytest.mark.parametrize("name", [MANIFEST, EDGE, CLOUD, TABLES])
def test_any_changed_byte_is_found(make_bundle, name):
    path = make_bundle("features").path
    content = bytearray((path / name).read_bytes())
    content[len(content) // 2] ^= 1
    (path / name).write_bytes(content)
    with pytest.raises(UserError) as error:
        Bundle.open(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("name", [MANIFEST, EDGE, CLOUD, TABLES])
def test_any_missing_file_is_named(make_bundle, name):
    path = make_bundle("features").path
    (path / name).unlink()
    with pytest.raises(UserError, match=name):
        Bundle.open(path)


def test_a_missing_folder_or_a_file_is_no_bundle(tmp_path):
    (tmp_path / "file").write_text("")
    for name in ("nothing", "file"):
        with pytest.raises(UserError, match="no bundle"):
            Bundle.open(tmp_path / name)


@pytest.mark.parametrize(("number", "remedy"), [(FORMAT + 1, "update it"), (1, "export the bundle again")])
def test_another_format_says_so(make_bundle, number, remedy):
    bundle = make_bundle("edge")
    other = replace(bundle.manifest, format=number)
    (bundle.path / MANIFEST).write_text(other.to_json())
    with pytest.raises(UserError, match=f"format {number}.*{remedy}"):
        Bundle.open(bundle.path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "1"}', '{"format": 1}', "\x00", "null"])
def test_a_manifest_that_is_none_is_refused(make_bundle, text):
    path = make_bundle("edge").path
    (path / MANIFEST).write_text(text)
    with pytest.raises(UserError, match="cannot use bundle"):
        Bundle.open(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "cloud"},
        {"image_size": (32,)},
        {"kind": "features", "bits": 9},
        {"kind": "features", "symbol_shapes": ()},
        {"files": {}},
        {"image_size": (0, 32)},
        {"kind": "gated"},
        {"kind": "gated", "gate": {"threshold": 0.5, "routes": ["edge", "balloon"]}},
        {"kind": "gated", "gate": {"threshold": "low", "routes": ["edge", "features"]}},
        {"kind": "gated", "gate": {"threshold": 10**400, "routes": ["edge", "features"]}},
        {"kind": "gated", "gate": {"threshold": float("nan"), "routes": ["edge", "features"]}},
        {"kind": "gated", "gate": {"threshold": True, "routes": ["edge", "features"]}},
        {"gate": [1]},
        {"gate": None},
        {"gate": {"threshold": 0.5, "routes": ["edge", "features"]}},
        {"kind": "edge"},
    ],
)
def test_fields_that_make_no_sense_are_refused(make_bundle, changes):
    bundle = make_bundle("features")
    (bundle.path / MANIFEST).write_text(replace(bundle.manifest, **changes).to_json())
    with pytest.raises(UserError):
        Bundle.open(bundle.path)


def test_a_manifest_cannot_name_files_outside_the_bundle(make_bundle):
    bundle = make_bundle("edge")
    content = json.loads(bundle.manifest.to_json())
    entry = content["files"][EDGE]
    wrong = replace(bundle.manifest, files={EDGE: bundle.manifest.files[EDGE], "../x": bundle.manifest.files[EDGE]})
    assert entry["bytes"] > 0
    (bundle.path / MANIFEST).write_text(wrong.to_json())
    with pytest.raises(UserError, match="outside"):
        Bundle.open(bundle.path)


def test_a_bundle_is_replaced_but_nothing_else_is_overwritten(make_bundle, tmp_path):
    first = make_bundle("edge")
    assert make_bundle("edge").manifest == first.manifest
    for name in ("mine.txt", EDGE):
        (tmp_path / "edge" / "mine.txt").unlink(missing_ok=True)
        (tmp_path / "edge" / "mine.txt").write_text("keep")
        with pytest.raises(UserError, match="choose another"):
            make_bundle("edge")
        assert (tmp_path / "edge" / "mine.txt").read_text() == "keep", name


def test_a_failed_export_leaves_the_old_bundle_and_no_litter(make_bundle, tmp_path):
    old = make_bundle("edge")

    def fails(folder):
        (folder / EDGE).write_bytes(b"half")
        raise RuntimeError("full")

    with pytest.raises(RuntimeError):
        Bundle.write(old.path, old.manifest, fails)
    assert Bundle.open(old.path).manifest == old.manifest
    assert [entry.name for entry in tmp_path.iterdir()] == ["edge"]


def test_a_full_disk_is_one_line_and_leaves_nothing(make_bundle, tmp_path):
    old = make_bundle("edge")

    def full(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(UserError, match="No space left"):
        Bundle.write(tmp_path / "new", old.manifest, full)
    assert [entry.name for entry in tmp_path.iterdir()] == ["edge"]


def test_tables_that_do_not_fit_the_symbols_are_refused(make_bundle):
    bundle = make_bundle("features")
    wrong = replace(bundle, manifest=replace(bundle.manifest, bits=3))
    with pytest.raises(UserError, match="do not fit"):
        wrong.codecs()
