"""Every guard against the failure it is there for, planted."""

import json

import pytest
import torch
from ignite.engine import Events
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monai_gan_aug.engines.checkpoint import load_checkpoint
from monai_gan_aug.engines.game import GanAugEvents
from monai_gan_aug.engines.guards import (
    CollapseGuard,
    FiniteLossGuard,
    GradientGuard,
    OneSidedGuard,
)
from monai_gan_aug.engines.handlers import CurveRecorder, TensorBoardWriter
from monai_gan_aug.engines.run_folder import RunFolder
from monai_gan_aug.keys import GanAugKeys, GanKeys
from monai_gan_aug.losses.adversarial import DiscriminatorLoss, GeneratorLoss
from monai_gan_aug.networks.dcgan import Discriminator


class SpoiltLoss(torch.nn.Module):
    """A loss that is multiplied by something at one call, counted from 1."""

    on_logits = True

    def __init__(self, loss, factor, call):
        super().__init__()
        self.loss, self.factor, self.call, self.calls = loss, factor, call, 0

    def forward(self, *logits):
        self.calls += 1
        return self.loss(*logits) * (self.factor if self.calls == self.call else 1.0)


def noted(trainer, event):
    seen = []
    trainer.add_event_handler(event, lambda engine: seen.append(engine.state.iteration))
    return seen


def test_a_loss_that_is_not_finite_stops_at_once_and_keeps_the_checkpoint(make_trainer, tmp_path):
    loss = SpoiltLoss(DiscriminatorLoss(), float("nan"), call=6)
    trainer = make_trainer(max_epochs=3, handlers=[RunFolder(tmp_path)], d_loss_function=loss)
    events = noted(trainer, GanAugEvents.NOT_FINITE)
    with pytest.raises(FloatingPointError, match="iteration 6") as error:
        trainer.run()
    assert "tensor" not in str(error.value)
    assert events == [6]
    assert load_checkpoint(tmp_path / "checkpoints")["trainer"]["iteration"] == 4


@pytest.mark.parametrize("side", ["g_loss_function", "d_loss_function"])
def test_nan_in_either_loss_rolls_back_and_training_goes_on(make_trainer, tmp_path, side):
    loss = GeneratorLoss() if side == "g_loss_function" else DiscriminatorLoss()
    folder = RunFolder(tmp_path, rollback_factor=0.25)
    trainer = make_trainer(
        max_epochs=3,
        handlers=[FiniteLossGuard("rollback"), folder],
        **{side: SpoiltLoss(loss, float("nan"), call=6)},
    )
    back = noted(trainer, GanAugEvents.ROLLED_BACK)
    trainer.run()
    assert back == [4]
    assert trainer.state.iteration == 12
    for player in (trainer.generator, trainer.discriminator):
        assert player.optimizer.param_groups[0]["lr"] == pytest.approx(0.25e-3)
    assert all(torch.isfinite(p).all() for p in trainer.g_network.parameters())


def test_rollbacks_are_bounded(make_trainer, tmp_path):
    class AlwaysNaN(SpoiltLoss):
        def forward(self, *logits):
            value = super().forward(*logits)
            return value * float("nan") if self.calls >= self.call else value

    trainer = make_trainer(
        max_epochs=3,
        handlers=[FiniteLossGuard("rollback"), RunFolder(tmp_path, max_rollbacks=2)],
        d_loss_function=AlwaysNaN(DiscriminatorLoss(), 1.0, call=6),
    )
    back = noted(trainer, GanAugEvents.ROLLED_BACK)
    with pytest.raises(FloatingPointError, match="2 rollbacks did not help"):
        trainer.run()
    assert back == [4, 4]
    assert load_checkpoint(tmp_path / "checkpoints")["trainer"]["iteration"] == 4


@pytest.mark.parametrize(
    ("with_folder", "reason"), [(True, "no checkpoint to go back to"), (False, "attach a `RunFol")]
)
def test_a_rollback_that_cannot_be_ends_the_run(make_trainer, tmp_path, with_folder, reason):
    handlers = [FiniteLossGuard("rollback"), *([RunFolder(tmp_path)] if with_folder else [])]
    loss = SpoiltLoss(DiscriminatorLoss(), float("inf"), call=2)
    with pytest.raises(FloatingPointError, match=reason):
        make_trainer(handlers=handlers, d_loss_function=loss).run()


