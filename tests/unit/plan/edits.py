"""One edit of tables.yaml after another, each with the place and the effect that the plan has to tell."""

import copy
from typing import Any, NamedTuple

Raw = dict[str, Any]
GONE = object()
FORWARD, METADATA, REFUSED, REDERIVED = "forward only", "metadata only", "refused", "history re-derived"


class Edit(NamedTuple):
    """What a person does; which path gets which value; what the plan tells of which place of a table or a setting."""

    sentence: str
    path: str
    value: Any
    table: str
    place: str
    effect: str


RULE = {"id": "plate_known", "type": "regex", "column": "plate", "params": {"pattern": "^[A-Z]"}}
PRESENT = {"id": "seen_present", "type": "not_null", "column": "seen_at"}
TRIM = {"id": "trim", "type": "trim", "column": "plate", "order": 1}
ROUND = {"id": "round", "type": "round", "column": "price", "order": 2, "params": {"decimals": 2}}
UPPER = {"id": "upper", "type": "upper", "column": "plate", "order": 3}
MASK = {"id": "mask", "type": "mask_pii", "column": "plate", "params": {"visible_chars": 1}}
TO_INT = {"id": "cast", "type": "cast", "column": "price", "params": {"to_type": "bigint"}, "order": 9}
LABEL = {"id": "label", "type": "rename", "column": "plate", "params": {"new_name": "label"}, "order": 9}
DROP = {"id": "gone", "type": "drop", "column": "plate"}
TOKEN = {"id": "token", "type": "tokenize", "column": "plate", "params": {"key": "env:PLATE_KEY"}}
BAND = {"id": "band", "type": "generalize", "column": "price", "params": {"band": 10}}
UNKNOWN = {"id": "unknown", "type": "default_value", "column": "plate", "params": {"value": "?"}}
GROSS = {
    "id": "gross",
    "type": "map",
    "column": "gross",
    "params": {"expression": "{{ price * 1.19 }}", "to_type": "double"},
}
DOUBLED = {"id": "doubled", "type": "map", "column": "price", "params": {"expression": "{{ price * 2 }}"}}
COUNTED = {
    "id": "counted", "type": "aggregate", "column": "filled",
    "params": {"function": "count", "fields": ["plate", "price"], "to_type": "int"},
}  # fmt: skip
DEAR = {"id": "dear", "type": "filter", "params": {"expression": "{{ price > 10 }}"}}
COLOUR = {"name": "colour", "type": "string"}
DRIVERS = {"name": "drivers", "primary_key": "id", "schema": [{"name": "id", "type": "int"}]}
EMPTY = {"name": "empty", "primary_key": "id", "schema": [{"name": "id", "type": "int"}]}

BASE: Raw = {
    "name": "fleet",
    "settings": {
        "checkpoint_location": "s3://checkpoints/fleet",
        "quarantine_path": "s3://quarantine/fleet",
        "delta_bucket": "lake",
    },
    "kafka": {"bootstrap_servers": "127.0.0.1:9092"},
    "source_database": {"schema_name": "public"},
    "tables": [
        {
            "name": "vehicles",
            "primary_key": "id",
            "schema": [
                {"name": "id", "type": "int", "nullable": False},
                {"name": "plate", "type": "string"},
                {"name": "price", "type": "decimal(38,4)"},
                {"name": "seen_at", "type": "timestamp"},
            ],
            "dq_rules": [
                RULE,
                {"id": "price_range", "type": "range", "column": "price", "params": {"min": 0, "max": 100}},
            ],
            "transforms": [TRIM, ROUND],
            "deequ_checks": [{"metric": "completeness", "column": "plate", "threshold": 0.9}],
        },
        EMPTY,
    ],
}


def apply_edit(edit: Edit) -> Raw:
    """The base configuration after the edit."""
    raw = copy.deepcopy(BASE)
    *steps, last = edit.path.split("/")
    place: Any = raw
    for step in steps:
        place = _member(place, step)
    if last == "+":
        place.append(edit.value)
    elif edit.value is GONE:
        place.pop(place.index(_member(place, last)) if isinstance(place, list) else last)
    else:
        place[last] = edit.value
    return raw


def _member(place: Any, name: str) -> Any:
    if isinstance(place, list):
        return next(item for item in place if name in (item.get("id"), item.get("name"), item.get("metric")))
    return place[name]


