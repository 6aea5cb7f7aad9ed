"""What expressions may say, and where they go wrong."""

import pytest

from fluvial.config.expression_error import ExpressionError
from fluvial.config.expressions import read_expression

COLUMNS = (
    ("price", "decimal(10,2)"), ("tax", "double"), ("email", "string"), ("is_gift", "boolean"), ("born", "date"),
    ("photo", "binary"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind", "columns"),
    [
        ("{{ price + tax }}", "number", {"price", "tax"}),
        ('{{ email.split("@")[0][:3] }}***', "text", {"email"}),
        ("{{ (price - 1.5) * -2 / tax % 7 }}", "number", {"price", "tax"}),
        ("{{ email ~ '/' ~ price }}", "text", {"email", "price"}),
        ("{{ email | trim | lower | replace('a', '') }}", "text", {"email"}),
        ("{{ email.upper().startswith('A') and not is_gift }}", "boolean", {"email", "is_gift"}),
        ("{{ born >= '2000-01-01' or born is none }}", "boolean", {"born"}),
        ("{{ email in ['a', 'b'] or email not in ['c'] }}", "boolean", {"email"}),
        ("{{ 'big' if price > 100 else none }}", "text", {"price"}),
        ("{{ price | default(0) | round(1) | abs }}", "number", {"price"}),
        ("{{ email | length }}", "number", {"email"}),
        ("{{ born | string }}", "text", {"born"}),
    ],
)
def test_the_whitelist_holds_what_rows_need(text: str, kind: str, columns: set[str]) -> None:
    term = read_expression(text, COLUMNS)

    assert (term.kind, term.columns) == (kind, columns)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("{{ prise + tax }}", 4, "no column 'prise'"),
        ("{{ price + email }}", 12, "expected a number, found a text"),
        ("{{ price.real }}", 9, "an attribute isn't allowed"),
        ("{{ email.__class__ }}", 9, "an attribute isn't allowed"),
        ("{{ email.format(1) }}", 16, "no function 'format'"),
        ("{{ ''.join(['a']) }}", 11, "no function 'join'"),
        ("{{ cycler.__init__.__globals__.os.popen('id') }}", 40, "no function 'popen'"),
        ("{{ range(10) }}", 9, "a call isn't allowed"),
        ("{{ [1, 2] }}", 4, "a list isn't allowed"),
        ("{{ {'a': 1} }}", 4, "a mapping isn't allowed"),
        ("{{ price ** 9 }}", 4, "pow isn't allowed"),
        ("{% for x in email %}{% endfor %}", 4, "statements aren't allowed"),
        ("{% set x = 1 %}{{ x }}", 4, "statements aren't allowed"),
        ("{% include 'x' %}", 4, "statements aren't allowed"),
        ("{{ price | pprint }}", 12, "no function 'pprint'"),
        ("{{ price | round(places=2) }}", 12, "named arguments aren't allowed"),
        ("{{ price | round('2') }}", 18, "'round' needs a constant whole number here"),
        ("{{ email.split('') }}", 16, "'split' needs a constant text here"),
        ("{{ email.split(email) }}", 16, "'split' needs a constant text here"),
        ("{{ email.split('@') }}", 1, "a list is no value"),
        ("{{ email[0] }}", 9, "only what `split` gives has items"),
        ("{{ price[:3] }}", 9, "only a text can be cut with [a:b]"),
        ("{{ email[price:] }}", 10, "expected a constant whole number"),
        ("{{ 1 < price < 5 }}", 18, "comparisons in a row aren't allowed"),
        ("{{ price == 'many' }}", 13, "a number can't be compared with a text"),
        ("{{ born > 'soon' }}", 11, "a date or timestamp can't be compared with a text"),
        ("{{ is_gift + 1 }}", 4, "expected a number, found a boolean"),
        ("{{ 1 if price else 2 }}", 9, "expected a boolean, found a number"),
        ("{{ 1 if is_gift else 'a' }}", 4, "one side is a number, the other a text"),
        ("{{ photo }}", 4, "column 'photo' is binary"),
        ("{{ 123456789012345678901234 }}", 4, "the number is too long"),
        ("{{ price + }}", 12, "unexpected 'end of print statement'"),
        ("{{ price", 4, "unexpected end of template, expected 'end of print statement'."),
        ("price + tax", 1, "no expression"),
        ("{{ " + "-" * 31 + "price }}", 34, "nested deeper than 30 levels"),
        ("{{ " + "(" * 480 + "price" + ")" * 480 + " }}", 1, "nested too deeply"),
        ("x" * 1001, 1000, "longer than 1000 characters"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_anything_else_is_refused_with_its_place(text: str, position: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_expression(text, COLUMNS)

    assert (caught.value.position, caught.value.message) == (position, message)
