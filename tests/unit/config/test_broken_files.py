"""One broken place a time: its line, its column, its code, what is said and what to do."""

from pathlib import Path

import pytest

from tests.unit.config.broken_transforms import TRANSFORM_CASES, TRIM
from tests.unit.config.samples import SHOP, broken, problems_of, warnings_of

KEYS = (
    "known: bootstrap_servers, largest_record, partitions, retention_days, sasl_mechanism, security_protocol, username"
)
NAME_RULE = "a letter first, then letters, digits and underscores, 63 at most"
RULES = "known: allowed_values, length, not_null, range, regex, unique"
NEVER_ALONE = {"E010", "E011", "E020", "E021", "E040", "E041", "E042"}
CORRECT_ONE = "correct one of the two, or remove it"
OWN_FOLDER = "give each a folder of its own"
CORRECT_TYPE = "remove it, or correct the column's type"

CASES = [
    # ---- keys
    ("settings:\n", "setings:\n", "1:1", "E010", "unknown key 'setings'", "did you mean 'settings'?"),
    ("  username: fluvial", "  pwd: x", "10:3", "E010", "unknown key 'pwd'", KEYS),
    ("    topic: cdc-orders", "    topik: x", "16:5", "E010", "unknown key 'topik'", "did you mean 'topic'?"),
    ("name: photo, type: binary, nullable: true", "name: photo, type: binary, nulable: true", "24:37", "E010",
     "unknown key 'nulable'", "did you mean 'nullable'?"),
    ("params: {min: 0, max: 100}", "params: {min: 0, maximum: 9}", "26:72", "E010",
     "unknown key 'maximum'", "did you mean 'max'?"),
    ("params: {visible_chars: 2}", "params: {visible: 2}", "32:66", "E010",
     "unknown key 'visible'", "did you mean 'visible_chars'?"),
    ("kafka:\n", "name: shop\nkafka:\n", "6:1", "E010", "unknown key 'name'", "the folder names the use case"),
    ("    topic: cdc-orders", "    topic: a\n    topic: b", "17:5", "E004",
     "key 'topic' is written twice; first on line 16", "keep one of the two"),
    ("  delta_bucket: s3://shop-delta\n", "", "2:3", "E011", "'delta_bucket' is missing",
     "add `delta_bucket: s3://${STACK_NAME}-delta-${AWS_ACCOUNT_ID}`: "
     "The bucket of histories and logs, with or without `s3://` and a prefix."),
    ("    primary_key: id\n", "", "15:5", "E011", "'primary_key' is missing",
     "add `primary_key: id`: The column, or columns, that identify a row in the source."),
    (", params: {pattern: '@'}", "", "27:9", "E011", "'params' is missing",
     'add `params: {"pattern": "^[A-Z]{2}$"}`: The pattern.'),
    ("{id: email_there, type: not_null,", "{id: email_there,", "29:9", "E011", "'type' is missing", RULES),
    # ---- values
    ("security_protocol: SASL_SSL", "security_protocol: SASL_SLL", "8:22", "E013",
     "'security_protocol' can't be 'SASL_SLL'", "did you mean 'SASL_SSL'?"),
    ("engine: postgres", "engine: oracle", "12:11", "E013", "'engine' can't be 'oracle'",
     "known: postgres, postgresql"),
    ("column: email, severity: error}", "column: email, severity: fatal}", "29:68", "E013",
     "'severity' can't be 'fatal'", "known: error, warning"),
    ("metric: completeness", "metric: completness", "35:18", "E013", "'metric' can't be 'completness'",
     "did you mean 'completeness'?"),
    ("trigger_interval: 10 seconds", "trigger_interval: often", "5:21", "E013",
     "'often' isn't a usable trigger_interval", "write it like '10 seconds', '500 milliseconds' or '1 minute'"),
    ("name: photo,", "name: my photo,", "24:16", "E013", "'my photo' isn't a usable name", NAME_RULE),
    ("name: photo,", "name: 7,", "24:16", "E012", "'name': expected text, found the number 7", "quote it: '7'"),
    ("params: {decimals: 1}", "params: {decimals: many}", "33:74", "E012",
     "'decimals': expected a whole number, found 'many'", "write digits only"),
    ("params: {decimals: 1}", "params: {decimals: 99}", "33:74", "E013",
     "'decimals': Input should be less than or equal to 18", "write a smaller number"),
    ("name: photo, type: binary, nullable: true", "name: photo, type: binary, nullable: maybe", "24:47", "E012",
     "'nullable': expected true or false, found 'maybe'", "write true or false"),
    ("    track_columns: [email, total]", "    track_columns: email", "36:20", "E012",
     "'track_columns': expected a list, found 'email'", "each item on a line of its own, after a dash"),
    ("quarantine_path: s3://shop-quarantine/shop", "quarantine_path: s3://shop/../../etc", "3:20", "E013",
     "'quarantine_path': '..' would lead out of the lake", "name the place from its bucket down"),
    ("quarantine_path: s3://shop-quarantine/shop", "quarantine_path: gs://shop", "3:20", "E013",
     "'quarantine_path': 'gs://' isn't a known kind of place", "write s3://bucket/key"),
    ("  trigger_interval: 10 seconds", "  settle: {policy: hourly}", "5:20", "E013",
     "'policy' can't be 'hourly'", "known: age, bytes, each_batch, rows"),
    ("  trigger_interval: 10 seconds", "  settle: {policy: rows}", "5:11", "E013",
     "'settle': policy 'rows' needs 'rows'",
     "like {policy: rows, rows: 100000}, {policy: bytes, bytes: 64MB} or {policy: age, age: 10 minutes}"),
    ("  trigger_interval: 10 seconds", "  settle: {rows: 5}", "5:11", "E013",
     "'settle': 'rows' means nothing to policy 'each_batch'",
     "leave it out, or choose the policy of that name; `max_age` goes with rows and bytes"),
    ("  trigger_interval: 10 seconds", "  settle: {policy: bytes, bytes: 64 MBit}", "5:34", "E013",
     "'64 MBit' isn't a usable bytes", "write it like '64MB' or '512 KiB'"),
    ("  trigger_interval: 10 seconds", "  settle: {policy: age, age: 10m}", "5:30", "E013",
     "'10m' isn't a usable age", "write it like '30 seconds', '10 minutes' or '1 hour'"),
    ("quarantine_path: s3://shop-quarantine/shop", "quarantine_path: s3://shop/it's", "3:20", "E013",
     """'quarantine_path': "'" can't stand in a path""", "use letters, digits and . _ - = / only"),
    ("bootstrap_servers: ${MSK_BOOTSTRAP_SERVERS}", "bootstrap_servers: b:1 b:2", "7:22", "E013",
     "'b:1 b:2' isn't a usable bootstrap_servers", "write it like host:9096, several separated by commas"),
    ("  username: fluvial", '  username: me"; x', "10:13", "E013", "'me\"; x' isn't a usable username",
     "letters, digits and . _ @ + = - only, 128 at most"),
    ("id: email_there", 'id: "email\\n"', "29:14", "E013", "'email\\n' isn't a usable id",
     "1 to 128 printable characters"),
    ("{pattern: '@'}", "{pattern: " + "a" * 1001 + "}", "27:74", "E013",
     "'pattern': String should have at most 1000 characters", "shorten it"),
    ("sasl_mechanism: SCRAM-SHA-512", "sasl_mechanism: PLAIN", "9:19", "E013", "'sasl_mechanism' can't be 'PLAIN'",
     "known: AWS_MSK_IAM, SCRAM-SHA-256, SCRAM-SHA-512"),
    ("schema_name: public", "schema_name: public; drop", "13:16", "E013",
     "'public; drop' isn't a usable schema_name", NAME_RULE),
    ("    topic: cdc-orders", "    topic: cdc orders", "16:12", "E013", "'cdc orders' isn't a usable topic",
     "letters, digits, dots, dashes and underscores, 249 at most"),
    # ---- kinds
    ("type: range, column: total", "type: rnage, column: total", "26:33", "E014", "unknown rule 'rnage'",
     "did you mean 'range'?"),
    ("type: not_null,", "type: distinct,", "29:33", "E014", "unknown rule 'distinct'", RULES),
    ("type: trim,", "type: trimm,", "31:32", "E015", "unknown transform 'trimm'", "did you mean 'trim'?"),
    ("type: trim,", "type: change,", "31:32", "E015", "unknown transform 'change'",
     "known: aggregate, cast, default_value, drop, encrypt, filter, generalize, join, lower, map, mask_pii, "
     "rename, round, tokenize, trim, upper"),
    ("type: trim, column: email, params: {}", "type: cast, column: email", "31:9", "E011", "'params' is missing",
     'add `params: {"to_type": "bigint"}`: The type.'),
    ("type: trim, column: email, params: {}", "type: cast, column: email, params: {to_type: intt}", "31:71", "E016",
     "unknown type 'intt'", "did you mean 'int'?"),
    ("type: trim, column: email, params: {}", "type: rename, column: email, params: {new_name: e-mail}", "31:74",
     "E013", "'e-mail' isn't a usable new_name", NAME_RULE),
    ("name: photo, type: binary", "name: photo, type: binray", "24:29", "E016", "unknown type 'binray'",
     "did you mean 'binary'?"),
    ('type: "decimal(12,2)"', 'type: "decimal(40,2)"', "21:29", "E013",
     "'type': decimal(40,2) is impossible: 1 <= precision <= 38, scale <= precision",
     "see the reference of column types: docs/reference/tables-yaml.md"),
    # ---- names
    ("    primary_key: id\n", "    primary_key: idd\n", "17:18", "E020",
     "column 'idd' isn't in the schema of table 'orders'", "did you mean 'id'?"),
    ("    primary_key: [id, country]", "    primary_key: [id, land]", "38:23", "E020",
     "column 'land' isn't in the schema of table 'buyers'", "known: country, id"),
    ("type: not_null, column: email", "type: not_null, column: emial", "29:51", "E020",
     "column 'emial' isn't in the schema of table 'orders'", "did you mean 'email'?"),
    ("type: trim, column: email", "type: trim, column: e_mail", "31:46", "E020",
     "column 'e_mail' isn't in the schema of table 'orders'", "did you mean 'email'?"),
    ("completeness, column: email", "completeness, column: mail", "35:40", "E020",
     "column 'mail' isn't in the schema of table 'orders'", "did you mean 'email'?"),
    ("track_columns: [email, total]", "track_columns: [email, totals]", "36:28", "E020",
     "column 'totals' isn't in the schema of table 'orders'", "did you mean 'total'?"),
    ("name: photo,", "name: Email,", "24:16", "E021", "column 'Email' is used twice; first in item 2 of schema",
     "rename or remove one of the two"),
    ("    primary_key: [id, country]", "    primary_key: [id, country, ID]", "38:32", "E021",
     "column 'ID' is used twice; first in item 1 of primary_key", "rename or remove one of the two"),
    ("id: email_there", "id: email_known", "29:14", "E022",
     "rule id 'email_known' is used twice; first in item 3 of dq_rules", "rename or remove one of the two"),
    ("id: total_round", "id: email_trim", "33:14", "E022",
     "transform id 'email_trim' is used twice; first in item 1 of transforms", "rename or remove one of the two"),
    ("  - name: buyers", "  - name: ORDERS\n    topic: t", "37:11", "E023",
     "name 'ORDERS' is already used by table 1 of the file", "give each table its own"),
    ("  - name: buyers", "  - topic: cdc-orders\n    name: buyers", "37:12", "E023",
     "topic 'cdc-orders' is already used by table 1 of the file", "give each table its own"),
    ("name: photo,", "name: _photo,", "24:16", "E024",
     "'_photo': names with a leading underscore belong to Fluvial", "rename it, for example to 'photo'"),
    ("  - name: buyers", "  - name: dead_letters", "37:11", "E024",
     "table name 'dead_letters' is reserved: Fluvial keeps a table of its own there",
     "rename the table in the source, or leave it out"),
    ("  - name: buyers", "  - name: buyers__log", "37:11", "E024",
     "table name 'buyers__log' is reserved: Fluvial keeps a table of its own there",
     "rename the table in the source, or leave it out"),
    ("  - name: buyers", "  - name: _buyers", "37:11", "E024",
     "table name '_buyers' is reserved: Fluvial keeps a table of its own there",
     "rename the table in the source, or leave it out"),
    # ---- meaning
    ("type: round, column: total", "type: round, column: id", "33:48", "E030",
     "transform 'round' on the primary-key column 'id' could make two rows one",
     "transform another column, or remove it"),
    ("type: range, column: total", "type: range, column: is_gift", "26:48", "E031",
     "rule 'range' needs a date or timestamp or number column; 'is_gift' is boolean",
     "choose another rule, or correct the column's type"),
    ("type: regex, column: email", "type: regex, column: total", "27:49", "E031",
     "rule 'regex' needs a text column; 'total' is decimal(12,2)",
     "choose another rule, or correct the column's type"),
    ("type: allowed_values, column: email", "type: allowed_values, column: photo", "28:57", "E031",
     "rule 'allowed_values' needs a boolean or date or timestamp or number or text column; 'photo' is binary",
     "choose another rule, or correct the column's type"),
    ("type: trim, column: email", "type: trim, column: total", "31:46", "E032",
     "transform 'trim' needs a text column; 'total' is decimal(12,2)",
     "choose another transform, or correct the column's type"),
    ("type: mask_pii, column: email", "type: mask_pii, column: placed_on", "32:50", "E032",
     "transform 'mask_pii' needs a text column; 'placed_on' is date",
     "choose another transform, or correct the column's type"),
    ("type: round, column: total", "type: round, column: email", "33:48", "E032",
     "transform 'round' needs a number column; 'email' is string",
     "choose another transform, or correct the column's type"),
    ("{min: 0, max: 100}", "{min: 101, max: 100}", "26:69", "E033",
     "min 101 is above max 100: no value can pass", "swap min and max"),
    ("type: regex, column: email, params: {pattern: '@'}", "type: length, column: email, params: {min: 5, max: 4}",
     "27:71", "E033", "min 5 is above max 4: no value can pass", "swap min and max"),
    ("type: regex, column: email, params: {pattern: '@'}", "type: length, column: email, params: {}", "27:65", "E013",
     "'params': length needs min, max or both", "add `params: {min: …, max: …}` with at least one of the two"),
    ("type: regex, column: email, params: {pattern: '@'}", "type: length, column: email, params: {min: -1}",
     "27:71", "E013", "'min': Input should be greater than or equal to 0", "write a larger number"),
    ("type: regex, column: email, params: {pattern: '@'}", "type: length, column: total, params: {min: 1}",
     "27:50", "E031", "rule 'length' needs a text column; 'total' is decimal(12,2)",
     "choose another rule, or correct the column's type"),
    ("type: not_null, column: email,", "type: unique, column: email, params: {scope: table},", "29:65", "E010",
     "unknown key 'scope'", "leave it out: there are none"),
    ("column: total, params: {min: 0, max: 100}", "column: placed_on, params: {min: '2025-01-01', max: '2024-01-01'}",
     "26:73", "E033", "min 2025-01-01 is above max 2024-01-01: no value can pass", "swap min and max"),
    ("{min: 0, max: 100}", "{min: low}", "26:69", "E034", "min 'low' isn't a number",
     "the column is decimal(12,2): give a number"),
    ("{min: 0, max: 100}", "{min: true}", "26:69", "E034",
     "'min': expected a number, a date or a timestamp, found true", "quote dates and timestamps: '2024-01-31'"),
    ("{min: 0, max: 100}", "{max: 1e29}", "26:69", "E034",
     "max the number 1e+29 has more than 28 digits before the point", "the column is decimal(12,2): give a number"),
    ("column: total, params: {min: 0, max: 100}", "column: placed_on, params: {min: 31.01.2024}", "26:73", "E034",
     "min '31.01.2024' isn't a date in ISO 8601", "write it as 2024-01-31"),
    ("{min: 0, max: 100}", "{}", "26:63", "E013", "'params': range needs min, max or both",
     "add `params: {min: …, max: …}` with at least one of the two"),
    ("column: email, params: {values: [a@b, c@d]}", "column: id, params: {values: [1, 2.5]}", "28:82", "E035",
     "the number 2.5 isn't a whole number, so no value of a bigint column equals it", CORRECT_TYPE),
    ("column: email, params: {values: [a@b, c@d]}", "column: is_gift, params: {values: [maybe]}", "28:84", "E035",
     "'maybe' isn't true or false, so no value of a boolean column equals it", CORRECT_TYPE),
    ("{values: [a@b, c@d]}", "{values: [a@b, null]}", "28:87", "E035", "null can't be listed",
     "null passes; add a not_null rule"),
    ("{values: [a@b, c@d]}", "{values: []}", "28:81", "E013", "'values': needs at least one item", "add one"),
    ("{pattern: '@'}", "{pattern: '(@'}", "27:74", "E036",
     "'pattern': not a regular expression: missing ), unterminated subpattern",
     "Spark runs it as a Java regular expression; quote it in single quotes, so that YAML keeps \\"),
    ("{pattern: '@'}", "{pattern: '(?P<a>@)'}", "27:74", "E036",
     "'pattern': not a regular expression: (?P<name>…) is Python's spelling; Java writes (?<name>…)",
     "Spark runs it as a Java regular expression; quote it in single quotes, so that YAML keeps \\"),
    ("threshold: 0.9", "threshold: 90", "35:58", "E037",
     "'completeness' is a share: its threshold 90 can never be reached", "give a number from 0 to 1"),
    ("metric: completeness, column: email", "metric: completeness", "35:9", "E037",
     "'completeness' measures a column", "add `column:`, one of id, email, total, is_gift, placed_on, photo"),
    ("    track_columns: [email, total]", "    sensitive: true", "19:16", "E040",
     "column 'id' of sensitive table 'orders' is neither classified nor masked",
     "add `classification: pii` and a masking transform, or say that it is quasi, private or public"),
    ("name: country, type: string, nullable: false}",
     "name: country, type: string, classification: pii}\n    sensitive: true", "41:55", "E041",
     "column 'country' is pii, and sensitive table 'buyers' doesn't mask it",
     "'country' is a key, which no transform may change: let the source use a pseudonym as key"),
    ("name: country, type: string, nullable: false}",
     "name: country, type: string}\n      - {name: phone, type: string, classification: pii}\n    sensitive: true",
     "42:53", "E041", "column 'phone' is pii, and sensitive table 'buyers' doesn't mask it",
     "add `{id: phone_mask, type: mask_pii, column: phone}` to its transforms"),
    ("name: country, type: string", "name: country, type: string, classification: secret", "41:55", "E013",
     "'classification' can't be 'secret'", "known: pii, private, public, quasi"),
    # ---- rules that nothing can keep
    ("column: total, params: {min: 0, max: 100}", "column: total, params: {min: 10000000000}", "26:63", "E038",
     "no value of a decimal(12,2) column lies in the range of rule 'total_range'",
     "correct the bounds or the column's type"),
    ("column: email, params: {values: [a@b, c@d]}", "column: id, params: {values: [1, 2]}}\n"
     "      - {id: id_range, type: range, column: id, params: {min: 3, max: 9}", "29:57", "E039",
     "no value passes rule 'id_range' and rule 'email_known' both", CORRECT_ONE),
    ("type: not_null, column: email", "type: range, column: total, params: {min: 100.01}", "29:63", "E039",
     "no value passes rule 'email_there' and rule 'total_range' both", CORRECT_ONE),
    ("type: not_null, column: email", "type: range, column: total, params: {max: -1}", "29:63", "E039",
     "no value passes rule 'email_there' and rule 'total_range' both", CORRECT_ONE),
    ("type: not_null, column: email", "type: allowed_values, column: email, params: {values: [e@f]}", "29:72", "E039",
     "no value passes rule 'email_there' and rule 'email_known' both", CORRECT_ONE),
    ("type: not_null, column: email", "type: length, column: email, params: {min: 4}", "29:64", "E039",
     "no value passes rule 'email_there' and rule 'email_known' both", CORRECT_ONE),
    ("  - name: buyers", "  - name: buyers\n    dq_rules:\n"
     "      - {id: a, type: length, column: country, params: {max: 3}}\n"
     "      - {id: b, type: length, column: country, params: {min: 9}}", "40:56", "E039",
     "no value passes rule 'b' and rule 'a' both", CORRECT_ONE),
    # ---- places
    ("quarantine_path: s3://shop-quarantine/shop", "quarantine_path: s3a://shop-delta/", "3:20", "E042",
     "the quarantine of 'orders' would lie in the folder of the history of 'orders': s3://shop-delta/orders/",
     OWN_FOLDER),
    ("checkpoint_location: s3://shop-assets/checkpoints", "checkpoint_location: s3://shop-delta/buyers__log/x",
     "2:24", "E042", "the checkpoint would lie in the folder of the log of 'buyers': s3://shop-delta/buyers__log/x/",
     OWN_FOLDER),
    ("  - name: buyers", "  - name: buyers\n    delta_path: s3://shop-delta/orders__log", "38:17", "E042",
     "the history of 'buyers' would lie in the folder of the log of 'orders': s3://shop-delta/orders__log/",
     OWN_FOLDER),
    # ---- transforms that change the shape
    ("type: round, column: total, params: {decimals: 1}", "type: rename, column: id, params: {new_name: nr}", "33:49",
     "E030", "transform 'rename' on the primary-key column 'id' would part its rows from those of the quarantine",
     "transform another column, or remove it"),
    ("type: trim, column: email, params: {}", "type: rename, column: email, params: {new_name: Total}", "31:74", "E050",
     "'Total' is the name of another column", "choose another name, or rename that first"),
    ("type: trim, column: email, params: {}", "type: rename, column: email, params: {new_name: mail}", "32:50",
     "E020", "column 'email' is called 'mail' by then", "write 'mail'"),
    ("track_columns: [email, total]", "track_columns: [mail, total]", "36:21", "E020",
     "column 'mail' isn't in the schema of table 'orders'", "did you mean 'email'?"),
    ("type: round, column: total, params: {decimals: 1}", "type: cast, column: total, params: {to_type: date}", "33:72",
     "E051", "decimal(12,2) can't become date", "a number can become: number, text"),
    ("type: round, column: total, params: {decimals: 1}", "type: default_value, column: total, params: {value: none}",
     "33:79", "E052", "'none' isn't a number, so a decimal(12,2) column can't hold it", "give a number value"),
    # ---- placeholders
    ("${MSK_BOOTSTRAP_SERVERS}", "${MSK_BOOTSTRAP_SERVER}", "7:22", "E006",
     "placeholder ${MSK_BOOTSTRAP_SERVER} has no value",
     "did you mean 'MSK_BOOTSTRAP_SERVERS'?; or set it in the environment; $${ is a plain ${"),
    ("topic: cdc-orders", "topic: ${KAFKA TOPIC}", "16:12", "E006", "placeholder ${KAFKA TOPIC} has no value",
     "known: MSK_BOOTSTRAP_SERVERS, STACK_NAME; or set it in the environment; $${ is a plain ${"),
    *TRANSFORM_CASES,
]  # fmt: skip

