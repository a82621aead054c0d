import pytest
from ignite.engine import Events

from monai_gan_aug.engines.best import BestCheckpoint
from monai_gan_aug.engines.checkpoint import find_good_checkpoint, load_checkpoint
from monai_gan_aug.engines.guards import OneSidedGuard
from monai_gan_aug.engines.run_folder import RunFolder

VALUES = {1: 0.5, 2: 0.1, 3: float("nan"), 4: 0.3}


def run(make_trainer, folder, epochs=4, resume=False, values=VALUES, **more):
    trainer = make_trainer(
        max_epochs=epochs, steps=2, handlers=[RunFolder(folder, resume=resume, **more)]
    )

    def measure(engine):
        engine.state.metrics["score"] = values[engine.state.epoch]

    trainer.add_event_handler(Events.EPOCH_COMPLETED, measure)
    trainer.run()
    return load_checkpoint(folder / "checkpoints" / "best")


@pytest.mark.parametrize(("best_is", "step", "value"), [("lowest", 4, 0.1), ("highest", 2, 0.5)])
def test_the_best_of_all_epochs_stays(make_trainer, tmp_path, best_is, step, value):
    best = run(make_trainer, tmp_path, best_metric="score", best_is=best_is)
    assert best["trainer"]["iteration"] == step
    assert best["best"] == {"metric": "score", "value": value}
    assert load_checkpoint(tmp_path / "checkpoints")["trainer"]["iteration"] == 8
    assert len(list((tmp_path / "checkpoints" / "best").glob("*.pt"))) == 1


def test_a_resumed_run_remembers_the_best(make_trainer, tmp_path):
    run(make_trainer, tmp_path, epochs=2, best_metric="score")
    best = run(make_trainer, tmp_path, resume=True, best_metric="score")
    assert best["trainer"]["iteration"] == 4


def test_a_number_nobody_measures_is_an_error_that_lists_the_others(make_trainer, tmp_path):
    with pytest.raises(ValueError, match=r"'fid' is not measured: choose from \['score'\]"):
        run(make_trainer, tmp_path, best_metric="fid")


def test_best_is_one_of_two(tmp_path):
    with pytest.raises(ValueError, match="`best_is` must be one of"):
        BestCheckpoint(tmp_path, "kid", "nearest")


def test_a_suspect_checkpoint_is_not_good_whatever_its_number(make_trainer, tmp_path):
    guard = OneSidedGuard(patience=100)
    trainer = make_trainer(
        max_epochs=4, steps=1, handlers=[guard, RunFolder(tmp_path, best_metric="score", keep=1)]
    )

    def doubt(engine):
        engine.state.metrics["score"] = -engine.state.epoch
        guard.seen = int(engine.state.epoch > 2)

    trainer.add_event_handler(Events.EPOCH_COMPLETED, doubt)
    trainer.run()
    checkpoints = tmp_path / "checkpoints"
    assert load_checkpoint(checkpoints)["trainer"]["iteration"] == 4
    assert find_good_checkpoint(checkpoints).name == "step_00000002.pt"
    assert load_checkpoint(checkpoints / "best")["trainer"]["iteration"] == 4


def test_a_damaged_good_checkpoint_gives_way_to_an_older_one(make_trainer, tmp_path):
    run(make_trainer, tmp_path, best_metric="score")
    checkpoints = tmp_path / "checkpoints"
    (checkpoints / "step_00000008.pt").write_bytes(b"damaged")
    assert find_good_checkpoint(checkpoints).name == "step_00000006.pt"


def test_there_is_no_good_one_before_the_first(tmp_path):
    assert find_good_checkpoint(tmp_path) is None
