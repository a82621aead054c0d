"""Places and ways back: affines against the pixels, inverses alone, composed and by Invertd."""

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor, decollate_batch, set_track_meta
from monai.data.utils import affine_to_spacing
from monai.transforms import (
    Compose,
    EnsureTyped,
    Invertd,
    InvertibleTransform,
    Lambdad,
    Resize,
    SpatialCrop,
)

from monai_gan_aug.transforms import (
    BodyCrop,
    BodyCropd,
    CenterSquareCrop,
    CenterSquareCropd,
    ClipHU,
    ClipHUd,
    Letterbox,
    Letterboxd,
    MultiWindow,
    MultiWindowd,
    ResizeArea,
    ResizeAread,
    ScalePercentile,
    ScalePercentiled,
    ToGrey,
    ToGreyd,
    ToRGB,
    ToRGBd,
    WindowIntensity,
    WindowIntensityd,
)
from tests.drawing.placed_images import AFFINE, assert_in_place, draw_coordinates

SIZES = [(17, 30), (30, 17), (16, 16), (9, 40)]
MOVES = [
    ResizeArea(8, 13),
    ResizeArea(40, 64),
    ResizeArea(8, 64),
    Letterbox(12),
    Letterbox(64),
    CenterSquareCrop(),
    BodyCrop(threshold=300, margin=1),
]


def name(transform):
    if not isinstance(transform, InvertibleTransform):
        return None
    return f"{type(transform).__name__}-" + "-".join(str(v) for v in vars(transform).values())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("move", MOVES, ids=name)
def test_every_pixel_stays_at_its_place_in_the_world(move, size):
    moved = move(draw_coordinates(*size))
    assert isinstance(moved, MetaTensor)
    # A pixel that is shared out counts as flat, so its share is off by an eighth of it at most.
    assert_in_place(moved, size, atol=0.13)


@pytest.mark.parametrize(
    ("move", "size"),
    [
        (ResizeArea(4, 5), (16, 30)),
        (ResizeArea(40, 64), (17, 30)),
        (Letterbox(10), (20, 50)),
        (Letterbox(50), (20, 50)),
        (Letterbox(99), (20, 33)),
        (CenterSquareCrop(), (20, 33)),
    ],
    ids=name,
)
def test_places_are_exact_where_no_pixel_is_shared_out(move, size):
    assert_in_place(move(draw_coordinates(*size)), size)


@pytest.mark.parametrize("aspect", [0.5, 1.5, 3.75])
@pytest.mark.parametrize("move", [Letterbox(20), CenterSquareCrop()], ids=name)
def test_places_are_true_for_flat_pixels(move, aspect):
    moved = move(draw_coordinates(17, 30), aspect)
    assert_in_place(moved, (17, 30), atol=0.13)
    back = move.inverse(moved)
    assert back.shape == (3, 17, 30)
    torch.testing.assert_close(back.affine, AFFINE)


def test_letterbox_of_flat_pixels_makes_them_square():
    moved = Letterbox(64)(draw_coordinates(32, 24), aspect=0.4 / 1.5)
    height, width, _ = affine_to_spacing(moved.affine, 3).tolist()
    assert height == pytest.approx(width, rel=0.05)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("move", MOVES, ids=name)
def test_inverse_restores_shape_affine_and_record(move, size):
    image = draw_coordinates(*size)
    back = move.inverse(move(image))
    assert back.shape == image.shape
    assert back.applied_operations == []
    torch.testing.assert_close(back.affine, image.affine)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("move", [ResizeArea(41, 57), Letterbox(96)], ids=name)
def test_enlarging_is_undone_up_to_interpolation(move, size):
    rows, columns = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    smooth = torch.sin(rows / 9) * torch.cos(columns / 7)
    image = MetaTensor(smooth[None])
    torch.testing.assert_close(
        move.inverse(move(image)).as_tensor(), image.as_tensor(), atol=0.05, rtol=0
    )


