import numpy as np
import pytest
from PIL import Image

from deploy.errors import UserError
from deploy.preprocess import model_input, open_picture, to_picture


def half_white(mode: str) -> Image.Image:
    """Return a 20 x 10 picture, white on its right half."""
    pixels = np.zeros((10, 20), dtype=np.uint8)
    pixels[:, 10:] = 255
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize(
    ("mode", "ending"),
    [("1", "png"), ("L", "png"), ("P", "png"), ("RGB", "jpg"), ("CMYK", "jpg"), ("YCbCr", "jpg"), ("RGB", "webp")],
)
def test_every_mode_becomes_the_same_rgb(tmp_path, mode, ending):
    path = tmp_path / f"picture.{ending}"
    half_white(mode).save(path)
    pixels = np.array(open_picture(path)).astype(int)
    assert pixels.shape == (10, 20, 3)
    assert abs(pixels[:, :6]).max() < 12
    assert abs(pixels[:, 14:] - 255).max() < 12


@pytest.mark.parametrize("top", [65535, 4000])
def test_sixteen_bits_are_scaled_not_clipped(tmp_path, top):
    Image.fromarray(np.full((4, 4), top, dtype=np.uint16)).save(tmp_path / "deep.png")
    assert np.array(open_picture(tmp_path / "deep.png"))[0, 0, 0] == round(top / 257)


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_float_pictures_are_scaled_by_their_range(tmp_path, top):
    Image.fromarray(np.full((4, 4), top, dtype=np.float32)).save(tmp_path / "float.tiff")
    assert np.array(open_picture(tmp_path / "float.tiff"))[0, 0, 0] == 255


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_shows_white(tmp_path, mode):
    picture = half_white(mode)
    picture.putalpha(0)
    picture.save(tmp_path / "clear.png")
    assert (np.array(open_picture(tmp_path / "clear.png")) == 255).all()


def test_a_transparent_palette_shows_white(tmp_path):
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([255, 0, 0] * 256)
    picture.save(tmp_path / "clear.gif", transparency=0)
    assert (np.array(open_picture(tmp_path / "clear.gif")) == 255).all()


def test_exif_orientation_turns_the_picture_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    half_white("RGB").save(tmp_path / "turned.jpg", exif=exif)
    upright = open_picture(tmp_path / "turned.jpg")
    assert upright.size == (10, 20)
    assert np.array(upright)[2].max() < 12


def test_the_models_input_has_its_size_and_a_picture_of_that_size_is_untouched():
    picture = half_white("RGB")
    assert model_input(picture, (32, 48)).shape == (32, 48, 3)
    assert np.array_equal(model_input(picture, (10, 20)), np.array(picture))


def test_boxes_go_back_to_the_picture():
    boxes = to_picture(np.array([[0, 0, 48, 96]], dtype=np.float32), (96, 96), (192, 48))
    np.testing.assert_allclose(boxes, [[0, 0, 96, 48]])


def test_what_is_no_picture_is_refused(tmp_path):
    with pytest.raises(UserError, match="no picture"):
        open_picture(tmp_path / "none.jpg")
    half_white("RGB").save(tmp_path / "whole.png")
    content = (tmp_path / "whole.png").read_bytes()
    for broken in (b"", b"text", content[:20], content[:50]):
        (tmp_path / "broken.png").write_bytes(broken)
        with pytest.raises(UserError, match="cannot read"):
            open_picture(tmp_path / "broken.png")
    with pytest.raises(UserError):
        open_picture(tmp_path)
