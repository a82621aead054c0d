"""Random transforms of single images: the batches' mathematics, seeds, places, ways back."""

import inspect
import pickle
import sys

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor, decollate_batch, set_track_meta
from monai.transforms import Compose, EnsureTyped, Invertd, InvertibleTransform, Randomizable

from monai_gan_aug import augmentation
from monai_gan_aug.augmentation import (
    AdaptiveAugment,
    ClassicalAugmentation,
    DiffAugment,
    RandAdaptiveAugment,
    RandAdaptiveAugmentd,
    RandClassicalAugmentation,
    RandDiffAugment,
    RandDiffAugmentd,
    RandGeometricAugmentation,
    RandGeometricAugmentationd,
    RandIntensityAugmentation,
)
from monai_gan_aug.augmentation.geometric import RandomAffine, warp
from monai_gan_aug.augmentation.intensity import RandomIntensity
from monai_gan_aug.augmentation.operations import StateSource
from monai_gan_aug.augmentation.single_images import RandomAugmentation
from tests.drawing.placed_images import assert_in_place, draw_coordinates

ARGUMENTS = {
    "RandAdaptiveAugment": {"probability": 0.9},
    "RandClassicalAugmentation": {"strength": "strong", "flips": "both"},
    "RandDiffAugment": {},
    "RandGeometricAugmentation": {"degrees": 20, "zoom": 1.2, "shift": 0.1, "flips": "both"},
    "RandIntensityAugmentation": {"contrast": 1.5, "brightness": 0.2, "noise": 0.1},
}
every = pytest.mark.parametrize("name", sorted(ARGUMENTS))


def array_transform(name, seed=0, **more):
    transform = getattr(augmentation, name)(**ARGUMENTS[name], **more)
    return transform.set_random_state(seed)


def twin(name, keys="image", seed=0, **more):
    transform = getattr(augmentation, name + "d")(keys, **ARGUMENTS[name], **more)
    return transform.set_random_state(seed)


def image(channels=3, height=12, width=16, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(channels, height, width, generator=rng) * 1.6 - 0.8


@pytest.fixture
def batches_draw_from(monkeypatch):
    """Let torch's random functions draw what MONAI's random state of a seed would."""

    def patch(seed):
        source = StateSource(np.random.RandomState(seed))
        source.state.rand()  # whether to augment at all, which a batch does not ask
        cpu = torch.device("cpu")

        def rand(*shape, generator=None, device=None, dtype=None):
            return source.uniform(*shape, device=cpu, dtype=dtype)

        def randn(*shape, device=None, dtype=None):
            return source.normal(*shape, device=cpu, dtype=dtype)

        def randint(high, shape, device=None):
            return source.integers(high, *shape, device=cpu)

        for name, function in (("rand", rand), ("randn", randn), ("randint", randint)):
            monkeypatch.setattr(torch, name, function)

    return patch


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("single", "batched"),
    [
        (RandDiffAugment(), DiffAugment()),
        (RandDiffAugment("cutout,translation"), DiffAugment("cutout,translation")),
        (RandAdaptiveAugment(0.7), AdaptiveAugment(probability=0.7)),
        (RandClassicalAugmentation("light", "both"), ClassicalAugmentation("light", flips="both")),
    ],
    ids=lambda augment: type(augment).__name__,
)
def test_batch_of_one_is_changed_as_the_single_image(
    single, batched, channels, seed, batches_draw_from
):
    values = image(channels)
    got = single.set_random_state(seed)(values)
    batches_draw_from(seed)
    assert torch.equal(got, batched(values[None])[0])


def test_drawn_geometry_is_that_of_the_batch():
    augment = array_transform("RandGeometricAugmentation")
    got = augment(image())
    assert torch.equal(got, warp(image()[None], augment._drawn[0])[0])
    assert augment.law == RandomAffine(20, 1.2, 0.1, "both")


def test_drawn_noise_is_added_as_to_a_batch():
    augment = array_transform("RandIntensityAugmentation")
    got = augment(image())
    settings, noise = augment._drawn[0]
    batch = image().expand(4, -1, -1, -1)
    expected = RandomIntensity(1.5, 0.2, 0.1).apply(
        batch, settings.expand(3, 4), noise.expand(4, -1, -1, -1)
    )
    torch.testing.assert_close(got.expand_as(batch), expected)


