"""Alarms that real guards print are found again in the log of a job."""

import json
import logging
from configparser import RawConfigParser
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from monai_gan_aug.engines.events import GanAugEvents
from monai_gan_aug.engines.guards import (
    CollapseGuard,
    FiniteLossGuard,
    GradientGuard,
    OneSidedGuard,
)
from monai_gan_aug.engines.handlers import ProgressReport
from monai_gan_aug.keys import GanKeys
from monai_gan_aug.studies.guard_events import guard_events

CONFIGS = Path(__file__).resolve().parents[2] / "bundles" / "medical_image_gan" / "configs"
RECORD = {"step": 0, "g_loss": 1.0, "d_loss": 0.1, "d_real": 1.0, "d_fake": 0.0}


@pytest.fixture
def run(tmp_path):
    """A job's folder and log, written in the format of the bundle's logging.conf."""
    settings = RawConfigParser()
    settings.read(CONFIGS / "logging.conf")
    handler = logging.FileHandler(tmp_path / "job.log")
    handler.setFormatter(logging.Formatter(settings["formatter_plain"]["format"]))
    logger = logging.getLogger("monai_gan_aug.engines")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    (tmp_path / "curves.json").write_text(json.dumps({"step": [20, 40, 60, 80]}))
    yield tmp_path
    logger.removeHandler(handler)
    logger.setLevel(before)
    handler.close()


@pytest.fixture
def trainer():
    """What a guard looks at, at iteration 37 in the second of four epochs of 20 steps."""
    state = SimpleNamespace(
        iteration=37, epoch=1, max_epochs=4, record=RECORD, metrics={}, output={}
    )
    return SimpleNamespace(state=state, fire_event=lambda event: None, requested=[])


def end_epoch(trainer, epoch):
    trainer.state.epoch = epoch
    ProgressReport()._log(trainer)


def one_sided(trainer):
    OneSidedGuard(patience=1)._look(trainer)


def collapsed(trainer):
    guard = CollapseGuard(patience=1)
    guard.score = lambda engine, output: 0.01
    guard._look(trainer)


def gradient(trainer):
    guard = GradientGuard()
    guard.history = [[1.0, 1.0]] * 3
    guard._judge(trainer, [1e9, 1.0])


def not_finite(trainer):
    losses = dict.fromkeys((GanKeys.DLOSS, GanKeys.GLOSS), torch.tensor(float("nan")))
    trainer.state.output = losses
    FiniteLossGuard(action="warn")._look(trainer)


@pytest.mark.parametrize(
    ("alarm", "event"),
    [
        (one_sided, GanAugEvents.ONE_SIDED),
        (collapsed, GanAugEvents.COLLAPSED),
        (gradient, GanAugEvents.GRADIENT_EXPLODED),
        (not_finite, GanAugEvents.NOT_FINITE),
    ],
)
def test_every_guard_is_recognised_with_its_step(run, trainer, alarm, event):
    end_epoch(trainer, 1)
    alarm(trainer)
    for epoch in (2, 3, 4):
        end_epoch(trainer, epoch)
    assert guard_events(run) == [{"kind": event.value, "step": 37, "back_to": None}]


def test_an_alarm_that_does_not_say_its_step_stands_at_the_end_of_its_epoch(run, trainer):
    """As runs of earlier versions wrote it."""
    end_epoch(trainer, 1)
    logging.getLogger("monai_gan_aug.engines.alarms").warning(
        "The discriminator has won (0.999 real, 0.001 generated): convergence failure."
    )
    for epoch in (2, 3, 4):
        end_epoch(trainer, epoch)
    assert guard_events(run) == [{"kind": "one_sided", "step": 40, "back_to": None}]


def test_a_rollback_names_both_its_steps_and_its_reason(run, trainer):
    """The words of ``RunFolder``, which a test of the run folder ties to the event."""
    end_epoch(trainer, 1)
    end_epoch(trainer, 2)
    logging.getLogger("monai_gan_aug.engines.run_folder").warning(
        "%s Rolled back from step %d to %d (%d of at most %d), learning rates times %g.",
        "A loss is not finite at iteration 47; the last good checkpoint is kept.",
        47,
        40,
        1,
        3,
        0.5,
    )
    end_epoch(trainer, 3)
    end_epoch(trainer, 4)
    assert guard_events(run) == [
        {"kind": "not_finite", "step": 47, "back_to": None},
        {"kind": GanAugEvents.ROLLED_BACK.value, "step": 47, "back_to": 40},
    ]


def test_a_quiet_run_has_no_alarm(run, trainer):
    for epoch in (1, 2, 3, 4):
        end_epoch(trainer, epoch)
    assert guard_events(run) == []


def test_a_log_without_epochs_tells_nothing(run, trainer):
    assert guard_events(run) is None
    one_sided(trainer)
    assert guard_events(run) is None


def test_a_missing_log_tells_nothing(tmp_path):
    assert guard_events(tmp_path) is None
