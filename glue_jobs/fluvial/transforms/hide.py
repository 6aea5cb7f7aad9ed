"""What the de-identification transforms do in Spark.

Keys come as columns of one row that `io` joins to the events: a literal would stand in plans, logs and the history
server. Spark has no HMAC, but it has SHA-256, and HMAC is two of those over padded keys.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from pyspark.sql import Column
from pyspark.sql import functions as F

from fluvial.base64_text import base64_text
from fluvial.config.deidentification import DropTransform, EncryptTransform, GeneralizeTransform, TokenizeTransform
from fluvial.config.model import Table
from fluvial.config.types import INTEGER_TYPES, Family, family
from fluvial.transforms.compose import compose

STORED_TEXT: Final = r"^(tok_[0-9a-f]{8}_[0-9a-f]{64}|enc_[0-9a-f]{8}_[A-Za-z0-9+/=\s]+)$"
"""What `tokenize` and `encrypt` write; what they wrote once had line breaks."""

_BLOCK: Final = 64
_IV_BYTES: Final = 12


@dataclass(frozen=True)
class KeyUse:
    """A secret and what a key is derived from it for; the columns that carry it begin with `prefix`."""

    reference: str
    purpose: str

    @property
    def prefix(self) -> str:
        """Of its columns: working names, which are never written."""
        return f"_key_{hashlib.sha256(f'{self.reference} {self.purpose}'.encode()).hexdigest()[:12]}"

    def columns(self, secret: bytes) -> dict[str, Any]:
        """Name and value of each column."""
        key, identity = _derive(secret, self.purpose), _derive(secret, "key id").hex()[:8]
        padded = key.ljust(_BLOCK, b"\0")
        return {
            f"{self.prefix}_id": identity,
            f"{self.prefix}_key": _derive(secret, f"{self.purpose} cipher"),
            f"{self.prefix}_inner": bytes(byte ^ 0x36 for byte in padded),
            f"{self.prefix}_outer": bytes(byte ^ 0x5C for byte in padded),
        }


def _derive(secret: bytes, purpose: str) -> bytes:
    return hmac.new(secret, f"fluvial {purpose}".encode(), hashlib.sha256).digest()


def key_use(transform: TokenizeTransform | EncryptTransform) -> KeyUse:
    """Which key the transform takes."""
    return KeyUse(transform.params.key, f"{transform.type} {transform.domain}")


def key_uses(table: Table) -> tuple[KeyUse, ...]:
    """Every key that the table's transforms take, each once."""
    keyed: Iterable[Any] = (each for each in table.transforms if isinstance(each, TokenizeTransform | EncryptTransform))
    return tuple(dict.fromkeys(map(key_use, keyed)))


def apply_tokenize(transform: TokenizeTransform, value: Column) -> Column:
    """`tok_<key id>_<HMAC-SHA-256 in hexadecimal>`, of the composed text: one token however a letter is spelled."""
    prefix = key_use(transform).prefix
    token = _hmac(prefix, F.encode(compose(value.cast("string")), "UTF-8"))
    return F.concat(F.lit("tok_"), F.col(f"{prefix}_id"), F.lit("_"), token)


def apply_encrypt(transform: EncryptTransform, value: Column) -> Column:
    """`enc_<key id>_<base64 of IV, ciphertext and tag>`.

    The IV is derived from the value: the same event must become the same row, however often it is delivered.
    """
    prefix = key_use(transform).prefix
    text = F.encode(value.cast("string"), "UTF-8")
    iv = F.substring(F.unhex(_hmac(prefix, text)), 1, _IV_BYTES)
    mode, padding = F.lit("GCM"), F.lit("DEFAULT")
    sealed = F.aes_encrypt(text, F.col(f"{prefix}_key"), mode, padding, iv, F.lit(transform.domain))
    return F.concat(F.lit("enc_"), F.col(f"{prefix}_id"), F.lit("_"), base64_text(sealed))


def _hmac(prefix: str, message: Column) -> Column:
    inner = F.unhex(F.sha2(F.concat(F.col(f"{prefix}_inner"), message), 256))
    return F.sha2(F.concat(F.col(f"{prefix}_outer"), inner), 256)


def apply_generalize(transform: GeneralizeTransform, value: Column, spark_type: str) -> Column:
    """Coarser, in the same type; what is coarse already stays as it is."""
    params = transform.params
    match family(spark_type):
        case Family.TIME:
            return F.date_trunc(str(params.to), value).cast(spark_type)
        case Family.NUMBER:
            width = F.lit(str(params.band)).cast("bigint" if spark_type in INTEGER_TYPES else _exact(spark_type))
            return (value - F.pmod(value, width)).cast(spark_type)
        case _:
            return F.substring(value, 1, params.prefix or 0)


def _exact(spark_type: str) -> str:
    return "decimal(20,10)" if spark_type.startswith("decimal") else "double"


def apply_drop(transform: DropTransform, value: Column) -> Column:
    """Nothing; only the quarantine ever shows it."""
    return F.lit(None).cast("string")
