"""Text with `{{ … }}` as Jinja2's parser reads it, each node with its place; nothing of Jinja2 is ever run."""

from collections.abc import Iterator
from typing import Any, Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream

from fluvial.config.expression_error import ExpressionError

MAX_LENGTH: Final = 1_000


class _PlacedEnvironment(Environment):
    """Counts characters where Jinja2 counts lines, so that every node's `lineno` is its place."""

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        stream = self._placed(source, name, filename, state)
        return TokenStream(self.lexer.wrap(stream, name, filename), name, filename)

    def _placed(
        self, source: str, name: str | None, filename: str | None, state: str | None
    ) -> Iterator[tuple[int, str, str]]:
        end = 0
        for _, kind, text in self.lexer.tokeniter(source, name, filename, state):
            begin = max(source.find(text, end), end) if text else end
            yield begin + 1, kind, text
            end = begin + len(text)


_ENVIRONMENT: Final[Any] = _PlacedEnvironment()


def parse_parts(text: str) -> list[nodes.Expr]:
    """The expressions between the braces and the texts around them, in their order; raises ExpressionError."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"longer than {MAX_LENGTH} characters", MAX_LENGTH, "split it into several transforms")
    try:
        template = _ENVIRONMENT._parse(text, None, None)  # noqa: SLF001 - `parse` would hide the place of an error
    except TemplateSyntaxError as error:
        raise ExpressionError(str(error.message), error.lineno) from error
    except RecursionError as error:
        raise ExpressionError("nested too deeply", 1, "split it into several transforms") from error
    parts: list[nodes.Expr] = []
    for node in template.body:
        if not isinstance(node, nodes.Output):
            raise ExpressionError("statements aren't allowed", node.lineno, "write an expression in {{ }}")
        parts.extend(node.nodes)
    if all(isinstance(part, nodes.TemplateData) for part in parts):
        raise ExpressionError("no expression", 1, "write one in {{ }}, like {{ price + tax }}")
    return parts
