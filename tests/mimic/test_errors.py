import copy

import pytest

from mimic import errors


def test_an_error_carries_cause_and_remedy() -> None:
    error = errors.DataError("There is nothing.", "Bring something.")
    assert (error.cause, error.remedy) == ("There is nothing.", "Bring something.")
    assert str(error) == "There is nothing. Bring something."


@pytest.mark.parametrize(
    "name",
    ["ConfigError", "EncoderError", "DataError", "TriggerError", "TrainingError", "StorageError",
     "RunError"],
)  # fmt: skip
def test_every_kind_is_caught_as_one(name: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, errors.MimicError)
    assert name in (errors.__doc__ or "")


def test_an_error_survives_the_way_out_of_a_worker_process() -> None:
    error = copy.copy(errors.DataError("There is nothing.", "Bring something."))
    assert type(error) is errors.DataError
    assert (error.cause, error.remedy) == ("There is nothing.", "Bring something.")
