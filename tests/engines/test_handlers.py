import json
import logging

import pytest
from ignite.engine import Events
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from monai_gan_aug.engines.game import GanAugEvents
from monai_gan_aug.engines.grids import SampleGrid
from monai_gan_aug.engines.handlers import CurveRecorder, ProgressReport, TensorBoardWriter
from monai_gan_aug.keys import GanAugKeys, GanKeys


def test_records_are_means_over_stretches(make_trainer, tmp_path):
    seen = []
    trainer = make_trainer(
        max_epochs=1, steps=7, handlers=[CurveRecorder(tmp_path / "curves.json", every=3)]
    )

    def note(engine):
        out = engine.state.output
        seen.append(
            [
                out[GanKeys.GLOSS].item(),
                out[GanKeys.DLOSS].item(),
                out[GanAugKeys.REAL_LOGITS].sigmoid().mean().item(),
                out[GanAugKeys.FAKE_LOGITS].sigmoid().mean().item(),
            ]
        )

    trainer.add_event_handler(Events.ITERATION_COMPLETED, note)
    trainer.run()
    curves = json.loads((tmp_path / "curves.json").read_text())
    assert curves["step"] == [3, 6, 7]
    for position, name in enumerate(CurveRecorder.NAMES):
        values = [row[position] for row in seen]
        expected = [sum(values[:3]) / 3, sum(values[3:6]) / 3, values[6]]
        assert curves[name] == pytest.approx(expected, rel=1e-5)


def test_rejects_stretches_of_nothing(tmp_path):
    with pytest.raises(ValueError, match="got 0"):
        CurveRecorder(tmp_path / "x.json", every=0)


def test_tensorboard_holds_scalars_and_the_grid(make_trainer, tmp_path):
    handlers = [
        CurveRecorder(tmp_path / "curves.json", every=2),
        TensorBoardWriter(tmp_path / "events"),
        SampleGrid(tmp_path / "samples", columns=3),
    ]
    make_trainer(max_epochs=2, handlers=handlers).run()
    events = EventAccumulator(str(tmp_path / "events"), size_guidance={"images": 0})
    events.Reload()
    assert sorted(events.Tags()["scalars"]) == sorted(CurveRecorder.NAMES)
    assert [event.step for event in events.Scalars("d_real")] == [2, 4, 6, 8]
    assert [event.step for event in events.Images("fixed_latents")] == [4, 8]


def test_each_epoch_leaves_a_line_in_the_log(make_trainer, tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="monai_gan_aug")
    handlers = [CurveRecorder(tmp_path / "curves.json"), ProgressReport()]
    make_trainer(max_epochs=2, handlers=handlers).run()
    lines = [r.message for r in caplog.records if r.message.startswith("Epoch ")]
    assert [line.split(":")[0] for line in lines] == ["Epoch 1 of 2", "Epoch 2 of 2"]


def test_recording_fires_its_event(make_trainer, tmp_path):
    steps = []
    trainer = make_trainer(steps=4, handlers=[CurveRecorder(tmp_path / "c.json", every=2)])
    trainer.add_event_handler(
        GanAugEvents.RECORDED, lambda engine: steps.append(engine.state.record["step"])
    )
    trainer.run()
    assert steps == [2, 4]
