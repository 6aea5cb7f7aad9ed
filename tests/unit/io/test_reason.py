from fluvial.errors import FluvialError, StorageError
from fluvial.io.reason import cause, reason

LONG = "/srv/" + "a" * 600


def test_our_own_advice_is_told_whole() -> None:
    assert reason(StorageError(f"{LONG} is broken", f"rm -rf {LONG}/offsets")) == (
        f"{LONG} is broken; rm -rf {LONG}/offsets"
    )


def test_a_message_without_advice_stands_alone() -> None:
    assert reason(FluvialError("it broke")) == "it broke"


def test_of_others_the_first_line_is_told_and_not_too_much_of_it() -> None:
    assert reason(ValueError("\n  it broke\nat line 7")) == "it broke"
    assert len(cause(ValueError(LONG))) == 400
