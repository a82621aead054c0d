"""The conversion table of raster images, against Pillow and by hand."""

import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from monai_gan_aug.errors import ImageReadError
from monai_gan_aug.io.image import ReadLimits, Units
from monai_gan_aug.io.reading import read_image
from monai_gan_aug.transforms.recipe import PreprocessingRecipe

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (6, 8), dtype=np.uint8)


@pytest.fixture
def save(tmp_path):
    def write(picture, name="x.png", **settings):
        picture.save(tmp_path / name, **settings)
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.bmp"])
def test_grey_and_colour_are_kept(save, name):
    grey, colour = (read_image(save(Image.fromarray(a), name)).pixels for a in (GREY, COLOUR))
    save(Image.fromarray(GREY), name)
    np.testing.assert_array_equal(grey, GREY[None])
    np.testing.assert_array_equal(colour, np.moveaxis(COLOUR, -1, 0))


@pytest.mark.parametrize("name", ["x.png", "x.tif"])
def test_sixteen_bits_are_kept(save, name):
    values = RNG.integers(0, 65536, (6, 8), dtype=np.uint16)
    image = read_image(save(Image.fromarray(values), name))
    assert (image.units, image.pixels.dtype) == (Units.DISPLAY16, np.uint16)
    np.testing.assert_array_equal(image.pixels[0], values)


def test_one_bit_becomes_black_and_white(save):
    image = read_image(save(Image.fromarray(GREY > 127)))
    np.testing.assert_array_equal(image.pixels[0], np.where(GREY > 127, 255, 0))


def test_palette_becomes_colour(save):
    picture = Image.fromarray(COLOUR).quantize(16)
    expected = np.moveaxis(np.asarray(picture.convert("RGB")), -1, 0)
    np.testing.assert_array_equal(read_image(save(picture)).pixels, expected)


def test_cmyk_becomes_colour(save):
    picture = Image.fromarray(COLOUR).convert("CMYK")
    expected = np.moveaxis(np.asarray(picture.convert("RGB")), -1, 0)
    np.testing.assert_array_equal(read_image(save(picture, "x.tif")).pixels, expected)


def test_opaque_alpha_changes_nothing(save):
    picture = Image.fromarray(COLOUR).convert("RGBA")
    expected = np.moveaxis(COLOUR, -1, 0)
    np.testing.assert_array_equal(read_image(save(picture)).pixels, expected)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_laid_on_black(save, mode):
    bands = np.full((2, 2, len(mode)), 200, np.uint8)
    bands[..., -1] = [[0, 51], [102, 255]]
    image = read_image(save(Image.fromarray(bands, mode)))
    assert image.pixels.shape == (len(mode) - 1, 2, 2)
    np.testing.assert_array_equal(image.pixels[0], [[0, 40], [80, 200]])


def test_transparent_palette_entry_is_laid_on_black(save):
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 255, 255, 255])
    image = read_image(save(picture, transparency=1))
    assert image.pixels.shape == (3, 4, 4)
    assert image.pixels.max() == 0


def test_floating_point_tiff_is_native(save):
    values = RNG.normal(size=(6, 8)).astype(np.float32)
    image = read_image(save(Image.fromarray(values), "x.tif"))
    assert image.units is Units.NATIVE
    np.testing.assert_array_equal(image.pixels[0], values)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_white_is_zero_is_inverted(save, kind):
    values = RNG.integers(0, 256, (6, 8)).astype(kind)
    path = save(Image.fromarray(values), "x.tif")
    photometric = b"\x06\x01\x03\x00\x01\x00\x00\x00"
    content = path.read_bytes()
    path.write_bytes(content.replace(photometric + b"\x01", photometric + b"\x00"))
    np.testing.assert_array_equal(read_image(path).pixels[0], np.iinfo(kind).max - values)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_applied(save, orientation):
    large = np.kron(GREY, np.ones((16, 16), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = {
        1: large,
        2: large[:, ::-1],
        3: large[::-1, ::-1],
        4: large[::-1],
        5: large.T,
        6: np.rot90(large, -1),
        7: large[::-1, ::-1].T,
        8: np.rot90(large),
    }[orientation]
    path = save(Image.fromarray(large), "x.jpg", exif=exif, quality=100)
    got = read_image(path).pixels[0].astype(int)
    assert got.shape == upright.shape
    assert np.abs(got - upright).max() <= 3


def test_name_does_not_matter(save):
    path = save(Image.fromarray(COLOUR), "x.png", format="JPEG")
    assert read_image(path).pixels.shape == (3, 6, 8)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "BMP"])
