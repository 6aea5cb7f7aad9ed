"""What is wrong with an expression; apart from the parser, whose import would cost those who use none."""


class ExpressionError(Exception):
    """What can't be read or isn't allowed, and at which character, counted from 1."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.position, self.hint = message, position, hint
