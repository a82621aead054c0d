import json
import multiprocessing
import os
import signal

import pytest
import torch
from ignite.engine import Events

from monai_gan_aug.augmentation.policies import DiscriminatorInput
from monai_gan_aug.engines import run_folder
from monai_gan_aug.engines.checkpoint import load_checkpoint
from monai_gan_aug.engines.handlers import CurveRecorder
from monai_gan_aug.engines.randomness import seed_everything
from monai_gan_aug.engines.run_folder import RunFolder
from monai_gan_aug.errors import DataError
from monai_gan_aug.losses.regularizers import R1, LeCam


def tensors(content, path=""):
    if isinstance(content, torch.Tensor):
        yield path, content.tolist()
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from tensors(value, f"{path}.{key}")
    elif isinstance(content, list | tuple):
        for index, value in enumerate(content):
            yield from tensors(value, f"{path}.{index}")
    else:
        yield path, content


def run(make_trainer, folder, epochs, dataset=None, resume=False, **more):
    handlers = [
        CurveRecorder(folder / "curves.json", every=3),
        RunFolder(folder, dataset, resume=resume),
    ]
    trainer = make_trainer(max_epochs=epochs, handlers=handlers, **more)
    trainer.run()
    return trainer


@pytest.mark.parametrize("d_train_steps", [1, 2])
def test_three_and_three_epochs_equal_six_bit_for_bit(make_trainer, tmp_path, d_train_steps):
    more = {"d_train_steps": d_train_steps}
    run(make_trainer, tmp_path / "whole", 6, **more)
    run(make_trainer, tmp_path / "parts", 3, **more)
    torch.rand(7)  # another process would be somewhere else in its random numbers
    run(make_trainer, tmp_path / "parts", 6, resume=True, **more)
    whole, parts = (
        dict(tensors(load_checkpoint(tmp_path / name / "checkpoints")))
        for name in ("whole", "parts")
    )
    assert whole.keys() == parts.keys()
    assert [key for key in whole if whole[key] != parts[key]] == []
    curves = [(tmp_path / name / "curves.json").read_text() for name in ("whole", "parts")]
    assert curves[0] == curves[1]


def test_state_of_augmentation_and_regularisers_resumes_bit_for_bit(make_trainer, tmp_path):
    def settings():
        seen = DiscriminatorInput("adaptive", 0.0, 100, instance_noise=0.2, instance_noise_steps=20)
        return {"augment": seen, "d_regularizers": [LeCam(), R1(1.0, interval=5)]}

    run(make_trainer, tmp_path / "whole", 4, **settings())
    run(make_trainer, tmp_path / "parts", 2, **settings())
    torch.rand(7)
    resumed = run(make_trainer, tmp_path / "parts", 4, resume=True, **settings())
    whole, parts = (
        dict(tensors(load_checkpoint(tmp_path / name / "checkpoints")))
        for name in ("whole", "parts")
    )
    assert [key for key in whole.keys() | parts.keys() if whole[key] != parts[key]] == []
    assert resumed.parts["adaptive_augment"].probability > 0
    curves = [(tmp_path / name / "curves.json").read_text() for name in ("whole", "parts")]
    assert curves[0] == curves[1]
    recorded = json.loads(curves[0])["penalties"].keys()
    assert {"penalty/lecam", "penalty/r1", "augment_probability"} <= recorded


def killed(make_trainer, folder):
    torch.set_num_threads(1)  # threads do not survive a fork
    seed_everything(3)
    handlers = [CurveRecorder(folder / "curves.json", every=3), RunFolder(folder)]
    trainer = make_trainer(max_epochs=6, handlers=handlers)
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED(once=14), lambda: os.kill(os.getpid(), signal.SIGKILL)
    )
    trainer.run()