@pytest.mark.parametrize("fill", [0.0, -1000.0])
@pytest.mark.parametrize("kind", [CenterSquareCrop, BodyCrop])
def test_cropped_image_is_padded_back(kind, fill):
    image = draw_coordinates(12, 30)
    crop = kind(fill=fill) if kind is CenterSquareCrop else kind(threshold=300, fill=fill)
    cropped = crop(image)
    assert cropped.shape != image.shape
    back = crop.inverse(cropped).as_tensor()
    kept = back == image.as_tensor()
    assert kept.all(0).sum() == cropped[0].numel()
    assert (back[~kept] == fill).all()


@pytest.mark.parametrize("new_size", [(8, 13), (40, 64), (17, 1)])
def test_resize_has_the_affine_of_monai(new_size):
    image = draw_coordinates(17, 30)
    expected = Resize(new_size, mode="bilinear", align_corners=False)(image)
    torch.testing.assert_close(ResizeArea(*new_size)(image).affine, expected.affine)


def test_crop_has_the_affine_of_monai():
    image = draw_coordinates(12, 30)
    expected = SpatialCrop(roi_start=(0, 9), roi_end=(12, 21))(image)
    got = CenterSquareCrop()(image)
    torch.testing.assert_close(got.affine, expected.affine)
    torch.testing.assert_close(got.as_tensor(), expected.as_tensor())


def test_volume_keeps_the_place_of_its_first_axis():
    volume = MetaTensor(torch.rand(1, 4, 12, 10), affine=torch.diag(torch.tensor([5.0, 1, 2, 1])))
    moved = ResizeArea(6, 5)(volume)
    expected = Resize((4, 6, 5), mode="area")(volume)
    torch.testing.assert_close(moved.affine, expected.affine)
    torch.testing.assert_close(moved.as_tensor(), expected.as_tensor())


@pytest.mark.parametrize(
    "change",
    [WindowIntensity(0, 400), ClipHU(), MultiWindow([(0, 300), (50, 60)]), ScalePercentile(0, 100)],
    ids=["window", "clip", "two windows", "percentile"],
)
def test_intensities_that_were_not_clipped_return(change):
    image = MetaTensor(torch.linspace(-100, 100, 63).view(1, 7, 9))
    back = change.inverse(change(image))
    torch.testing.assert_close(back.as_tensor(), image.as_tensor(), atol=1e-3, rtol=0)
    assert back.applied_operations == []


def test_constant_image_returns_from_its_percentiles():
    scale = ScalePercentile()
    assert (scale.inverse(scale(MetaTensor(torch.full((1, 3, 3), 7.0)))) == 7).all()