def test_every_random_transform_is_examined_and_has_its_twin():
    random = {name for name in augmentation.__all__ if name.startswith("Rand")}
    assert random == {name + end for name in ARGUMENTS for end in ("", "d")}
    with pytest.raises(AttributeError, match="RandNothing"):
        augmentation.RandNothing  # noqa: B018


@every
def test_numpy_torch_and_metatensor_give_the_same_values_in_their_kind(name):
    values = image()
    of_array = array_transform(name)(values.numpy())
    of_tensor = array_transform(name)(values)
    of_meta = array_transform(name)(MetaTensor(values))
    assert [type(out) for out in (of_array, of_tensor, of_meta)] == [
        np.ndarray,
        torch.Tensor,
        MetaTensor,
    ]
    assert torch.equal(of_tensor, of_meta.as_tensor())
    np.testing.assert_array_equal(of_array, of_tensor.numpy())
    assert of_tensor.dtype == torch.float32
    assert not torch.equal(of_tensor, values)


@every
def test_same_seed_gives_the_same_sequence_and_others_another(name):
    first, second, other = (array_transform(name, seed) for seed in (1, 1, 2))
    torch.rand(7)
    np.random.rand(7)
    sequences = [[augment(image()) for _ in range(4)] for augment in (first, second, other)]
    assert all(map(torch.equal, sequences[0], sequences[1]))
    assert not all(map(torch.equal, sequences[0], sequences[2]))
    assert not torch.equal(sequences[0][0], sequences[0][1])


@every
def test_global_generator_is_left_alone(name):
    before = torch.get_rng_state()
    array_transform(name)(image())
    assert torch.equal(torch.get_rng_state(), before)


@every
def test_compose_sets_the_seed_of_both_classes(name):
    for make, data in ((array_transform, image()), (twin, {"image": image()})):
        first, second = (Compose([make(name, seed=seed)]) for seed in (1, 2))
        for pipeline in (first, second):
            pipeline.set_random_state(5)
        from_first, from_second = first(data), second(data)
        if isinstance(from_first, dict):
            from_first, from_second = from_first["image"], from_second["image"]
        assert torch.equal(from_first, from_second)


@every
def test_a_draw_can_be_applied_again(name):
    augment = array_transform(name)
    assert torch.equal(augment(image()), augment(image(), randomize=False))


@every
def test_inputs_are_kept(name):
    values = MetaTensor(image())
    affine = values.affine.clone()
    data = {"image": values}
    augment = twin(name)
    augment.inverse(augment(data))
    assert torch.equal(values.as_tensor(), image())
    assert torch.equal(values.affine, affine)
    assert values.applied_operations == []
    array = image().numpy()
    array.setflags(write=False)
    array_transform(name)(array[:, ::-1])
    np.testing.assert_array_equal(array, image().numpy())


@every
def test_probability_nothing_changes_nothing_but_is_recorded(name):
    augment = array_transform(name, prob=0.0)
    values = MetaTensor(image())
    out = augment(values)
    assert torch.equal(out.as_tensor(), values.as_tensor())
    assert [step["do_transforms"] for step in out.applied_operations] == [False]
    back = augment.inverse(out)
    assert back.applied_operations == []
    assert torch.equal(back.as_tensor(), values.as_tensor())


def test_images_are_augmented_with_the_chance_that_was_asked_for():
    augment = RandIntensityAugmentation(brightness=0.5, prob=0.3).set_random_state(0)
    changed = [not torch.equal(augment(image()), image()) for _ in range(500)]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.06)


@every
def test_keys_share_one_draw(name):
    out = twin(name, ["image", "second"])({"image": image(), "second": image(), "label": 1})
    assert torch.equal(out["image"], out["second"])
    assert torch.equal(out["image"], array_transform(name)(image()))
    assert out["label"] == 1


@every
def test_missing_keys_are_refused_or_skipped(name):
    keys = ["absent", "image"]
    with pytest.raises(KeyError, match="absent"):
        twin(name, keys)({"image": image()})
    out = twin(name, keys, allow_missing_keys=True)({"image": image()})
    assert set(out) == {"image"}
    assert twin(name, keys, allow_missing_keys=True)({"label": 1}) == {"label": 1}


