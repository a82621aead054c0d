"""Preparing batches, the schedule and the guard, inside MONAI's supervised trainer."""

import pytest
import torch
from ignite.engine import Events
from monai.engines import SupervisedTrainer
from torch import nn

from monai_gan_aug.augmentation.classical import ClassicalAugmentation
from monai_gan_aug.augmentation.mixup import MixUp
from monai_gan_aug.engines.classification import CosineSchedule, FiniteLoss, PrepareImages
from monai_gan_aug.keys import DataKeys


def batch(size=4):
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (size, 1, 8, 8), generator=rng, dtype=torch.uint8)
    return {DataKeys.IMAGE: images, DataKeys.LABEL: torch.arange(size) % 2}


def trainer(handlers, steps=20, network=None, learning_rate=0.1):
    network = network or nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    return SupervisedTrainer(
        device="cpu",
        max_epochs=1,
        epoch_length=steps,
        train_data_loader=[batch()] * steps,
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), learning_rate),
        loss_function=nn.CrossEntropyLoss(),
        prepare_batch=PrepareImages(),
        train_handlers=handlers,
        decollate=False,
    )


def test_images_are_scaled_and_labels_kept(device):
    images, labels = PrepareImages()(batch(), device)
    assert images.dtype == torch.float32
    assert images.device.type == device.type
    assert images.abs().max() <= 1
    assert labels.tolist() == [0, 1, 0, 1]


def test_images_without_labels_pass():
    images, labels = PrepareImages()({DataKeys.IMAGE: batch()[DataKeys.IMAGE]}, "cpu")
    assert images.shape == (4, 1, 8, 8)
    assert labels is None


def test_mixup_follows_augmentation_and_makes_soft_targets():
    prepare = PrepareImages(ClassicalAugmentation("strong"), MixUp(1.0, num_classes=2))
    _, targets = prepare(batch(), "cpu")
    assert targets.shape == (4, 2)


@pytest.mark.parametrize("steps", [10, 40])
def test_rate_rises_peaks_and_falls_to_zero_whatever_the_length(steps):
    engine = trainer([], steps=steps)
    schedule = CosineSchedule(engine.optimizer, warm_up_fraction=0.2)
    schedule.attach(engine)
    rates = []
    engine.add_event_handler(
        Events.ITERATION_STARTED, lambda e: rates.append(e.optimizer.param_groups[0]["lr"])
    )
    engine.run()
    assert rates[0] == pytest.approx(0.005)
    assert max(rates) == rates[round(0.2 * steps)] == pytest.approx(0.1)
    assert engine.optimizer.param_groups[0]["lr"] == pytest.approx(0.0, abs=1e-9)
    assert rates[round(0.2 * steps) :] == sorted(rates[round(0.2 * steps) :], reverse=True)


@pytest.mark.parametrize("fraction", [-0.1, 1.0])
def test_refuses_a_warm_up_that_is_no_share(fraction):
    with pytest.raises(ValueError, match="warm_up_fraction"):
        CosineSchedule(trainer([]).optimizer, fraction)


def test_a_loss_that_is_not_finite_never_reaches_the_weights():
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    engine = trainer([FiniteLoss()], network=network, learning_rate=1.0)

    def spoil(engine):
        if engine.state.iteration == 3:
            engine.loss_function = lambda pred, labels: pred.sum() * float("nan")

    engine.add_event_handler(Events.ITERATION_STARTED, spoil)
    with pytest.raises(FloatingPointError, match="step 3"):
        engine.run()
    assert all(torch.isfinite(p).all() for p in network.parameters())