def test_a_run_killed_in_its_fourth_epoch_goes_on_bit_for_bit(make_trainer, tmp_path):
    process = multiprocessing.get_context("fork").Process(
        target=killed, args=(make_trainer, tmp_path / "parts")
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert load_checkpoint(tmp_path / "parts" / "checkpoints")["trainer"]["iteration"] == 12
    seed_everything(3)
    run(make_trainer, tmp_path / "whole", 6)
    seed_everything(4)
    run(make_trainer, tmp_path / "parts", 6, resume=True)
    whole, parts = (
        dict(tensors(load_checkpoint(tmp_path / name / "checkpoints")))
        for name in ("whole", "parts")
    )
    assert whole == parts


def test_an_interrupted_epoch_is_finished_bit_for_bit(make_trainer, tmp_path):
    def interrupt(trainer):
        if trainer.state.iteration == 6:
            os.kill(os.getpid(), signal.SIGTERM)

    whole = run(make_trainer, tmp_path / "whole", 3)
    folder = tmp_path / "parts"
    first = make_trainer(
        max_epochs=3,
        handlers=[CurveRecorder(folder / "curves.json", every=3), RunFolder(folder)],
    )
    first.add_event_handler(Events.ITERATION_STARTED, interrupt)
    with pytest.raises(SystemExit) as stopped:
        first.run()
    assert stopped.value.code == 143
    assert first.state.iteration == 6
    second = run(make_trainer, folder, 3, resume=True)
    for a, b in zip(whole.g_network.parameters(), second.g_network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_sigint_exits_with_130_and_hands_the_handlers_back(make_trainer, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    trainer = make_trainer(handlers=[RunFolder(tmp_path)])
    trainer.add_event_handler(
        Events.ITERATION_STARTED(once=2), lambda: os.kill(os.getpid(), signal.SIGINT)
    )
    with pytest.raises(SystemExit) as stopped:
        trainer.run()
    assert stopped.value.code == 130
    assert load_checkpoint(tmp_path / "checkpoints")["trainer"]["iteration"] == 2
    assert signal.getsignal(signal.SIGINT) is before


def test_the_checkpoint_tells_what_the_network_saw(make_trainer, tmp_path, tiny_images):
    run(make_trainer, tmp_path, 1, dataset=tiny_images)
    content = load_checkpoint(tmp_path / "checkpoints")
    assert content["training"]["split_sha256"] == "5p117"
    assert content["labels"] == ["benign", "malignant"]


def test_a_folder_with_a_run_is_refused(make_trainer, tmp_path):
    run(make_trainer, tmp_path, 1)
    with pytest.raises(DataError, match="--resume True"):
        run(make_trainer, tmp_path, 1)


def test_resume_without_a_checkpoint_starts_afresh(make_trainer, tmp_path):
    assert run(make_trainer, tmp_path, 1, resume=True).state.epoch == 1


def test_another_architecture_is_refused_with_its_keys(make_trainer, tmp_path):
    run(make_trainer, tmp_path, 1)
    with pytest.raises(DataError, match=r"generator.blocks.0.linear.weight: shape \(128, 8\)"):
        run(make_trainer, tmp_path, 2, resume=True, width=8)


def test_other_data_are_refused(make_trainer, tmp_path, tiny_images):
    run(make_trainer, tmp_path, 1, dataset=tiny_images)
    record = tiny_images.training_record().to_dict() | {"ids": ["another"]}
    tiny_images.training_record = lambda: type("R", (), {"to_dict": lambda self: record})()
    with pytest.raises(DataError, match="its ids differ"):
        run(make_trainer, tmp_path, 2, dataset=tiny_images, resume=True)


def test_a_folder_that_cannot_be_written_fails_before_training(make_trainer, tmp_path):
    (tmp_path / "file").write_text("in the way")
    trainer = make_trainer(handlers=[RunFolder(tmp_path / "file" / "run")])
    with pytest.raises(OSError, match="cannot be written"):
        trainer.run()
    assert trainer.state.iteration == 0


@pytest.mark.parametrize(("processes", "saved"), [(1, False), (2, True)])
def test_a_second_signal_ends_one_process_at_once_and_several_in_order(
    make_trainer, tmp_path, monkeypatch, processes, saved
):
    """Of several, ``torchrun`` passes on what a batch system has sent to each already."""
    monkeypatch.setattr(run_folder, "world_size", lambda: processes)

    def signal_twice():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)

    trainer = make_trainer(handlers=[RunFolder(tmp_path)])
    trainer.add_event_handler(Events.ITERATION_STARTED(once=2), signal_twice)
    with pytest.raises(SystemExit) as stopped:
        trainer.run()
    assert stopped.value.code == 143
    assert (tmp_path / "checkpoints" / "step_00000002.pt").exists() == saved
