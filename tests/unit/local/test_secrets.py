from pathlib import Path

import pytest

from fluvial.config.model import UseCase
from fluvial.errors import SecretError
from fluvial.io.secrets import read_secret
from fluvial.local.home import Home
from fluvial.local.secrets import provide_secrets

MADE, GIVEN = "aws:shop/identity", "env:GIVEN_KEY"


def shop() -> UseCase:
    transforms = [
        {"type": "tokenize", "column": "name", "params": {"key": MADE}},
        {"type": "encrypt", "column": "mail", "params": {"key": GIVEN}},
        {"type": "upper", "column": "town"},
    ]
    columns = [{"name": name, "type": "string"} for name in ("id", "name", "mail", "town")]
    table = {"name": "buyers", "primary_key": "id", "schema": columns, "transforms": transforms}
    settings = {"checkpoint_location": "s3://b/c", "quarantine_path": "s3://b/q", "delta_bucket": "b"}
    kafka = {"bootstrap_servers": "broker:9096"}
    return UseCase.model_validate({"name": "shop", "settings": settings, "kafka": kafka, "tables": [table]})


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key is given; what the code sets is forgotten again."""
    monkeypatch.setenv("FLUVIAL_SECRETS", "")
    monkeypatch.setenv("GIVEN_KEY", "given" * 8)


def test_a_secret_that_nobody_gave_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    provide_secrets(shop(), Home(tmp_path))
    first = read_secret(MADE)
    provide_secrets(shop(), Home(tmp_path))

    (file,) = (tmp_path / "secrets").iterdir()
    assert (read_secret(MADE), file.stat().st_mode & 0o077) == (first, 0)
    assert len(first) >= 32


def test_what_the_environment_gives_is_taken(tmp_path: Path) -> None:
    provide_secrets(shop(), Home(tmp_path))

    assert read_secret(GIVEN) == b"given" * 8


def test_without_a_folder_a_missing_secret_is_an_error_and_a_short_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SecretError, match="env:NO_SUCH_KEY has no value"):
        read_secret("env:NO_SUCH_KEY")
    monkeypatch.setenv("GIVEN_KEY", "hunter2")
    with pytest.raises(SecretError, match="fewer than 32 characters") as raised:
        read_secret(GIVEN)
    assert "hunter2" not in str(raised.value)
