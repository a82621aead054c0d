"""Names of images never lead out of the data root."""

import pytest

from monai_gan_aug.errors import DataError
from monai_gan_aug.io.names import printable, resolve_inside


def test_finds_files_below_the_root(tmp_path):
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "1.png").touch()
    assert resolve_inside(tmp_path, "a b/1.png").is_file()


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../x", "a/../../x", "a\0b"])
def test_refuses_names_that_lead_out(tmp_path, name):
    with pytest.raises(DataError, match="root"):
        resolve_inside(tmp_path / "root", name)


def test_refuses_links_that_lead_out(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").touch()
    (root / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match="out of the data root"):
        resolve_inside(root, "link")


def test_refuses_links_in_a_circle(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(DataError, match=r"loop|root"):
        resolve_inside(tmp_path, "a/c")


def test_follows_links_inside(tmp_path):
    (tmp_path / "real.png").touch()
    (tmp_path / "link.png").symlink_to("real.png")
    assert resolve_inside(tmp_path, "link.png").name == "real.png"


def test_bytes_that_are_no_text_can_be_printed():
    assert printable(b"a\xff.png".decode("utf-8", "surrogateescape")).encode()
