"""What the guards said is found again in `alarms.json`, whatever became of the run."""

import pytest
import torch
from ignite.engine import Events

from monai_gan_aug.engines.alarms import AlarmRecorder, Guard
from monai_gan_aug.engines.game import GanAugEvents
from monai_gan_aug.engines.guards import FiniteLossGuard
from monai_gan_aug.engines.run_folder import RunFolder
from monai_gan_aug.losses.adversarial import DiscriminatorLoss
from monai_gan_aug.records.curves import Alarms, GuardEvent


class SpoiltLoss(torch.nn.Module):
    """Not finite at one call, counted from 1."""

    on_logits = True

    def __init__(self, call):
        super().__init__()
        self.loss, self.call, self.calls = DiscriminatorLoss(), call, 0

    def forward(self, *logits):
        self.calls += 1
        return self.loss(*logits) * (float("nan") if self.calls == self.call else 1.0)


def alarms(folder):
    return list(Alarms.load(folder / "alarms.json").alarms)


def alarm(kind, step, back_to=None):
    return GuardEvent(kind, step, back_to)


def test_a_quiet_run_says_so(make_trainer, tmp_path):
    make_trainer(max_epochs=1, handlers=[AlarmRecorder(tmp_path / "alarms.json")]).run()
    assert alarms(tmp_path) == []


@pytest.mark.parametrize(
    "event",
    [
        GanAugEvents.ONE_SIDED,
        GanAugEvents.COLLAPSED,
        GanAugEvents.GRADIENT_EXPLODED,
        GanAugEvents.NOT_FINITE,
    ],
)
def test_every_alarm_is_kept_with_its_step(make_trainer, tmp_path, event):
    trainer = make_trainer(max_epochs=1, handlers=[AlarmRecorder(tmp_path / "alarms.json")])
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED(once=3), lambda engine: engine.fire_event(event)
    )
    trainer.run()
    assert alarms(tmp_path) == [alarm(event.value, 3)]


@pytest.mark.parametrize("recorder_first", [True, False])
def test_a_rollback_keeps_the_alarm_that_led_to_it(make_trainer, tmp_path, recorder_first):
    handlers = [FiniteLossGuard("rollback"), RunFolder(tmp_path)]
    handlers.insert(0 if recorder_first else 2, AlarmRecorder(tmp_path / "alarms.json"))
    make_trainer(max_epochs=3, handlers=handlers, d_loss_function=SpoiltLoss(6)).run()
    assert alarms(tmp_path) == [alarm("not_finite", 6), alarm("rolled_back", 6, 4)]


def test_a_resumed_run_keeps_the_alarms_up_to_its_checkpoint(make_trainer, tmp_path):
    def run(epochs, fire_at, **more):
        folder = RunFolder(tmp_path, **more)
        recorder = AlarmRecorder(tmp_path / "alarms.json")
        trainer = make_trainer(max_epochs=epochs, handlers=[recorder, folder])
        trainer.add_event_handler(
            Events.ITERATION_COMPLETED(once=fire_at),
            lambda engine: engine.fire_event(GanAugEvents.ONE_SIDED),
        )
        trainer.run()

    run(1, fire_at=2)
    later = [*alarms(tmp_path), alarm("collapsed", 7)]  # behind the last checkpoint
    Alarms(tuple(later)).save(tmp_path / "alarms.json")
    run(2, fire_at=1, resume=True)
    assert alarms(tmp_path)[0] == alarm("one_sided", 2)
    assert "collapsed" not in {entry.kind for entry in alarms(tmp_path)}


class Doubtful(Guard):
    """Told from outside what it has seen."""

    event, name = GanAugEvents.COLLAPSED, "doubtful"


@pytest.mark.parametrize("patience", [1, 3])
def test_an_alarm_is_raised_once_per_row_of_bad_observations(make_trainer, patience):
    trainer, guard, raised = make_trainer(), Doubtful(patience=patience), []
    trainer.add_event_handler(GanAugEvents.COLLAPSED, lambda: raised.append(1))
    for bad in ([True] * 5, [False], [True] * (patience - 1), [False], [True] * patience):
        for observation in bad:
            guard.observe(trainer, observation, "nothing is well")
            assert guard.suspicious == observation
    assert len(raised) == 2


def test_a_patience_of_nothing_is_refused():
    with pytest.raises(ValueError, match="`patience` must be at least 1, got 0"):
        Doubtful(patience=0)
