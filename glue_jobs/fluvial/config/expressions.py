"""Expressions of tables.yaml: a small whitelist of Jinja2's syntax, read into terms whose kinds are known.

What isn't listed here isn't allowed: no attribute, no call, no name but those of columns. Null makes null.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Final

from jinja2 import nodes

from fluvial.config.expression_error import ExpressionError
from fluvial.config.expression_functions import FUNCTIONS, LIST, Function, Kind
from fluvial.config.expression_syntax import parse_parts
from fluvial.config.findings import did_you_mean
from fluvial.config.types import Family, family
from fluvial.config.values import as_time

MAX_DEPTH: Final = 30

_ARITHMETIC: Final = {nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/", nodes.Mod: "%"}
_COMPARISONS: Final = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}


@dataclass(frozen=True)
class Term:
    """One operation on other terms; `value` is a column's name, a constant, or a constant argument."""

    operation: str
    kind: Kind
    terms: tuple["Term", ...] = ()
    value: Any = None

    @property
    def columns(self) -> frozenset[str]:
        """Every column that it reads."""
        own = {self.value} if self.operation == "column" else set()
        return frozenset(own.union(*(term.columns for term in self.terms)))


_DEFAULT: Final = "default"


@cache
def read_expression(text: str, types: tuple[tuple[str, str], ...]) -> Term:
    """The term of a text over columns of these Spark types; raises ExpressionError with the place of what is wrong."""
    reader = _Reader(dict(types))
    terms = [reader.read(part, 1) for part in parse_parts(text)]
    if len(terms) == 1:
        return _not_a_list(terms[0], 1)
    return Term("~", Family.TEXT, tuple(_not_a_list(term, 1) for term in terms))


def _not_a_list(term: Term, place: int) -> Term:
    if term.kind == LIST:
        raise ExpressionError("a list is no value", place, "take one of its texts: [0] is the first, [-1] the last")
    return term


