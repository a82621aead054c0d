"""Errors survive the way back from a worker process and read as one sentence."""

import copy
import pickle

import pytest

from monai_gan_aug.errors import DataError, ImageReadError, ProvenanceError

BAD = ImageReadError("a/1.dcm", "is empty", "copy it again from the source")


@pytest.mark.parametrize("error", [DataError("x"), ProvenanceError("y"), BAD], ids=repr)
@pytest.mark.parametrize("send", [copy.copy, lambda e: pickle.loads(pickle.dumps(e))])
def test_survives_the_way_between_processes(error, send):
    received = send(error)
    assert type(received) is type(error)
    assert str(received) == str(error)
    assert vars(received) == vars(error)


def test_names_file_reason_and_remedy():
    assert str(BAD) == "a/1.dcm is empty: copy it again from the source."
    assert (BAD.name, BAD.reason, BAD.remedy) == (
        "a/1.dcm",
        "is empty",
        "copy it again from the source",
    )


@pytest.mark.parametrize("kind", [DataError, ProvenanceError, ImageReadError])
def test_all_are_bad_values(kind):
    assert issubclass(kind, DataError)
    assert issubclass(kind, ValueError)
