"""Broken transforms for `test_broken_files`: hiding, and expressions."""

TRIM = "type: trim, column: email, params: {}"
ROUND = "type: round, column: total, params: {decimals: 1}"

TRANSFORM_CASES = [
    # ---- hiding
    (TRIM, "type: tokenize, column: email, params: {key: hunter2}", "31:71",
     "E013", "'key' isn't a reference to a secret", "write env:NAME or aws:NAME; the secret itself never stands here"),
    (ROUND, "type: generalize, column: total, params: {to: year}", "33:73",
     "E054", "'to' can't generalize a decimal(12,2) column", "write 'band'"),
    (ROUND, "type: generalize, column: total, params: {to: year, band: 5}",
     "33:68", "E013", "'params': generalize needs one of to, band and prefix",
     "dates: `to: year` or `month`; numbers: `band: 10`; texts: `prefix: 3`"),
    (TRIM, "type: encrypt, column: is_gift, params: {key: 'env:K'}}\n"
     "      - {type: cast, column: is_gift, params: {to_type: int}",
     "32:57", "E051", "'is_gift' is a token or a ciphertext by then, which has no other type",
     "cast before it is hidden, or not at all"),
    (TRIM, "type: drop, column: photo}\n      - {type: upper, column: photo",
     "32:31", "E020", "column 'photo' isn't in the schema of table 'orders'",
     "known: email, id, is_gift, placed_on, total"),
    # ---- expressions
    (TRIM, "type: map, column: gross, params: {expression: '{{ totl + 1 }}', to_type: double}",
     "31:77", "E055", "at character 4: no column 'totl'", "did you mean 'total'?"),
    (TRIM, "type: map, column: gross, params: {expression: '{{ total + 1 }}'}",
     "31:60", "E056", "'gross' is a new column, and its type isn't said", "add `to_type: string`, or another type"),
    (TRIM, "type: map, column: Total, params: {expression: '{{ 1 }}'}", "31:45", "E050",
     "'Total' differs from column 'total' in case only", "write 'total', or choose another name"),
    (TRIM, "type: map, column: id, params: {expression: '{{ 1 }}'}", "31:45", "E030",
     "transform 'map' on the primary-key column 'id' could make two rows one",
     "transform another column, or remove it"),
    (TRIM, "type: map, column: is_gift, params: {expression: '{{ total }}'}", "31:75", "E055",
     "the expression gives a number", "make it one that gives a boolean"),
    (TRIM, "type: filter, params: {expression: '{{ email }}'}", "31:61", "E055",
     "the expression gives a text", "make it one that gives a boolean"),
    (TRIM, "type: aggregate, column: total, params: {function: sum, fields: [total, emial]}", "31:98", "E020",
     "no column 'emial' by then", "did you mean 'email'?"),
    (TRIM, "type: aggregate, column: total, params: {function: sum, fields: [total, email]}", "31:98", "E032",
     "'sum' needs numbers; 'email' is string", "take the column out, or cast it before"),
    (TRIM, "type: aggregate, column: photo, params: {function: count, fields: [total]}", "31:66", "E051",
     "a figure isn't a binary", "give a number as `to_type`"),
]  # fmt: skip
