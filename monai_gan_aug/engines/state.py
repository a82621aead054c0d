"""The complete state of an adversarial trainer, and how it is taken up again."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from monai_gan_aug.engines.checkpoint import differing_keys
from monai_gan_aug.engines.distributed import random_states
from monai_gan_aug.engines.game import AdversarialGame, Stateful
from monai_gan_aug.errors import DataError

__all__ = ["restore_trainer_state", "take_up_weights", "trainer_state"]


def trainer_state(trainer: AdversarialGame) -> dict[str, Any]:
    """Progress, networks, optimisers, random numbers, loader position and registered parts."""
    loader = trainer.train_data_loader
    return {
        "iteration": trainer.state.iteration,
        "epoch_length": trainer.state.epoch_length,
        "networks": {name: net.state_dict() for name, net in _networks(trainer).items()},
        "sides": {name: side.state_dict() for name, side in _sides(trainer).items()},
        "loader": dict(loader.state_dict()) if isinstance(loader, Stateful) else {},
        "parts": {name: dict(part.state_dict()) for name, part in trainer.parts.items()},
        "random": random_states(),
    }


def restore_trainer_state(trainer: AdversarialGame, state: Mapping[str, Any]) -> dict[str, Any]:
    """Take up a state; return that of the random numbers, for the first epoch to restore.

    Raises:
        DataError: If an architecture, the epoch length or the set of parts differs; the trainer
            is unchanged then.
    """
    lines = [
        f"{name}.{line}"
        for name, network in _networks(trainer).items()
        for line in differing_keys(network.state_dict(), state["networks"].get(name, {}))
    ]
    needed = {n for n, part in trainer.parts.items() if not getattr(part, "optional_state", False)}
    lines += [f"{name}: only here" for name in sorted(needed - state["parts"].keys())]
    if lines:
        raise DataError(
            f"The checkpoint belongs to another architecture; {len(lines)} keys differ: "
            f"{'; '.join(lines[:20])}. Resume with the settings of the first run, or start "
            "afresh in another `output_dir`."
        )
    if state["epoch_length"] != trainer.state.epoch_length:
        raise DataError(
            f"The checkpoint was trained with {state['epoch_length']} steps per epoch, this run "
            f"has {trainer.state.epoch_length}: resume with the same `steps_per_epoch`."
        )
    for name, network in _networks(trainer).items():
        network.load_state_dict(state["networks"][name])
    for name, side in _sides(trainer).items():
        side.load_state_dict(state["sides"][name])
    for name, part in trainer.parts.items():
        if name in state["parts"]:
            part.load_state_dict(state["parts"][name])
    if isinstance(trainer.train_data_loader, Stateful):
        trainer.train_data_loader.load_state_dict(state["loader"])
    trainer.state.iteration = state["iteration"]
    trainer.state.epoch = state["iteration"] // state["epoch_length"]
    return dict(state["random"])


def take_up_weights(network: nn.Module, weights: Mapping[str, Any], name: str) -> None:
    """Load weights, or say which keys do not fit.

    Raises:
        DataError: If keys or shapes differ; the network is unchanged then.
    """
    lines = differing_keys(network.state_dict(), weights)
    if lines:
        raise DataError(
            f"{name} belongs to another architecture; {len(lines)} keys differ: "
            f"{'; '.join(lines[:20])}. Use the settings it was trained with."
        )
    network.load_state_dict(weights)


def _networks(trainer: AdversarialGame) -> dict[str, nn.Module]:
    return {"generator": trainer.g_network, "discriminator": trainer.d_network}


def _sides(trainer: AdversarialGame) -> dict[str, Any]:
    return {
        "generator_optimizer": trainer.generator.optimizer,
        "discriminator_optimizer": trainer.discriminator.optimizer,
        "generator_scaler": trainer.generator.scaler,
        "discriminator_scaler": trainer.discriminator.scaler,
    }