def test_a_discriminator_that_has_won_is_noticed(make_trainer):
    trainer = make_trainer()
    guard = OneSidedGuard(patience=3, action="stop")
    guard.attach(trainer)
    events = []
    trainer.add_event_handler(GanAugEvents.ONE_SIDED, lambda: events.append(1))
    for d_real in (0.99, 0.99, 0.5, 0.99, 0.99, 0.99, 0.99):
        trainer.state.record = {"d_real": d_real, "d_fake": 0.01}
        trainer.fire_event(GanAugEvents.RECORDED)
    assert events == [1]
    assert trainer.should_terminate


def lost(make_trainer, tmp_path, **lengths):
    """A discriminator that learns this noise by heart while the generator stands still."""
    discriminator = Discriminator(16, 1, width=4, num_classes=2, norm=None)
    trainer = make_trainer(
        augment=None,
        d_network=discriminator,
        d_optimizer=torch.optim.Adam(discriminator.parameters(), 0.1),
        handlers=[
            CurveRecorder(tmp_path / "curves.json", every=5),
            OneSidedGuard(patience=3, action="stop"),
        ],
        **lengths,
    )
    trainer.generator.optimizer.param_groups[0]["lr"] = 0.0
    return trainer


def test_an_absurd_learning_rate_of_the_discriminator_is_noticed(make_trainer, tmp_path):
    trainer = lost(make_trainer, tmp_path, max_epochs=40, steps=5)
    events = noted(trainer, GanAugEvents.ONE_SIDED)
    trainer.run()
    assert len(events) == 1
    assert trainer.state.epoch < 40


def test_a_run_that_stops_within_an_epoch_says_where_and_shows_why(make_trainer, tmp_path, caplog):
    trainer = lost(make_trainer, tmp_path, max_epochs=1, steps=200)
    events = noted(trainer, GanAugEvents.ONE_SIDED)
    trainer.run()
    (step,) = events
    assert step < 200
    assert f"has won by iteration {step} " in caplog.text
    curves = json.loads((tmp_path / "curves.json").read_text())
    assert curves["step"][-3:] == [step - 10, step - 5, step]
    assert min(curves["d_real"][-3:]) > 0.98
    assert max(curves["d_fake"][-3:]) < 0.02


@pytest.mark.parametrize("side", ["g", "d"])
def test_an_exploding_gradient_is_noticed(make_trainer, tmp_path, caplog, side):
    loss = GeneratorLoss() if side == "g" else DiscriminatorLoss()
    trainer = make_trainer(
        steps=12,
        handlers=[GradientGuard(every=2), TensorBoardWriter(tmp_path)],
        **{f"{side}_loss_function": SpoiltLoss(loss, 1e8, call=9)},
    )
    events = noted(trainer, GanAugEvents.GRADIENT_EXPLODED)
    trainer.run()
    assert events == [10]
    assert "A gradient has exploded by iteration 10" in caplog.text
    written = EventAccumulator(str(tmp_path))
    written.Reload()
    norms = [event.value for event in written.Scalars(f"{side}_gradient_norm")]
    assert norms[4] > 1000 * max(norms[:4])


def test_an_exploding_gradient_stops_or_rolls_back(make_trainer, tmp_path):
    def trainer_with(action, folder):
        return make_trainer(
            max_epochs=5,
            handlers=[GradientGuard(every=1, action=action), RunFolder(folder)],
            d_loss_function=SpoiltLoss(DiscriminatorLoss(), 1e8, call=9),
        )

    with pytest.raises(FloatingPointError, match="exploded by iteration 9"):
        trainer_with("stop", tmp_path / "a").run()
    trainer = trainer_with("rollback", tmp_path / "b")
    back = noted(trainer, GanAugEvents.ROLLED_BACK)
    trainer.run()
    assert back == [8]
    assert trainer.state.iteration == 20


def test_healthy_gradients_raise_no_alarm(make_trainer):
    trainer = make_trainer(steps=30, handlers=[GradientGuard(every=2)])
    events = noted(trainer, GanAugEvents.GRADIENT_EXPLODED)
    trainer.run()
    assert events == []


class Constant(torch.nn.Module):
    num_classes = 0

    def __init__(self, spread):
        super().__init__()
        self.spread = spread

    def forward(self, latents):
        return self.spread * latents.view(-1, 1, 2, 4)