@pytest.mark.parametrize("cut", [0.3, 0.7, 0.95, -2])
def test_truncated_file_is_refused(tmp_path, form, cut):
    stream = BytesIO()
    Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(stream, format=form)
    content = stream.getvalue()
    path = tmp_path / "cut"
    path.write_bytes(content[: cut if cut < 0 else int(len(content) * cut)])
    if form == "TIFF" and cut == -2 and content[4:8] != b"\x08\x00\x00\x00":
        pytest.skip("this Pillow writes the directory last, where two bytes are padding")
    with pytest.raises(ImageReadError, match="cut"):
        read_image(path)


@pytest.mark.parametrize("part", [b"IHDR", b"IDAT", b"IEND"])
def test_wrong_checksum_is_refused(save, part):
    path = save(Image.fromarray(COLOUR))
    content = bytearray(path.read_bytes())
    start = content.index(part)
    end = start + 4 + int.from_bytes(content[start - 4 : start], "big")
    content[end] ^= 1
    path.write_bytes(content)
    with pytest.raises(ImageReadError, match="damaged"):
        read_image(path)


def chunk(kind, body):
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def test_huge_png_is_refused_before_it_is_decoded(tmp_path):
    header = (30000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    body = zlib.compress(bytes(30001 * 1000))
    path = tmp_path / "bomb.png"
    parts = chunk(b"IHDR", header), chunk(b"IDAT", body), chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    with pytest.raises(ImageReadError, match=r"bomb\.png"):
        read_image(path)


def test_pixel_limit_is_adjustable(save):
    path = save(Image.fromarray(GREY))
    with pytest.raises(ImageReadError, match="max_pixels"):
        read_image(path, limits=ReadLimits(max_pixels=47))


def test_several_pages_are_refused(save):
    page = Image.fromarray(GREY)
    with pytest.raises(ImageReadError, match="2 pages"):
        read_image(save(page, "x.tif", save_all=True, append_images=[page]))


def test_draft_decodes_less_and_means_the_same(save):
    smooth = Image.fromarray(COLOUR).resize((1024, 1024), Image.Resampling.BICUBIC)
    path = save(smooth, "x.jpg", quality=95)
    full, draft = read_image(path).pixels, read_image(path, target_size=64).pixels
    assert draft.shape == (3, 128, 128)
    means = full.reshape(3, 128, 8, 128, 8).mean(axis=(2, 4))
    assert np.abs(means - draft).mean() < 2


def test_draft_keeps_twice_the_target(save):
    path = save(Image.fromarray(np.zeros((200, 1000), np.uint8)), "x.jpg")
    assert min(read_image(path, target_size=64).pixels.shape[1:]) >= 128


@pytest.mark.parametrize("palette", [b"", chunk(b"PLTE", b"123456")], ids=["none", "short"])
def test_pixels_beyond_the_palette_are_refused(tmp_path, palette):
    header = (2).to_bytes(4, "big") + (1).to_bytes(4, "big") + bytes([8, 3, 0, 0, 0])
    body = chunk(b"IDAT", zlib.compress(bytes([0, 0, 5])))
    path = tmp_path / "x.png"
    parts = b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), palette, body, chunk(b"IEND", b"")
    path.write_bytes(b"".join(parts))
    with pytest.raises(ImageReadError, match="palette"):
        read_image(path)


@pytest.mark.parametrize(
    ("size", "target", "reduced"),
    [
        ((1024, 1024), 64, True),
        ((2048, 1024), 64, True),
        ((1024, 768), 64, False),
        ((1000, 1000), 64, False),
        ((512, 512), 64, False),
        ((512, 512), 32, True),
        ((1024, 1024), None, False),
    ],
)
def test_draft_only_where_every_target_pixel_is_made_of_whole_blocks(save, size, target, reduced):
    path = save(Image.new("RGB", size), "x.jpg")
    found = read_image(path, target_size=target).pixels.shape
    assert (found != (3, size[1], size[0])) == reduced


@pytest.mark.parametrize("quality", [60, 90])
def test_draft_changes_the_area_means_of_a_photograph_by_three_levels_at_most(save, quality):
    coarse = Image.fromarray(RNG.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    path = save(coarse.resize((1024, 1024), Image.Resampling.BICUBIC), "x.jpg", quality=quality)
    recipe = PreprocessingRecipe(size=64, channels=3)
    full, draft = (recipe(read_image(path, target_size=t)).astype(int) for t in (None, 64))
    assert np.abs(full - draft).mean() < 0.5
    assert np.abs(full - draft).max() <= 3