def test_keys_of_several_shapes_are_refused():
    with pytest.raises(ValueError, match="must have the shape"):
        twin("RandDiffAugment", ["a", "b"])({"a": image(1), "b": image(3)})


@every
def test_instances_survive_pickling_after_use(name):
    for augment, data in ((array_transform(name), image()), (twin(name), {"image": image()})):
        augment(data)
        again = pickle.loads(pickle.dumps(augment))
        first, second = augment(data), again(data)
        if isinstance(first, dict):
            first, second = first["image"], second["image"]
        assert torch.equal(first, second)


@every
def test_classes_follow_the_house(name):
    wrapped, plain = getattr(augmentation, name + "d"), getattr(augmentation, name)
    for kind in (plain, wrapped):
        assert issubclass(kind, Randomizable)
        assert issubclass(kind, InvertibleTransform)
    module = sys.modules[plain.__module__]
    assert getattr(module, name + "D") is getattr(module, name + "Dict") is wrapped
    parameters = set(inspect.signature(plain).parameters)
    assert set(inspect.signature(wrapped).parameters) == parameters | {"keys", "allow_missing_keys"}
    for documented in (plain, wrapped):
        assert all(f"        {parameter}:" in documented.__doc__ for parameter in parameters)


class PoseOnly(RandAdaptiveAugment):
    """What moves in adaptive augmentation, so that values tell where they come from."""

    def operations(self, channels):
        return super().operations(channels)[:1]


class Twice(RandomAugmentation):
    """Two moves in a row that do not commute."""

    def operations(self, channels):
        turn, shift = RandomAffine(degrees=90), RandomAffine(shift=0.2)
        return [turn.operation, shift.operation]


MOVES = [
    RandGeometricAugmentation(degrees=30, zoom=1.3, shift=0.1, flips="both"),
    RandDiffAugment("translation"),
    PoseOnly(0.8),
]


def name_of(transform):
    return type(transform).__name__


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [(24, 24), (20, 33)])
@pytest.mark.parametrize("move", MOVES, ids=name_of)
def test_every_pixel_stays_at_its_place_in_the_world(move, size, seed):
    moved = move.set_random_state(seed)(draw_coordinates(*size))
    assert_in_place(moved, size)


@pytest.mark.parametrize("seed", range(6))
def test_places_stay_true_after_two_moves(seed):
    moved = Twice().set_random_state(seed)(draw_coordinates(32, 32))
    middle = moved[:, 12:20, 12:20]  # nothing there came from outside of the frame in between
    world = moved.affine.numpy() @ [[15.0], [15.0], [0.0], [1.0]]
    np.testing.assert_allclose(middle[:, 3, 3].numpy(), world[:3, 0], atol=2e-3)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("move", [*MOVES, Twice()], ids=name_of)
def test_inverse_moves_back_to_place_and_affine(move, seed):
    image = draw_coordinates(20, 33)
    moved = move.set_random_state(seed)(image)
    back = move.inverse(moved)
    assert back.shape == image.shape
    assert back.applied_operations == []
    torch.testing.assert_close(back.affine, image.affine)
    # What never left the frame is where it was; the rest was filled.
    mask = MetaTensor(torch.ones(1, 20, 33), meta=moved.meta)
    mask.applied_operations = list(moved.applied_operations)
    kept = move.inverse(mask).as_tensor()[0] > 0.999
    interior = torch.zeros_like(kept)
    interior[6:-6, 10:-10] = kept[6:-6, 10:-10]
    torch.testing.assert_close(
        back.as_tensor()[:, interior], image.as_tensor()[:, interior], atol=0.05, rtol=0
    )


def test_flips_are_undone_exactly():
    flip = RandGeometricAugmentation(flips="both").set_random_state(3)
    for _ in range(8):
        values = MetaTensor(image())
        torch.testing.assert_close(
            flip.inverse(flip(values)).as_tensor(), values.as_tensor(), atol=1e-5, rtol=0
        )


