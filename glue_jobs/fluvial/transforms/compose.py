"""Texts in Unicode's normal form C: what looks the same is the same.

Spark has no function for it and Java has one. Spark's own way of calling Java from a plan, which its encoders use, is
called here by hand: unlike a UDF it sends no row to Python, and it is generated as well as interpreted.
"""

from functools import cache
from typing import Any

from py4j.java_gateway import get_java_class
from pyspark.sql import Column
from pyspark.sql.utils import get_active_spark_context


def compose(text: Column) -> Column:
    """The text with every letter and its marks as one code point, where there is one; null stays null."""
    jvm: Any = get_active_spark_context()._jvm  # noqa: SLF001 - the view that PySpark itself builds expressions in
    calls = _calls(jvm)
    return Column(jvm.Column(calls.composed(text._jc.expr())))  # noqa: SLF001 - the same


@cache
def _calls(jvm: Any) -> "_Calls":
    # Once a JVM: it is asked for each part of each name.
    return _Calls(jvm)


class _Calls:
    """Catalyst's expressions for calls of Java methods: the three that make one text of another."""

    def __init__(self, jvm: Any) -> None:
        expressions, types = jvm.org.apache.spark.sql.catalyst.expressions, jvm.org.apache.spark.sql.types
        self._method, self._static_method = expressions.objects.Invoke, expressions.objects.StaticInvoke
        self._java_text = types.ObjectType(get_java_class(jvm.java.lang.String))
        self._spark_text = types.DataType.fromDDL("string")
        self._text_class = get_java_class(jvm.org.apache.spark.unsafe.types.UTF8String)
        self._normalizer = get_java_class(jvm.java.text.Normalizer)
        self._form = expressions.Literal.fromObject(jvm.java.text.Normalizer.Form.NFC)
        self._sequence = jvm.PythonUtils.toSeq

    def composed(self, text: Any) -> Any:
        """`UTF8String.fromString(Normalizer.normalize(text.toString(), Form.NFC))`."""
        java_text = self._method(text, "toString", self._java_text, *self._arguments())
        arguments = self._arguments(java_text, self._form)
        normal = self._static_method(self._normalizer, self._java_text, "normalize", *arguments)
        return self._static_method(self._text_class, self._spark_text, "fromString", *self._arguments(normal))

    def _arguments(self, *expressions: Any) -> tuple[Any, ...]:
        """With what both calls take behind them: no types to convert to, null for null, nullable, deterministic."""
        return self._sequence(list(expressions)), self._sequence([]), True, True, True
