"""Patterns judged as Java 17's `Pattern.compile` judged them when it was asked."""

import pytest

from fluvial.config.java_regex import regex_error


@pytest.mark.parametrize(
    "pattern",
    [
        "", "(?i)a", "a(?i)b", "(?<n>a)\\k<n>", "[a[b]]", "[a&&[^b]]", "[[a]]", "\\Qa(b\\E", "\\Qa(", "(?<=a|bc)d",
        "(?<!a{1,3})b", "\\p{L}", "\\pL", "\\p{IsAlphabetic}", "\\P{Lu}", "\\h\\R", "\\x{1F600}", "a++", "(?>a)", "\\z",
        "\\G", "\\_", "]", "}", "a|", "(?x) a # c", "(?u:a)", "(?-i)a", "[\\]]", "[a\\Q]\\E]", "\\b{g}", "^[A-Z]{2}$",
    ],
)  # fmt: skip
def test_what_java_accepts_passes(pattern: str) -> None:
    assert regex_error(pattern) == ""


@pytest.mark.parametrize(
    "pattern",
    [
        "[]", "[^]", "a{b", "a{,3}", "{", "\\y", "\\E", "[a[b]", "(?P<n>a)", "(?P=n)", "(a", "a)", "[z-a]", "*a",
        "[a-z", "(?#c)a", "(?(1)a)", "a**", "x{2,1}", "x{99999999999}", "(?<n>a)(?<n>b)", "\\", "(?a)x", "(?L)x",
        "\\U0001F600", "\\u12",
    ],
)  # fmt: skip
def test_what_java_refuses_is_refused(pattern: str) -> None:
    assert regex_error(pattern)
