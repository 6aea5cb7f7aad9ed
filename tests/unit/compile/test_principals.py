from fluvial.compile.principals import Acl, compile_acls
from fluvial.config.model import UseCase


def test_each_component_may_do_what_it_does_and_nothing_more(shop: UseCase) -> None:
    of_orders = {(acl.principal, acl.operation) for acl in compile_acls(shop) if acl.name == "cdc-orders"}

    assert of_orders == {
        ("fluvial-capture", "WRITE"),
        ("fluvial-capture", "DESCRIBE"),
        ("fluvial", "READ"),
        ("fluvial", "DESCRIBE"),
        *(("fluvial-admin", operation) for operation in ("CREATE", "ALTER", "DELETE", "DESCRIBE")),
        *(("fluvial-admin", operation) for operation in ("ALTER_CONFIGS", "DESCRIBE_CONFIGS")),
    }


def test_streaming_may_only_join_groups_that_spark_names(shop: UseCase) -> None:
    groups = [acl for acl in compile_acls(shop) if acl.resource == "GROUP"]

    assert groups == [Acl("fluvial", "GROUP", "spark-kafka-", "READ", "PREFIXED")]


def test_no_permission_is_for_every_topic(shop: UseCase) -> None:
    assert [acl for acl in compile_acls(shop) if acl.resource == "TOPIC" and acl.pattern != "LITERAL"] == []
