"""What every public transform of images promises, whichever there are."""

import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import InvertibleTransform, MapTransform
from torch.utils.data import default_collate

from monai_gan_aug import transforms

ARGUMENTS = {
    "BodyCrop": {"threshold": 0.5},
    "CenterSquareCrop": {},
    "ClipHU": {"low": 0.2, "high": 0.8},
    "Letterbox": {"size": 6},
    "MultiWindow": {"windows": ["brain", (1, 3)]},
    "ResizeArea": {"height": 5, "width": 4},
    "ScalePercentile": {"lower": 10, "upper": 90},
    "ToGrey": {},
    "ToRGB": {},
    "WindowIntensity": {"center": 1, "width": 2},
}
OTHERS = {"PreprocessingRecipe", "LoadMedicalImage", "LoadMedicalImaged"}
ARRAY = sorted(
    name for name in set(transforms.__all__) - OTHERS if name + "d" in transforms.__all__
)
every = pytest.mark.parametrize("name", ARRAY)


def array_transform(name):
    return getattr(transforms, name)(**ARGUMENTS[name])


def twin(name, keys="image", **more):
    return getattr(transforms, name + "d")(keys, **ARGUMENTS[name], **more)


def image():
    values = np.random.default_rng(0).random((1, 9, 12), dtype=np.float32)
    values[:, 2:7, 3:11] += 0.5
    return values


def test_every_transform_is_examined_and_has_its_twin():
    assert set(ARRAY) == set(ARGUMENTS)
    assert set(transforms.__all__) - OTHERS == {name + end for name in ARRAY for end in ("", "d")}


def test_names_that_are_not_there_are_refused():
    with pytest.raises(AttributeError, match="LetterBox"):
        transforms.LetterBox  # noqa: B018


def test_the_chapter_imports_no_transform_before_it_is_named():
    code = "import sys, monai_gan_aug.transforms; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@every
def test_numpy_torch_and_metatensor_give_the_same_values_in_their_kind(name):
    transform = array_transform(name)
    of_array = transform(image())
    of_tensor = transform(torch.from_numpy(image()))
    of_meta = transform(MetaTensor(torch.from_numpy(image())))
    assert (type(of_array), type(of_tensor), type(of_meta)) == (
        np.ndarray,
        torch.Tensor,
        MetaTensor,
    )
    assert torch.equal(of_meta.as_tensor(), of_tensor)
    np.testing.assert_allclose(of_tensor.numpy(), of_array, atol=1e-5)


@every
def test_twin_does_to_its_keys_what_the_array_class_does(name):
    data = {"image": image(), "other": image(), "label": 1}
    out = twin(name)(data)
    np.testing.assert_array_equal(out["image"], array_transform(name)(image()))
    assert out["other"] is data["other"]
    assert out["label"] == 1


@every
def test_inputs_are_kept(name):
    values, tensor = image(), MetaTensor(torch.from_numpy(image()))
    affine = tensor.affine.clone()
    data = {"image": tensor}
    transform = twin(name)
    transform.inverse(transform(data))
    array_transform(name)(values)
    np.testing.assert_array_equal(values, image())
    assert set(data) == {"image"}
    assert torch.equal(tensor.as_tensor(), torch.from_numpy(image()))
    assert torch.equal(tensor.affine, affine)
    assert tensor.applied_operations == []


@every
def test_inverse_restores_shape_and_place_of_every_key(name):
    affine = torch.diag(torch.tensor([0.5, 2.0, 1.0, 1.0], dtype=torch.float64))
    sample = {key: MetaTensor(torch.from_numpy(image()), affine=affine) for key in ("image", "b")}
    transform = twin(name, ["image", "b"])
    out = transform(sample)
    assert [step["class"] for step in out["image"].applied_operations] == [name]
    back = transform.inverse(out)
    assert set(back) == {"image", "b"}
    for key in sample:
        assert back[key].shape == sample[key].shape
        torch.testing.assert_close(back[key].affine, affine)
        assert back[key].applied_operations == []


@every
def test_instances_survive_pickling_after_use(name):
    for transform, data in ((array_transform(name), image()), (twin(name), {"image": image()})):
        transform(data)
        again = pickle.loads(pickle.dumps(transform))
        first, second = transform(data), again(data)
        if isinstance(first, dict):
            first, second = first["image"], second["image"]
        np.testing.assert_array_equal(first, second)


@every
def test_missing_keys_are_refused_or_skipped(name):
    keys = ["image", "absent"]
    with pytest.raises(KeyError, match="absent"):
        twin(name, keys)({"image": image()})
    assert "absent" not in twin(name, keys, allow_missing_keys=True)({"image": image()})


@every
def test_records_can_be_collated(name):
    out = array_transform(name)(MetaTensor(torch.from_numpy(image())))
    for details in (step["extra_info"] for step in out.applied_operations):
        default_collate([details, details])


@every
def test_classes_follow_the_house(name):
    wrapped, plain = getattr(transforms, name + "d"), getattr(transforms, name)
    assert issubclass(plain, InvertibleTransform)
    assert issubclass(wrapped, InvertibleTransform)
    assert issubclass(wrapped, MapTransform)
    assert wrapped.backend == plain.backend
    module = sys.modules[plain.__module__]
    assert getattr(module, name + "D") is getattr(module, name + "Dict") is wrapped
    of_plain = set(inspect.signature(plain).parameters)
    assert set(inspect.signature(wrapped).parameters) == of_plain | {"keys", "allow_missing_keys"}
    for documented, parameters in ((plain, of_plain), (wrapped, {*of_plain, "keys"})):
        assert all(f"        {parameter}:" in documented.__doc__ for parameter in parameters)