def test_labels_return_by_nearest_values_and_keep_their_type():
    pipeline = Compose([EnsureTyped("image"), RandGeometricAugmentationd("image", degrees=20)])
    out = pipeline.set_random_state(1)({"image": image().numpy()})
    out["pred"] = MetaTensor(torch.full((5, 12, 16), 7, dtype=torch.uint8))
    back = Invertd("pred", pipeline, orig_keys="image")(out)["pred"]
    assert back.dtype == torch.uint8
    assert set(back.unique().tolist()) <= {0, 7}
    assert (back[:, 3:9, 4:12] == 7).all()


@pytest.mark.parametrize("workers", [0, 2])
def test_works_with_loader_workers_decollating_and_inverting(workers):
    pipeline = Compose(
        [
            EnsureTyped("image"),
            RandGeometricAugmentationd("image", degrees=10, flips="horizontal"),
            RandAdaptiveAugmentd("image", 0.3),
            RandDiffAugmentd("image", "translation"),
        ]
    ).set_random_state(0)
    samples = [{"image": torch.full((1, 12, 16), number / 8).numpy()} for number in range(8)]
    loader = DataLoader(Dataset(samples, pipeline), batch_size=4, num_workers=workers)
    images = []
    for batch in loader:
        for sample in decollate_batch(batch):
            images.append(sample["image"])
            back = pipeline.inverse(sample)["image"]
            assert back.shape == (1, 12, 16)
            torch.testing.assert_close(back.affine, torch.eye(4, dtype=torch.float64))
    assert (
        len({step["extra_info"]["matrix"][2] for i in images for step in i.applied_operations}) > 8
    )


@every
def test_plain_image_is_refused_rather_than_returned_as_it_is(name):
    augment = array_transform(name)
    with pytest.raises(ValueError, match="does not remember"):
        augment.inverse(augment(image()))


def test_image_of_another_size_or_history_is_refused():
    augment = array_transform("RandGeometricAugmentation")
    moved = augment(MetaTensor(image()))
    with pytest.raises(ValueError, match="must have the size"):
        augment.inverse(moved[:, :-1])
    with pytest.raises(RuntimeError, match="RandGeometricAugmentation"):
        array_transform("RandGeometricAugmentation").inverse(moved)


@every
@pytest.mark.parametrize("values", [torch.zeros(4, 4), torch.zeros(2, 1, 4, 4)])
def test_other_shapes_are_refused(name, values):
    with pytest.raises(ValueError, match=r"\(C, H, W\)"):
        array_transform(name)(values)


@every
def test_integers_are_refused(name):
    with pytest.raises(TypeError, match="floating point"):
        array_transform(name)(torch.zeros(1, 4, 4, dtype=torch.uint8))


@pytest.mark.parametrize("arguments", [{"prob": 1.5}, {"prob": -0.1}, {"probability": 2.0}])
def test_chances_must_be_chances(arguments):
    with pytest.raises(ValueError, match="got"):
        RandAdaptiveAugment(**arguments)


def test_gradients_reach_the_image():
    values = image().requires_grad_()
    RandDiffAugment().set_random_state(0)(values).square().sum().backward()
    assert values.grad.abs().sum() > 0


def test_strength_none_returns_the_image():
    augment = RandClassicalAugmentation("none", flips="both").set_random_state(0)
    assert all(torch.equal(augment(image()), image()) for _ in range(4))


def test_metadata_is_dropped_where_monai_does_not_track_it():
    try:
        set_track_meta(False)
        out = array_transform("RandGeometricAugmentation")(MetaTensor(image()))
    finally:
        set_track_meta(True)
    assert type(out) is torch.Tensor


def test_draws_follow_their_laws():
    source = StateSource(np.random.RandomState(0))
    cpu = torch.device("cpu")
    uniform, normal = source.uniform(20_000, device=cpu), source.normal(20_000, device=cpu)
    integers = source.integers(5, 20_000, device=cpu)
    assert 0 <= uniform.min() < 0.001
    assert 0.999 < uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.01)
    assert normal.mean() == pytest.approx(0, abs=0.03)
    assert normal.std() == pytest.approx(1, abs=0.03)
    assert torch.bincount(integers).min() > 3700
    assert source.uniform(2, device=cpu, dtype=torch.float64).dtype == torch.float64
