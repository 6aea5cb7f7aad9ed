"""The models of a tables.yaml whose rules and transforms include some that a use case registered."""

from functools import cache, reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from fluvial.config.extensions import Registered
from fluvial.config.model import Table, UseCase
from fluvial.config.rules import BUILT_IN_RULES
from fluvial.config.transforms import BUILT_IN_TRANSFORMS


@cache
def use_case_model(registered: Registered) -> type[UseCase]:
    """UseCase itself where nothing is registered; otherwise one that knows the registered kinds as well."""
    if not registered.rules and not registered.transforms:
        return UseCase
    table = table_model(registered)
    tables: Any = (tuple[table, ...], _like(UseCase, "tables"))  # type: ignore[valid-type]
    return create_model("UseCase", __base__=UseCase, __module__=__name__, tables=tables)


@cache
def table_model(registered: Registered) -> type[Table]:
    """The table of `use_case_model`."""
    if not registered.rules and not registered.transforms:
        return Table
    fields: dict[str, Any] = {
        "dq_rules": (_tuple_of((*BUILT_IN_RULES, *registered.rules)), _like(Table, "dq_rules")),
        "transforms": (_tuple_of((*BUILT_IN_TRANSFORMS, *registered.transforms)), _like(Table, "transforms")),
    }
    model: type[Table] = create_model("Table", __base__=Table, __module__=__name__, **fields)
    return model


def _tuple_of(kinds: tuple[Any, ...]) -> Any:
    union: Any = reduce(or_, kinds)
    return tuple[Annotated[union, Field(discriminator="type")], ...]


def _like(model: type[Table] | type[UseCase], name: str) -> FieldInfo:
    """The field's default, limits and description, for another type."""
    known = model.model_fields[name]
    made: FieldInfo = Field(default=known.default, description=known.description)
    made.metadata = [*known.metadata]
    return made