@pytest.mark.parametrize(("spread", "score"), [(0.0, 0.0), (1.0, 1.0), (0.25, 0.25)])
def test_score_is_relative_to_real_diversity(make_trainer, spread, score):
    trainer = make_trainer(average=False, g_network=Constant(spread))
    reals = torch.randn(64, 1, 2, 4, generator=torch.Generator().manual_seed(3))
    output = {GanKeys.REALS: reals, GanAugKeys.LABELS: None}
    got = CollapseGuard(count=64).score(trainer, output)
    assert got == pytest.approx(score, rel=0.1, abs=1e-3)


class Painter(torch.nn.Module):
    """Constant images, or a pattern of its own for every latent."""

    num_classes = 0

    def __init__(self, constant):
        super().__init__()
        self.constant = constant

    def forward(self, latents):
        if self.constant:
            return torch.zeros(len(latents), 1, 32, 32) + 0.3
        return torch.tanh(latents.repeat(1, 128).view(-1, 1, 32, 32))


@pytest.mark.parametrize("measure", ["pixels", "ms_ssim"])
def test_a_constant_generator_has_no_diversity_by_either_measure(make_trainer, measure):
    reals = torch.tanh(torch.randn(16, 1, 32, 32, generator=torch.Generator().manual_seed(3)))
    output = {GanKeys.REALS: reals, GanAugKeys.LABELS: None}
    guard = CollapseGuard(count=16, measure=measure)
    same, different = (
        guard.score(make_trainer(average=False, g_network=Painter(constant)), output)
        for constant in (True, False)
    )
    assert same == pytest.approx(0.0, abs=1e-3)
    assert different > 0.5


def test_a_generator_forced_to_a_constant_is_noticed_and_stopped(make_trainer, caplog):
    trainer = make_trainer(max_epochs=5, handlers=[CollapseGuard(patience=2, action="stop")])

    def force(engine):
        for network in (engine.g_network, engine.sampling_network):
            for parameter in network.blocks[0].parameters():
                parameter.data.zero_()

    trainer.add_event_handler(Events.ITERATION_COMPLETED, force)
    events = noted(trainer, GanAugEvents.COLLAPSED)
    trainer.run()
    assert events == [8]
    assert "nearly the same by iteration 8 " in caplog.text
    assert trainer.state.metrics["diversity"] < 0.2


def test_checkpoints_of_a_collapsing_generator_are_passed_over(make_trainer, tmp_path):
    """A rollback goes to the last epoch before the first bad one, however few are kept."""
    trainer = make_trainer(
        max_epochs=7,
        handlers=[CollapseGuard(patience=3, action="rollback"), RunFolder(tmp_path, keep=1)],
    )
    spoilt = []

    def force(engine):
        if engine.state.epoch >= 3 and len(spoilt) < 3:
            spoilt.append(engine.state.epoch)
            for network in (engine.g_network, engine.sampling_network):
                for parameter in network.blocks[0].parameters():
                    parameter.data.zero_()

    trainer.add_event_handler(Events.ITERATION_COMPLETED(every=4), force)
    guard = trainer.parts["collapse_guard"]
    guard.score = lambda engine, output: 0.0 if engine.state.epoch in spoilt else 1.0
    back = []

    def note(engine):
        back.append(engine.state.epoch)
        spoilt[:] = [0, 0, 0]

    trainer.add_event_handler(GanAugEvents.ROLLED_BACK, note)
    trainer.run()
    assert back == [2]
    assert trainer.state.epoch == 7


@pytest.mark.parametrize("guard", [FiniteLossGuard, GradientGuard, OneSidedGuard, CollapseGuard])
def test_an_unknown_action_is_refused(guard):
    with pytest.raises(ValueError, match="`action` must be one of"):
        guard(action="panic")


def test_the_count_of_a_guard_survives_a_resumed_run(make_trainer, tmp_path):
    def run(epochs, resume):
        guard = CollapseGuard(threshold=1e9, patience=3)
        trainer = make_trainer(
            max_epochs=epochs, handlers=[guard, RunFolder(tmp_path, None, resume)]
        )
        events = noted(trainer, GanAugEvents.COLLAPSED)
        trainer.run()
        return events

    assert run(2, False) == []
    assert run(4, True) == [12]