WARNINGS = [
    ("type: not_null, column: email", "type: regex, column: email, params: {pattern: '@'}", "29:9", "W001",
     "rule 'email_there' says the same as rule 'email_format'", "remove one of the two"),
    ("name: photo,", "name: home_address, type: string}\n      - {name: photo,", "24:16", "W002",
     "column 'home_address' looks like personal data, and is written as it is",
     "mask it with a transform, or classify it: `classification: public` if it is none"),
    ("metric: completeness, column: email", "metric: compliance, column: photo", "35:38", "W003",
     "no rule judges column 'photo', so its compliance is always 1", "add a rule for it, or remove the check"),
    ("security_protocol: SASL_SSL", "security_protocol: SASL_PLAINTEXT", "8:22", "W004",
     "SASL_PLAINTEXT sends records and passwords unprotected", "write SASL_SSL"),
    ("  trigger_interval: 10 seconds", "  lanes: {mian: {trigger_interval: 1 second}}", "5:17", "W007",
     "no table is in lane 'mian'", "did you mean 'main'?"),
    ("type: not_null, column: email,", "type: unique, column: email,", "29:66", "W005",
     "rule 'email_there' quarantines by what else is in a micro-batch: the history depends on batching",
     "write `severity: warning`, and let the source keep the column unique"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("right", "wrong", "place", "code", "message", "hint"), CASES, ids=[f"{case[3]} {case[4][:40]}" for case in CASES]
)
def test_each_broken_place_is_told_with_its_line_its_code_and_a_way_out(
    tmp_path: Path, right: str, wrong: str, place: str, code: str, message: str, hint: str
) -> None:
    problems = problems_of(tmp_path, broken(right, wrong))

    told = [(f"{problem.line}:{problem.column}", problem.code, problem.message, problem.hint) for problem in problems]
    assert (place, code, message, hint) in told


def test_there_are_many_of_them_and_each_says_what_to_do() -> None:
    assert len({(case[0], case[1]) for case in CASES}) >= 60
    assert all(case[5] for case in CASES)


def test_the_sample_itself_has_no_problem(tmp_path: Path) -> None:
    assert problems_of(tmp_path, SHOP) == []


@pytest.mark.parametrize("case", [case for case in CASES if case[3] not in NEVER_ALONE])
def test_one_broken_place_is_one_problem(tmp_path: Path, case: tuple[str, ...]) -> None:
    problems = problems_of(tmp_path, broken(case[0], case[1]))

    assert len([problem for problem in problems if not problem.is_warning]) == 1


@pytest.mark.parametrize(("right", "wrong", "place", "code", "message", "hint"), WARNINGS)
def test_a_warning_is_told_like_a_problem(
    tmp_path: Path, right: str, wrong: str, place: str, code: str, message: str, hint: str
) -> None:
    problems = warnings_of(tmp_path, broken(right, wrong))

    told = [(f"{problem.line}:{problem.column}", problem.code, problem.message, problem.hint) for problem in problems]
    assert told == [(place, code, message, hint)]


def test_problems_of_shape_and_of_meaning_come_together_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        SHOP.replace("type: binary", "type: binray")
        .replace("type: range, column: total", "type: rnage, column: total")
        .replace("type: trim, column: email", "type: trim, column: emial")
        .replace("  - name: buyers\n    primary_key: [id, country]", "  - name: buyers\n    primary_key: [id, land]")
        .replace("  username: fluvial", "  user: fluvial")
    )

    assert [(problem.line, problem.code) for problem in problems_of(tmp_path, text)] == [
        (10, "E010"),
        (24, "E016"),
        (26, "E014"),
        (31, "E020"),
        (38, "E020"),
    ]