T = "tables/vehicles"
RULES, TRANSFORMS, SCHEMA, CHECKS = f"{T}/dq_rules", f"{T}/transforms", f"{T}/schema", f"{T}/deequ_checks"
V = "vehicles"

EDITS = (
    Edit("a rule is added", f"{RULES}/+", PRESENT, V, "dq_rules.seen_present", FORWARD),
    Edit("a rule is removed", f"{RULES}/price_range", GONE, V, "dq_rules.price_range", FORWARD),
    Edit("a bound is raised", f"{RULES}/price_range/params/max", 200, V, "dq_rules.price_range", FORWARD),
    Edit("a bound is removed", f"{RULES}/price_range/params/max", GONE, V, "dq_rules.price_range", FORWARD),
    Edit("a pattern changes", f"{RULES}/plate_known/params/pattern", "^B", V, "dq_rules.plate_known", FORWARD),
    Edit("a rule only warns", f"{RULES}/plate_known/severity", "warning", V, "dq_rules.plate_known", FORWARD),
    Edit("a rule has another column", f"{RULES}/price_range/column", "id", V, "dq_rules.price_range", FORWARD),
    Edit("a rule has another id", f"{RULES}/price_range/id", "price", V, "dq_rules.price", FORWARD),
    Edit("a transform is added", f"{TRANSFORMS}/+", UPPER, V, "transforms.upper", FORWARD),
    Edit("a transform is removed", f"{TRANSFORMS}/trim", GONE, V, "transforms.trim", FORWARD),
    Edit("a transform rounds elsewhere", f"{TRANSFORMS}/round/params/decimals", 1, V, "transforms.round", FORWARD),
    Edit("a transform runs later", f"{TRANSFORMS}/trim/order", 9, V, "transforms.trim", FORWARD),
    Edit("a stored column is cast", f"{TRANSFORMS}/+", TO_INT, V, "transforms.price.type", REFUSED),
    Edit("a column is renamed in the lake", f"{TRANSFORMS}/+", LABEL, V, "lake.label", FORWARD),
    Edit("the old name is no longer filled", f"{TRANSFORMS}/+", LABEL, V, "lake.plate", FORWARD),
    Edit("a column is left out", f"{TRANSFORMS}/+", DROP, V, "lake.plate", FORWARD),
    Edit("what is left out is hidden", f"{TRANSFORMS}/+", DROP, V, "masked_columns.plate", FORWARD),
    Edit("a column becomes tokens", f"{TRANSFORMS}/+", TOKEN, V, "masked_columns.plate", FORWARD),
    Edit("a column gets coarser", f"{TRANSFORMS}/+", BAND, V, "transforms.band", FORWARD),
    Edit("a default stands for null", f"{TRANSFORMS}/+", UNKNOWN, V, "transforms.unknown", FORWARD),
    Edit("an expression makes a column", f"{TRANSFORMS}/+", GROSS, V, "lake.gross", FORWARD),
    Edit("an expression replaces a value", f"{TRANSFORMS}/+", DOUBLED, V, "transforms.doubled", FORWARD),
    Edit("a figure over columns is made", f"{TRANSFORMS}/+", COUNTED, V, "lake.filled", FORWARD),
    Edit("rows are filtered", f"{TRANSFORMS}/+", DEAR, V, "transforms.dear", FORWARD),
    Edit("a column is masked", f"{TRANSFORMS}/+", MASK, V, "masked_columns.plate", FORWARD),
    Edit("a column is tracked", f"{T}/track_columns", ["plate"], V, "track_columns", REDERIVED),
    Edit("two columns are tracked", f"{T}/track_columns", ["plate", "seen_at"], V, "track_columns", REDERIVED),
    Edit("all are tracked by name", f"{T}/track_columns", ["plate", "price", "seen_at"], V, "track_columns", METADATA),
    Edit("a column is added", f"{SCHEMA}/+", COLOUR, V, "schema.colour", FORWARD),
    Edit("a column is dropped", f"{SCHEMA}/seen_at", GONE, V, "schema.seen_at", FORWARD),
    Edit("a column is retyped", f"{SCHEMA}/seen_at/type", "date", V, "schema.seen_at.type", REFUSED),
    Edit("a decimal is widened", f"{SCHEMA}/price/type", "decimal(38,6)", V, "schema.price.type", REFUSED),
    Edit("a column becomes required", f"{SCHEMA}/plate/nullable", False, V, "schema.plate.nullable", FORWARD),
    Edit("columns change places", SCHEMA, BASE["tables"][0]["schema"][::-1], V, "schema", METADATA),
    Edit(
        "a column is classified", f"{SCHEMA}/plate/classification", "public", V, "schema.plate.classification", METADATA
    ),
    Edit("a table is marked sensitive", f"{T}/sensitive", True, V, "sensitive", METADATA),
    Edit("the source tells less", f"{T}/replica_identity", "default", V, "replica_identity", FORWARD),
    Edit("the primary key grows", f"{T}/primary_key", ["id", "seen_at"], V, "primary_key", REFUSED),
    Edit("the primary key is another", f"{T}/primary_key", ["seen_at"], V, "primary_key", REFUSED),
    Edit("the topic is renamed", f"{T}/topic", "fleet.vehicles", V, "topic", FORWARD),
    Edit("the table moves to another lane", f"{T}/lane", "hot", V, "lane", FORWARD),
    Edit("the topic gets partitions", f"{T}/partitions", 6, V, "partitions", METADATA),
    Edit("the table gets a breaker", f"{T}/circuit_breaker", {"share": 0.5}, V, "circuit_breaker", METADATA),
    Edit("the history is to lie elsewhere", f"{T}/delta_path", "s3://elsewhere/vehicles", V, "delta_path", REFUSED),
    Edit("a metric is added", f"{CHECKS}/+", {"metric": "size", "threshold": 1}, V, "deequ_checks.size()", FORWARD),
    Edit("a metric is removed", f"{CHECKS}/completeness", GONE, V, "deequ_checks.completeness(plate)", FORWARD),
    Edit(
        "a threshold is raised", f"{CHECKS}/completeness/threshold", 1, V, "deequ_checks.completeness(plate)", FORWARD
    ),
    Edit("dead letters keep their bytes", f"{T}/dead_letter_payload", "raw", V, "dead_letter_payload", FORWARD),
    Edit("a table is added", "tables/+", DRIVERS, "drivers", "table", FORWARD),
    Edit("a table is removed", T, GONE, V, "table", FORWARD),
    Edit("a table is renamed", f"{T}/name", "lorries", "lorries", "table", FORWARD),
    Edit("an empty table has another key", "tables/empty/primary_key", "no", "empty", "primary_key", FORWARD),
    Edit("an empty table is retyped", "tables/empty/schema/id/type", "bigint", "empty", "schema.id.type", FORWARD),
    Edit("an empty table moves", "tables/empty/delta_path", "s3://elsewhere/empty", "empty", "delta_path", METADATA),
    Edit("the trigger is slower", "settings/trigger_interval", "1 minute", "", "settings.trigger_interval", METADATA),
    Edit(
        "a lane is quicker", "settings/lanes", {"hot": {"trigger_interval": "1 second"}}, "", "settings.lanes", METADATA
    ),
    Edit("batches are smaller", "settings/max_records_per_batch", 9, "", "settings.max_records_per_batch", METADATA),
    Edit(
        "the checkpoint moves", "settings/checkpoint_location", "s3://b/c", "", "settings.checkpoint_location", FORWARD
    ),
    Edit("the quarantine moves", "settings/quarantine_path", "s3://b/q", "", "settings.quarantine_path", FORWARD),
    Edit("the lake moves", "settings/delta_bucket", "sea", "", "settings.delta_bucket", REFUSED),
    Edit("every topic gets partitions", "kafka/partitions", 3, "", "kafka.partitions", METADATA),
    Edit("topics keep records for longer", "kafka/retention_days", 30, "", "kafka.retention_days", METADATA),
    Edit("the broker has another user", "kafka/username", "fleet", "", "kafka.username", METADATA),
    Edit("another capture", "source_database/capture", "dms", "", "source_database.capture", REFUSED),
    Edit("another database", "source_database/database", "other", "", "source_database.database", REFUSED),
    Edit("another schema", "source_database/schema_name", "other", "", "source_database.schema_name", REFUSED),
)
