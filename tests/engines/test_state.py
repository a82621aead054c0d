import pytest
import torch
from torch import nn

from monai_gan_aug.engines.state import take_up_weights
from monai_gan_aug.errors import DataError


def test_the_state_is_complete(make_trainer):
    trainer = make_trainer()
    trainer.run()
    state = trainer.state_dict()
    assert set(state["networks"]) == {"generator", "discriminator"}
    assert state["sides"]["generator_optimizer"]["state"]
    assert state["loader"] == {"position": 4}
    assert set(state["parts"]) == {"average"}
    assert {"torch", "numpy", "python", "cuda"} == set(state["random"])


def test_a_refused_state_changes_nothing(make_trainer):
    donor = make_trainer(width=8)
    donor.run()
    trainer = make_trainer()
    before = {k: v.clone() for k, v in trainer.g_network.state_dict().items()}
    with pytest.raises(DataError, match="another architecture"):
        trainer.load_state_dict(donor.state_dict())
    assert trainer.state.iteration == 0
    assert all(torch.equal(before[k], v) for k, v in trainer.g_network.state_dict().items())


def test_another_epoch_length_is_refused(make_trainer):
    donor = make_trainer(steps=3)
    donor.run()
    with pytest.raises(DataError, match="3 steps per epoch"):
        make_trainer(steps=4).load_state_dict(donor.state_dict())


def test_weights_that_do_not_fit_are_named():
    network = nn.Linear(2, 3)
    with pytest.raises(DataError, match=r"x\.pt.*bias: shape \(4,\) in the checkpoint, \(3,\)"):
        take_up_weights(network, nn.Linear(2, 4).state_dict(), "x.pt")
