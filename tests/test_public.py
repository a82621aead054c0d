"""What ``import monai_gan_aug`` offers, and that it costs nothing before it is used."""

import inspect
import subprocess
import sys

import pytest

import monai_gan_aug
import monai_gan_aug.augmentation
import monai_gan_aug.transforms

OFFERING = (monai_gan_aug, monai_gan_aug.augmentation, monai_gan_aug.transforms)


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module in OFFERING for name in module.__all__],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_every_name_is_there_and_documented(module, name):
    assert name in dir(module)
    assert inspect.getdoc(getattr(module, name))


def test_a_newcomer_can_overlook_the_names():
    assert 20 <= len(monai_gan_aug.__all__) <= 30


def test_an_unknown_name_is_none_of_them():
    with pytest.raises(AttributeError, match="Gone"):
        _ = monai_gan_aug.Gone


def test_importing_imports_nothing_heavy():
    code = "import sys, monai_gan_aug; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    roots = {name.split(".")[0] for name in done.stdout.split()}
    assert not roots & {"torch", "monai", "numpy", "ignite", "pydicom", "sklearn"}
