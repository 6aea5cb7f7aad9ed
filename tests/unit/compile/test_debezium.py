import re

from fluvial.compile.debezium import SourceEndpoint, compile_connector, epoch_of, without_secrets
from fluvial.config.model import UseCase

SOURCE = SourceEndpoint(host="127.0.0.1", port=5432, user="cdc", password="hush")  # noqa: S106 - a made-up one


def test_the_whole_connector_configuration(shop: UseCase) -> None:
    assert compile_connector(shop, SOURCE) == {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": "127.0.0.1",
        "database.port": "5432",
        "database.user": "cdc",
        "database.password": "hush",
        "database.dbname": "corner_shop",
        "database.sslmode": "prefer",
        "database.initial.statements": "set row_security = off",
        "topic.prefix": "corner-shop",
        "plugin.name": "pgoutput",
        "slot.name": "fluvial_corner_shop",
        "publication.name": "fluvial_corner_shop",
        "publication.autocreate.mode": "disabled",
        "table.include.list": r"sales\.fluvial_heartbeat,sales\.orders,sales\.order_lines",
        "snapshot.mode": "initial",
        "skipped.operations": "none",
        "tombstones.on.delete": "true",
        "extended.headers.enabled": "false",
        "poll.interval.ms": "50",
        "max.queue.size.in.bytes": "33554432",
        "decimal.handling.mode": "string",
        "time.precision.mode": "isostring",
        "interval.handling.mode": "string",
        "binary.handling.mode": "base64",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": "false",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "heartbeat.interval.ms": "5000",
        "heartbeat.action.query": 'update "sales"."fluvial_heartbeat" set beat_at = now() where id = 1',
        "signal.enabled.channels": "source",
        "signal.data.collection": "sales.fluvial_signal",
        "topic.creation.default.replication.factor": "-1",
        "topic.creation.default.partitions": "1",
        "predicates": "own",
        "predicates.own.type": "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        "predicates.own.pattern": r"corner-shop\.sales\.(fluvial_heartbeat|fluvial_signal)",
        "transforms": "own,route_order_lines,route",
        "transforms.own.type": "org.apache.kafka.connect.transforms.Filter",
        "transforms.own.predicate": "own",
        "transforms.route_order_lines.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.route_order_lines.regex": r"corner-shop\.sales\.order_lines",
        "transforms.route_order_lines.replacement": "shop.lines",
        "transforms.route.type": "org.apache.kafka.connect.transforms.RegexRouter",
        "transforms.route.regex": r"corner-shop\.sales\.(orders)",
        "transforms.route.replacement": "cdc-$1",
    }


def test_the_router_leaves_heartbeats_and_signals_alone(shop: UseCase) -> None:
    pattern = compile_connector(shop, SOURCE)["transforms.route.regex"]

    assert re.fullmatch(pattern, "corner-shop.sales.orders")
    assert not re.fullmatch(pattern, "corner-shop.sales.fluvial_signal")
    assert not re.fullmatch(pattern, "__debezium-heartbeat.corner-shop")


def test_a_later_generation_stamps_its_epoch_into_every_event(shop: UseCase) -> None:
    first, second = compile_connector(shop, SOURCE), compile_connector(shop, SOURCE, epoch=2)

    assert dict(second.items() - first.items()) == {
        "transforms": "own,route_order_lines,route,epoch",
        "transforms.epoch.type": "org.apache.kafka.connect.transforms.InsertField$Value",
        "transforms.epoch.static.field": "fluvial_epoch",
        "transforms.epoch.static.value": "2",
    }
    assert (epoch_of(first), epoch_of(second)) == (0, 2)


def test_no_secret_survives_printing(shop: UseCase) -> None:
    assert "hush" not in str(without_secrets(compile_connector(shop, SOURCE)))
    assert "hush" not in repr(SOURCE)
