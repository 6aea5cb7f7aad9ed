from fluvial.local.jvm import _quote, render_properties


def test_properties_are_latin_1_with_everything_else_escaped() -> None:
    assert render_properties({"log.dirs": "/home/josé/データ", "node.id": 1}) == (
        "log.dirs=/home/jos\\u00e9/\\u30c7\\u30fc\\u30bf\nnode.id=1\n"
    )


def test_a_backslash_in_a_property_is_doubled() -> None:
    assert render_properties({"plugin.path": "a\\b"}) == "plugin.path=a\\\\b\n"


def test_a_character_beyond_sixteen_bits_is_two_escapes() -> None:
    assert render_properties({"a": "😀"}) == "a=\\ud83d\\ude00\n"


def test_an_argument_with_spaces_is_quoted() -> None:
    assert _quote("-Dpath=/my home") == '"-Dpath=/my home"'
