"""Handlers know the game, not the trainer."""

import pytest
from ignite.engine import Engine

from monai_gan_aug.engines.alarms import AlarmRecorder
from monai_gan_aug.engines.game import AdversarialGame, GanAugEvents, Learner, Stateful
from monai_gan_aug.engines.guards import OneSidedGuard
from monai_gan_aug.engines.steps import Player
from monai_gan_aug.records.curves import Alarms, GuardEvent


def members(protocol):
    public = {*vars(protocol), *protocol.__annotations__}
    return {name for name in public if not name.startswith("_")}


def test_the_trainer_plays_the_game(make_trainer):
    trainer = make_trainer()
    assert {name for name in members(AdversarialGame) if not hasattr(trainer, name)} == set()
    assert isinstance(trainer.generator, Player)
    assert {name for name in members(Learner) if not hasattr(trainer.generator, name)} == set()


def test_what_has_a_state_is_known_by_its_two_methods(make_trainer):
    trainer = make_trainer()
    assert all(isinstance(part, Stateful) for part in trainer.parts.values())
    assert not isinstance(object(), Stateful)


class AnotherGame(Engine):
    """An engine of another kind, without networks: as much of a game as the handlers below need."""

    def __init__(self):
        super().__init__(self._play)
        self.register_events(*GanAugEvents)
        self.parts = {}

    def _play(self, engine, batch):
        self.state.record = {"step": self.state.iteration, "d_real": 0.999, "d_fake": 0.001}
        self.fire_event(GanAugEvents.RECORDED)

    def register_part(self, name, part):
        self.parts[name] = part


@pytest.mark.parametrize("action", ["warn", "stop"])
def test_guards_watch_over_any_game(tmp_path, action):
    game = AnotherGame()
    for handler in (
        OneSidedGuard(patience=3, action=action),
        AlarmRecorder(tmp_path / "alarms.json"),
    ):
        handler.attach(game)
    game.run(range(10), max_epochs=1)
    assert Alarms.load(tmp_path / "alarms.json").alarms == (GuardEvent("one_sided", 3),)
    assert game.state.iteration == (3 if action == "stop" else 10)
