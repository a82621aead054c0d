import pytest
import torch
from ignite.engine import Events

from monai_gan_aug.engines.checkpoint import load_checkpoint
from monai_gan_aug.engines.events import GanAugEvents
from monai_gan_aug.engines.guards import CollapseGuard, OneSidedGuard
from monai_gan_aug.engines.run_folder import RunFolder
from monai_gan_aug.keys import GanAugKeys, GanKeys


def test_a_loss_that_is_not_finite_stops_at_once_and_keeps_the_checkpoint(make_trainer, tmp_path):
    trainer = make_trainer(max_epochs=3, handlers=[RunFolder(tmp_path)])
    events = []
    trainer.add_event_handler(GanAugEvents.NOT_FINITE, lambda: events.append("not finite"))

    def poison(engine):
        with torch.no_grad():
            engine.d_network.head.parametrizations.weight.original.fill_(float("nan"))

    trainer.add_event_handler(Events.ITERATION_STARTED(once=6), poison)
    with pytest.raises(FloatingPointError, match="iteration 6") as error:
        trainer.run()
    assert "tensor" not in str(error.value)
    assert events == ["not finite"]
    assert load_checkpoint(tmp_path / "checkpoints")["trainer"]["iteration"] == 4


def test_a_discriminator_that_has_won_is_noticed(make_trainer):
    trainer = make_trainer()
    guard = OneSidedGuard(patience=3, stop=True)
    guard.attach(trainer)
    events = []
    trainer.add_event_handler(GanAugEvents.ONE_SIDED, lambda: events.append(1))
    for d_real in (0.99, 0.99, 0.5, 0.99, 0.99, 0.99, 0.99):
        trainer.state.record = {"d_real": d_real, "d_fake": 0.01}
        trainer.fire_event(GanAugEvents.RECORDED)
    assert events == [1]
    assert trainer.should_terminate


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


def test_collapse_is_noticed_after_its_patience(make_trainer):
    trainer = make_trainer(
        max_epochs=4, steps=1, handlers=[CollapseGuard(threshold=1e9, patience=2, stop=True)]
    )
    epochs = []
    trainer.add_event_handler(GanAugEvents.COLLAPSED, lambda e: epochs.append(e.state.epoch))
    trainer.run()
    assert epochs == [2]
    assert trainer.state.epoch == 2