class _Reader:
    """Nodes to terms."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = types

    def read(self, node: nodes.Node, depth: int) -> Term:
        if depth > MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {MAX_DEPTH} levels", node.lineno, "split it in two transforms")
        match node:
            case nodes.TemplateData():
                return Term("constant", Family.TEXT, value=node.data)
            case nodes.Const():
                return _constant(node)
            case nodes.Name():
                return self._column(node)
            case nodes.Neg():
                return Term("negative", Family.NUMBER, (self._of(node.node, depth, Family.NUMBER),))
            case nodes.Not():
                return Term("not", Family.BOOLEAN, (self._of(node.node, depth, Family.BOOLEAN),))
            case nodes.Concat():
                return Term(
                    "~", Family.TEXT, tuple(_not_a_list(self.read(each, depth + 1), each.lineno) for each in node.nodes)
                )
            case _:
                return self._read_more(node, depth)

    def _read_more(self, node: nodes.Node, depth: int) -> Term:
        match node:
            case nodes.And() | nodes.Or():
                sides = (self._of(node.left, depth, Family.BOOLEAN), self._of(node.right, depth, Family.BOOLEAN))
                return Term(node.operator, Family.BOOLEAN, sides)
            case nodes.BinExpr() if type(node) in _ARITHMETIC:
                sides = (self._of(node.left, depth, Family.NUMBER), self._of(node.right, depth, Family.NUMBER))
                return Term(_ARITHMETIC[type(node)], Family.NUMBER, sides)
            case nodes.Compare():
                return self._comparison(node, depth)
            case nodes.CondExpr():
                return self._choice(node, depth)
            case nodes.Test(name="none"):
                return Term("is none", Family.BOOLEAN, (_not_a_list(self.read(node.node, depth + 1), node.lineno),))
            case nodes.Getitem():
                return self._item(node, depth)
            case nodes.Call(node=nodes.Getattr(node=nodes.Expr() as subject, attr=name)):
                return self._function(node, subject, name, depth)
            case nodes.Filter(node=nodes.Expr() as subject, name=name):
                return self._function(node, subject, name, depth)
        raise ExpressionError(
            f"{_word(node)} isn't allowed", node.lineno, "see docs/reference/expressions.md for what is"
        )

    def _column(self, node: nodes.Name) -> Term:
        if node.name not in self._types:
            hint = did_you_mean(node.name, self._types)
            raise ExpressionError(f"no column '{node.name}'", node.lineno, hint)
        kind = family(self._types[node.name])
        if kind is Family.BYTES:
            raise ExpressionError(f"column '{node.name}' is binary", node.lineno, "no expression reads bytes")
        return Term("column", kind, value=node.name)

    def _of(self, node: nodes.Node, depth: int, wanted: Family) -> Term:
        term = self.read(node, depth + 1)
        if term.kind not in {wanted, None}:
            hint = "join texts with ~" if wanted is Family.NUMBER and term.kind is Family.TEXT else ""
            raise ExpressionError(f"expected a {wanted}, found a {term.kind}", node.lineno, hint)
        return term

    def _comparison(self, node: nodes.Compare, depth: int) -> Term:
        left = _not_a_list(self.read(node.expr, depth + 1), node.lineno)
        if len(node.ops) > 1:
            raise ExpressionError("comparisons in a row aren't allowed", node.lineno, "join two of them with `and`")
        (operand,) = node.ops
        if operand.op in {"in", "notin"}:
            if not isinstance(operand.expr, nodes.List | nodes.Tuple):
                raise ExpressionError("`in` needs a list of constants", operand.expr.lineno, "write ['a', 'b']")
            among = tuple(self._comparable(left, item, depth) for item in operand.expr.items)
            found = Term("in", Family.BOOLEAN, (left, *among))
            return found if operand.op == "in" else Term("not", Family.BOOLEAN, (found,))
        return Term(_COMPARISONS[operand.op], Family.BOOLEAN, (left, self._comparable(left, operand.expr, depth)))

    def _comparable(self, left: Term, node: nodes.Node, depth: int) -> Term:
        right = _not_a_list(self.read(node, depth + 1), node.lineno)
        is_date = left.kind is Family.TIME and right.operation == "constant" and as_time(right.value) is not None
        if is_date:
            return Term("constant", Family.TIME, value=right.value)
        if None not in {left.kind, right.kind} and left.kind != right.kind:
            hint = "write a date as '2024-01-31'" if left.kind is Family.TIME else ""
            raise ExpressionError(f"a {left.kind} can't be compared with a {right.kind}", node.lineno, hint)
        return right

    def _choice(self, node: nodes.CondExpr, depth: int) -> Term:
        condition, yes = self._of(node.test, depth, Family.BOOLEAN), self.read(node.expr1, depth + 1)
        no = self.read(node.expr2, depth + 1) if node.expr2 is not None else Term("constant", None)
        if None not in {yes.kind, no.kind} and yes.kind != no.kind:
            raise ExpressionError(f"one side is a {yes.kind}, the other a {no.kind}", node.lineno, "make both the same")
        return Term("if", yes.kind or no.kind, (condition, _not_a_list(yes, node.lineno), _not_a_list(no, node.lineno)))

    def _item(self, node: nodes.Getitem, depth: int) -> Term:
        subject = self.read(node.node, depth + 1)
        if isinstance(node.arg, nodes.Slice):
            if subject.kind is not Family.TEXT or node.arg.step is not None:
                raise ExpressionError("only a text can be cut with [a:b]", node.lineno)
            bounds = tuple(_whole(bound) for bound in (node.arg.start, node.arg.stop))
            return Term("cut", Family.TEXT, (subject,), bounds)
        if subject.kind != LIST:
            raise ExpressionError("only what `split` gives has items", node.lineno, "cut a text with [a:b]")
        return Term("item", Family.TEXT, (subject,), _whole(node.arg))

    def _function(self, node: Any, subject: nodes.Node, name: str, depth: int) -> Term:
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise ExpressionError("named arguments aren't allowed", node.lineno)
        if name == _DEFAULT:
            return self._default(node, subject, depth)
        function = FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(f"no function '{name}'", node.lineno, did_you_mean(name, [*FUNCTIONS, _DEFAULT]))
        term = self.read(subject, depth + 1)
        if term.kind is not None and term.kind not in function.takes:
            wanted = " or ".join(sorted(function.takes))
            raise ExpressionError(f"'{name}' needs a {wanted}, found a {term.kind}", node.lineno)
        return Term(name, function.gives, (term,), _constants(node, name, function))

    def _default(self, node: Any, subject: nodes.Node, depth: int) -> Term:
        if len(node.args) != 1:
            raise ExpressionError("'default' takes one value", node.lineno)
        term = _not_a_list(self.read(subject, depth + 1), node.lineno)
        other = self._comparable(term, node.args[0], depth)
        return Term(_DEFAULT, term.kind or other.kind, (term, other))


def _constant(node: nodes.Const) -> Term:
    match node.value:
        case None:
            return Term("constant", None)
        case bool():
            return Term("constant", Family.BOOLEAN, value=node.value)
        case int() | float():
            return Term("constant", Family.NUMBER, value=_decimal(node))
        case _:
            return Term("constant", Family.TEXT, value=str(node.value))


def _decimal(node: nodes.Const) -> Decimal:
    number = Decimal(str(node.value))
    if not number.is_finite() or number.adjusted() >= 20 or -int(number.as_tuple().exponent) > 10:  # noqa: PLR2004
        raise ExpressionError("the number is too long", node.lineno, "20 digits before the point, 10 behind it at most")
    return number


def _whole(node: nodes.Node | None) -> int | None:
    """A constant whole number; None where there is none."""
    if node is None:
        return None
    sign, inner = (-1, node.node) if isinstance(node, nodes.Neg) else (1, node)
    if not isinstance(inner, nodes.Const) or type(inner.value) is not int or inner.value > 10**6:
        raise ExpressionError("expected a constant whole number", node.lineno)
    return sign * inner.value


def _constants(node: Any, name: str, function: Function) -> tuple[Any, ...]:
    given: Sequence[nodes.Node] = node.args
    if not function.required <= len(given) <= len(function.constants):
        raise ExpressionError(f"'{name}' takes {len(function.constants)} constants, found {len(given)}", node.lineno)
    for place, (constant, kind) in enumerate(zip(given, function.constants, strict=False)):
        is_empty = isinstance(constant, nodes.Const) and constant.value == "" and place == 0
        if not isinstance(constant, nodes.Const) or type(constant.value) is not kind or is_empty:
            word = "text" if kind is str else "whole number"
            raise ExpressionError(f"'{name}' needs a constant {word} here", constant.lineno)
    return tuple(constant.value for constant in given if isinstance(constant, nodes.Const))


def _word(node: nodes.Node) -> str:
    words = {"Getattr": "an attribute", "Call": "a call", "Dict": "a mapping", "List": "a list", "Tuple": "a list"}
    return words.get(type(node).__name__, type(node).__name__.lower())
