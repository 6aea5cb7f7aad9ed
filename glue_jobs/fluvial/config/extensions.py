"""`register`: rules and transforms of your own, from a Python file beside tables.yaml that `settings.extensions` names.

They get what built-in ones have: parameters that are checked, a place in JSON Schema and reference, errors with a line.
"""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any, ClassVar, Final, Literal, TypeVar, get_args

from pydantic import create_model

from fluvial.config.base import Params
from fluvial.config.lake_shape import LakeColumn, LakeShape
from fluvial.config.rules import BUILT_IN_RULES, BaseRule
from fluvial.config.transform_base import BaseTransform
from fluvial.config.transforms import BUILT_IN_TRANSFORMS
from fluvial.config.types import Family, spark_type

__all__ = [
    "ExtensionError",
    "Family",
    "Params",
    "Registered",
    "UserRule",
    "UserTransform",
    "load_extensions",
    "register",
]


class UserRule(BaseRule):
    """A rule of your own: say in `violated` which values break it."""

    def violated(self, value: Any) -> Any:
        """A Column that is true where the value (a Column) breaks the rule; null counts as kept."""
        raise NotImplementedError


class UserTransform(BaseTransform):
    """A transform of your own: say in `change` what becomes of the value."""

    accepts: ClassVar[frozenset[Family]] = frozenset(Family)
    to_type: ClassVar[str] = ""
    """The type that the column gets; its own unless said."""

    def change(self, value: Any) -> Any:
        """The changed value; both are Columns."""
        raise NotImplementedError

    def reshape(self, shape: LakeShape) -> LakeShape:
        """The column gets `to_type`, where there is one."""
        if not self.to_type:
            return shape
        return {**shape, self.column: LakeColumn(spark_type(self.to_type), shape[self.column].sources)}


@dataclass(frozen=True)
class Registered:
    """The rules and transforms that one use case may name, by their `type`."""

    rules: tuple[type[UserRule], ...] = ()
    transforms: tuple[type[UserTransform], ...] = ()


class ExtensionError(Exception):
    """The file can't be used; the message says where and why."""


_KINDS: Final[dict[type[Any], tuple[str, tuple[Any, ...]]]] = {
    UserRule: ("violated", BUILT_IN_RULES),
    UserTransform: ("change", BUILT_IN_TRANSFORMS),
}
_collected: ContextVar[list[type[Any]] | None] = ContextVar("collected", default=None)
Kind = TypeVar("Kind", bound=type[UserRule] | type[UserTransform])


def register(name: str) -> Callable[[Kind], Kind]:
    """Makes the class below it the rule or transform of that `type`."""

    def decorate(kind: Any) -> Any:
        base = next((known for known in _KINDS if known in getattr(kind, "__mro__", ())), None)
        if base is None:
            raise TypeError(f"'{name}' is neither a UserRule nor a UserTransform")
        _require_usable(name, kind, base)
        fields: dict[str, Any] = {"type": (Literal[name], ...)}
        named = create_model(kind.__name__, __base__=kind, __module__=kind.__module__, __doc__=kind.__doc__, **fields)
        if (collected := _collected.get()) is not None:
            collected.append(named)
        return named

    return decorate


def _require_usable(name: str, kind: type[Any], base: type[Any]) -> None:
    method, built_in = _KINDS[base]
    taken = {_name_of(known) for known in (*built_in, *(_collected.get() or ()))}
    if not name.isidentifier() or not name.islower():
        raise ValueError(f"'{name}' isn't a usable name: small letters, digits and underscores")
    if name in taken:
        raise ValueError(f"there is a '{name}' already")
    if not isinstance(vars(kind).get(method), FunctionType):
        raise TypeError(f"'{name}' needs a method {method}(self, value)")
    if not kind.__doc__ or kind.__doc__ == base.__doc__:
        raise TypeError(f"'{name}' needs a docstring: it is its documentation")


def _name_of(kind: type[Any]) -> str:
    return str(get_args(kind.model_fields["type"].annotation)[0])


def load_extensions(name: str, folder: Path) -> Registered:
    """What `<name>.py` beside tables.yaml, or an importable module of that name, registers; raises ExtensionError."""
    path = _find(name.removesuffix(".py"), folder)
    status = path.stat()
    return _load(path, status.st_mtime_ns, status.st_size)


def _find(name: str, folder: Path) -> Path:
    path = folder.absolute() / f"{name}.py"
    if path.is_file():
        return path
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise ExtensionError(f"no file {name}.py beside tables.yaml, and no module '{name}' that can be imported")
    return Path(spec.origin)


@cache
def _load(path: Path, changed_ns: int, size: int) -> Registered:
    """Runs the file under a name of its own, so that two use cases may have files of one name."""
    spec = importlib.util.spec_from_file_location(f"fluvial_extension_{sha256(bytes(path)).hexdigest()[:12]}", path)
    if spec is None or spec.loader is None:
        raise ExtensionError(f"{path.name} isn't a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # pydantic looks a class's names up there
    with _collecting() as collected, _told_with_its_line(path):
        spec.loader.exec_module(module)
    rules = tuple(kind for kind in collected if issubclass(kind, UserRule))
    return Registered(rules, tuple(kind for kind in collected if issubclass(kind, UserTransform)))


@contextmanager
def _collecting() -> Iterator[list[type[Any]]]:
    collected: list[type[Any]] = []
    token = _collected.set(collected)
    try:
        yield collected
    finally:
        _collected.reset(token)


@contextmanager
def _told_with_its_line(path: Path) -> Iterator[None]:
    try:
        yield
    except SyntaxError as error:
        raise ExtensionError(f"{path.name}:{error.lineno}: {error.msg}") from error
    except Exception as error:
        frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = f":{frames[-1]}" if frames else ""
        raise ExtensionError(f"{path.name}{line}: {type(error).__name__}: {error}") from error
