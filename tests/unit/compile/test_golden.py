from pathlib import Path

import pytest

from fluvial.compile.artifacts import compile_artifacts
from fluvial.config.load import load_use_case

SHOP = Path("tests/unit/compile/corner-shop")
STAYING = {name: f"${{{name}}}" for name in ("STACK_NAME", "AWS_ACCOUNT_ID", "AWS_REGION", "MSK_BOOTSTRAP_SERVERS")}


@pytest.fixture
def shop_folder(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath / SHOP


def test_every_artifact_is_its_golden_file(shop_folder: Path) -> None:
    compiled = compile_artifacts(load_use_case(shop_folder / "tables.yaml", STAYING))
    golden = {
        path.relative_to(shop_folder / "golden").as_posix(): path.read_text(encoding="utf-8")
        for path in (shop_folder / "golden").rglob("*.*")
    }

    assert {artifact.name: artifact.text for artifact in compiled} == golden, "`make golden` rewrites them"


def test_compiling_twice_gives_the_same_bytes(shop_folder: Path) -> None:
    first, second = (compile_artifacts(load_use_case(shop_folder / "tables.yaml", STAYING)) for _ in range(2))

    assert [artifact.text for artifact in first] == [artifact.text for artifact in second]