def test_percentiles_of_plain_arrays_are_inverted_by_what_they_were():
    values = np.linspace(-5, 9, 50, dtype=np.float32)[None]
    scale = ScalePercentile(0, 100)
    np.testing.assert_allclose(scale.inverse(scale(values), -5.0, 9.0), values, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("convert", [ToGrey(), ToRGB()], ids=name)
def test_number_of_channels_returns(convert, channels):
    image = MetaTensor(torch.rand(channels, 4, 5))
    back = convert.inverse(convert(image))
    assert back.shape == image.shape
    luminance = ToGrey()(back.as_tensor())
    torch.testing.assert_close(luminance, ToGrey()(image.as_tensor()))


@pytest.mark.parametrize("kind", [np.float32, np.uint8])
def test_grey_is_exact_after_colour_and_back(kind):
    image = (np.random.default_rng(0).random((1, 4, 5)) * 255).astype(kind)
    back = ToRGB().inverse(ToRGB()(image), channels=1)
    np.testing.assert_array_equal(back, image)
    assert back.dtype == kind


def test_channels_changed_apart_become_their_luminance():
    convert = ToRGB()
    wide = convert(MetaTensor(torch.rand(1, 4, 5)))
    wide[0] += 0.5
    torch.testing.assert_close(
        convert.inverse(wide).as_tensor(), ToGrey()(wide.as_tensor()), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("transform", [*MOVES, ToGrey(), ToRGB(), ScalePercentile()], ids=name)
@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_plain_image_is_refused_rather_than_returned_as_it_is(transform, kind):
    with pytest.raises(ValueError, match=r"does not remember.*EnsureType"):
        transform.inverse(transform(kind(np.full((1, 6, 9), 299, np.float32))))


@pytest.mark.parametrize("transform", [ResizeArea(3), Letterbox(5), CenterSquareCrop()], ids=name)
def test_plain_image_returns_to_a_shape_that_is_told(transform):
    image = np.ones((1, 6, 9), np.float32)
    assert transform.inverse(transform(image), image.shape).shape == image.shape


@pytest.mark.parametrize("transform", MOVES, ids=name)
def test_image_of_another_size_is_refused(transform):
    moved = transform(draw_coordinates(17, 30))
    with pytest.raises(ValueError, match="must have the size"):
        transform.inverse(moved[..., :-1])


def test_image_that_another_transform_changed_is_refused():
    with pytest.raises(RuntimeError, match="Letterbox"):
        Letterbox(8).inverse(Letterbox(8)(draw_coordinates(9, 9)))


def test_batch_is_refused_with_the_way_out():
    batch = MetaTensor(torch.zeros(2, 1, 4, 4))
    batch.is_batch = True
    with pytest.raises(ValueError, match="decollate_batch"):
        WindowIntensity(0, 2)(batch)


def test_image_without_channels_is_refused_as_a_metatensor():
    with pytest.raises(ValueError, match="channel first"):
        ResizeArea(2)(MetaTensor(torch.zeros(4, 4)))


def test_metadata_is_dropped_where_monai_does_not_track_it():
    image = draw_coordinates(9, 12)
    try:
        set_track_meta(False)
        moved = Letterbox(8)(image)
    finally:
        set_track_meta(True)
    assert not isinstance(moved, MetaTensor)


def test_tracing_can_be_switched_off():
    crop = CenterSquareCrop()
    with crop.trace_transform(False):
        moved = crop(draw_coordinates(9, 12))
    assert moved.applied_operations == []
    assert_in_place(moved, (9, 12))


def pipeline(*keys, **knobs):
    return Compose(
        [
            EnsureTyped(keys, track_meta=True, **knobs),
            BodyCropd(keys, threshold=-500, margin=1),
            ClipHUd(keys),
            WindowIntensityd(keys, 0, 2500),
            CenterSquareCropd(keys),
            ToRGBd(keys),
            Letterboxd(keys, 32),
            ResizeAread(keys, 24, 20),
            ToGreyd(keys),
        ]
    )


def scan(seed=0):
    image = np.full((1, 30, 22), -1000, np.float32)
    image[:, 4:25, 5:19] = np.random.default_rng(seed).normal(40, 5, (1, 21, 14))
    return image


def test_compose_restores_shape_place_and_values():
    image = MetaTensor(torch.from_numpy(scan()), affine=AFFINE.clone())
    preprocess = pipeline("image")
    out = preprocess({"image": image, "label": 3})
    assert out["image"].shape == (1, 24, 20)
    back = preprocess.inverse(out)
    assert back["label"] == 3
    assert back["image"].shape == image.shape
    assert back["image"].applied_operations == []
    torch.testing.assert_close(back["image"].affine, image.affine)
    middle = (slice(None), slice(10, 20), slice(8, 16))
    torch.testing.assert_close(
        back["image"].as_tensor()[middle], image.as_tensor()[middle], atol=20, rtol=0
    )


def test_compose_of_array_transforms_is_inverted():
    image = draw_coordinates(17, 30)
    preprocess = Compose([CenterSquareCrop(), WindowIntensity(100, 900), Letterbox(40)])
    back = preprocess.inverse(preprocess(image))
    assert back.shape == image.shape
    torch.testing.assert_close(back.affine, image.affine)


def test_compose_of_plain_arrays_is_refused_rather_than_left_cropped():
    preprocess = Compose([CenterSquareCropd("image"), Letterboxd("image", 8)])
    with pytest.raises(RuntimeError, match="inverse") as refusal:
        preprocess.inverse(preprocess({"image": scan()}))
    assert "does not remember" in str(refusal.value.__cause__)


def test_lazy_transforms_before_ours_are_done_first():
    moves = [SpatialCrop(roi_start=(2, 3), roi_end=(15, 28)), Letterbox(16)]
    lazy, eager = (
        Compose(moves, lazy=lazy)(MetaTensor(torch.rand(1, 17, 30))) for lazy in (True, False)
    )
    assert lazy.shape == eager.shape
    # MONAI leaves an affine of the plane alone after a lazy pipeline.
    torch.testing.assert_close(lazy.affine[:2, [0, 1, -1]], eager.affine[:2, [0, 1, -1]])


@pytest.mark.parametrize("workers", [0, 2])
def test_predictions_return_to_their_images_by_invertd(workers):
    """As users do: loader with workers, a network, decollate, Invertd."""
    preprocess = pipeline("image")
    samples = [{"image": scan(seed)} for seed in range(4)]
    loader = DataLoader(Dataset(samples, preprocess), batch_size=2, num_workers=workers)
    to_image = Invertd("pred", preprocess, orig_keys="image")
    for batch in loader:
        batch["pred"] = (batch["image"] > 0.2).to(torch.uint8)
        for sample in map(to_image, decollate_batch(batch)):
            mask = sample["pred"]
            assert mask.shape == (1, 30, 22)
            assert mask.dtype == torch.uint8  # labels: nearest, without windows or colours
            assert set(mask.unique().tolist()) <= {0, 1}
            assert mask[:, 8:20, 7:17].all()
            assert not mask[:, :3].any()
            assert sample["image"].shape == (1, 24, 20)


@pytest.mark.parametrize("workers", [0, 2])
def test_images_return_from_workers(workers):
    preprocess = pipeline("image")
    samples = [{"image": scan(seed)} for seed in range(2)]
    loader = DataLoader(Dataset(samples, preprocess), batch_size=2, num_workers=workers)
    for batch in loader:
        for seed, sample in enumerate(decollate_batch(batch)):
            back = preprocess.inverse(sample)["image"].numpy()
            assert back.shape == (1, 30, 22)
            assert back[:, 10:20, 8:16].mean() == pytest.approx(
                scan(seed)[:, 10:20, 8:16].mean(), abs=3
            )


def test_labels_of_several_classes_keep_their_channels_and_values():
    preprocess = pipeline("image")
    out = preprocess({"image": scan()})
    out["pred"] = MetaTensor(torch.ones(5, 24, 20))
    back = Invertd("pred", preprocess, orig_keys="image")(out)["pred"]
    assert back.shape == (5, 30, 22)
    assert set(back.unique().tolist()) == {0, 1}


def test_probabilities_return_by_the_moves_alone():
    resize = Letterboxd("image", 16)
    preprocess = Compose([EnsureTyped("image"), WindowIntensityd("image", 40, 80), resize])
    out = preprocess({"image": scan()})
    out["pred"] = MetaTensor(torch.full((2, 16, 16), 0.25))
    moves = Invertd("pred", resize, orig_keys="image", nearest_interp=False)
    back = moves(out)["pred"].as_tensor()
    torch.testing.assert_close(back, torch.full((2, 30, 22), 0.25))


def test_inverse_keeps_its_input():
    crop = CenterSquareCrop()
    moved = crop(draw_coordinates(9, 12))
    crop.inverse(moved)
    assert len(moved.applied_operations) == 1
    torch.testing.assert_close(crop.inverse(moved).affine, AFFINE)


@pytest.mark.parametrize(
    ("wrapped", "keys"),
    [
        (MultiWindowd(["image", "other"], ["brain"], allow_missing_keys=True), {"image"}),
        (ScalePercentiled(["image", "other"], allow_missing_keys=True), {"image"}),
        (BodyCropd(["image", "other"], allow_missing_keys=True), {"image"}),
    ],
)
def test_missing_keys_are_skipped_there_and_back(wrapped, keys):
    out = wrapped({"image": MetaTensor(torch.from_numpy(scan()))})
    assert set(wrapped.inverse(out)) == keys


def test_batches_of_a_pipeline_on_plain_arrays_still_collate():
    preprocess = Compose([BodyCropd("image"), Letterboxd("image", 8), Lambdad("image", np.copy)])
    loader = DataLoader(Dataset([{"image": scan(s)} for s in range(2)], preprocess), batch_size=2)
    assert next(iter(loader))["image"].shape == (2, 1, 8, 8)