def test_what_is_broken_otherwise_has_its_column_checked_as_well(tmp_path: Path) -> None:
    text = SHOP.replace("type: range, column: total", "type: rnage, column: totla")

    assert [(problem.line, problem.code, problem.hint) for problem in problems_of(tmp_path, text)] == [
        (26, "E014", "did you mean 'range'?"),
        (26, "E020", "did you mean 'total'?"),
    ]


@pytest.mark.parametrize(
    ("made", "code"),
    [
        ("type: map, column: gross, params: {expression: '{{ totl }}', to_type: double}", "E055"),
        ("type: aggregate, column: gross, params: {function: summ, fields: [total], to_type: double}", "E013"),
        ("type: rename, column: total, params: {new_name: gross, now: true}", "E010"),
    ],
)
def test_what_a_broken_transform_would_have_made_isnt_missing_further_down(
    tmp_path: Path, made: str, code: str
) -> None:
    text = broken(TRIM, f"{made}}}\n      - {{type: round, column: gross, params: {{decimals: 1}}")

    assert [problem.code for problem in problems_of(tmp_path, text)] == [code]


def test_what_may_be_a_secret_is_repeated_nowhere_on_its_line(tmp_path: Path) -> None:
    text = broken(TRIM, "type: tokenize, column: email, params: {key: 'hunter 2', domian: x}")
    problems = problems_of(tmp_path, text)

    assert [problem.code for problem in problems] == ["E013", "E010"]
    assert {problem.source for problem in problems} == {
        "      - {id: email_trim, type: tokenize, column: email, params: {key: **********, domian: x}, order: 1}"
    }
    assert "hunter" not in str(problems)


def test_a_table_in_an_unknown_shape_leaves_the_others_checked(tmp_path: Path) -> None:
    text = SHOP.replace("  - name: buyers\n", "  - broken\n  - name: buyers\n").replace("[id, country]", "[id, land]")

    assert [(problem.line, problem.code) for problem in problems_of(tmp_path, text)] == [(37, "E012"), (39, "E020")]
