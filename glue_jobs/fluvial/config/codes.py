"""The stable codes of everything that can be wrong in a configuration file; a code never changes its meaning."""

from enum import StrEnum


class Code(StrEnum):
    """E00x: the file. E01x: the shape. E02x: names. E03x, E04x: meaning. E05x: transforms that change the shape.

    E06x, E07x: the running source. W0xx: a warning, the file can be used.
    """

    UNREADABLE = "E001"
    NOT_YAML = "E002"
    HOSTILE_YAML = "E003"
    DUPLICATE_KEY = "E004"
    NOT_A_MAPPING = "E005"
    UNKNOWN_PLACEHOLDER = "E006"

    UNKNOWN_KEY = "E010"
    MISSING_KEY = "E011"
    WRONG_TYPE = "E012"
    WRONG_VALUE = "E013"
    UNKNOWN_RULE = "E014"
    UNKNOWN_TRANSFORM = "E015"
    UNKNOWN_TYPE = "E016"

    UNKNOWN_COLUMN = "E020"
    DUPLICATE_COLUMN = "E021"
    DUPLICATE_ID = "E022"
    DUPLICATE_TABLE = "E023"
    RESERVED_NAME = "E024"
    WRONG_USE_CASE_NAME = "E025"

    TRANSFORM_ON_KEY = "E030"
    RULE_MISFITS_TYPE = "E031"
    TRANSFORM_MISFITS_TYPE = "E032"
    EMPTY_RANGE = "E033"
    WRONG_BOUND = "E034"
    WRONG_ALLOWED_VALUE = "E035"
    WRONG_REGEX = "E036"
    WRONG_CHECK = "E037"
    NEVER_PASSES = "E038"
    CONTRADICTION = "E039"
    UNCLASSIFIED_COLUMN = "E040"
    UNMASKED_PII = "E041"
    SHARED_PLACE = "E042"

    TARGET_EXISTS = "E050"
    WRONG_CAST = "E051"
    WRONG_DEFAULT = "E052"
    UNUSABLE_EXTENSION = "E053"
    WRONG_GENERALIZATION = "E054"
    WRONG_EXPRESSION = "E055"
    MISSING_TYPE = "E056"
    WRONG_REFERENCE = "E057"

    WAL_LEVEL = "E060"
    NO_FREE_SLOT = "E061"
    NO_PRIVILEGE = "E062"
    NO_SOURCE_TABLE = "E063"
    NO_SOURCE_COLUMN = "E064"
    SOURCE_TYPE_DIFFERS = "E065"
    SOURCE_KEY_DIFFERS = "E066"
    SOURCE_CAPTURED_BY_PARTITION = "E067"
    SOURCE_COLUMN_GENERATED = "E068"
    SOURCE_ROWS_HIDDEN = "E069"
    SOURCE_INHERITED = "E070"
    SOURCE_UNLOGGED = "E071"

    DUPLICATE_RULE = "W001"
    LOOKS_PERSONAL = "W002"
    NOTHING_TO_MEASURE = "W003"
    UNPROTECTED_RECORDS = "W004"
    DEPENDS_ON_BATCH = "W005"
    EMPTY_LANE = "W007"
    WEAK_IDENTITY = "W010"
    SOURCE_WITHOUT_ZONE = "W011"
    SOURCE_PARTITIONED = "W012"

    @property
    def is_warning(self) -> bool:
        """Whether all can go on nevertheless."""
        return self.startswith("W")
