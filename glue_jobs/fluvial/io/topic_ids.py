"""Which topic was last read under each name: one that is deleted and made anew gets another id from Kafka."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from fluvial.io.state_files import StateFiles


@dataclass
class TopicIds:
    """The ids of the topics that a lane reads; a text for each, which is written when it changes."""

    files: StateFiles
    _known: dict[str, str | None] = field(default_factory=dict, init=False)

    def is_other(self, topic: str, found: str | None) -> bool:
        """Whether the topic that is there now isn't the one that was read; False where either is unknown."""
        known = self._find(topic)
        return known is not None and found is not None and known != found

    def find_gap(self, topic: str, found: str | None) -> str:
        """What is missing where the topic is another one; "" where it isn't."""
        return f"{topic} was made anew: Kafka gives it another id" if self.is_other(topic, found) else ""

    def note(self, found: Mapping[str, str]) -> None:
        """These are the topics that are read. Raises StorageError."""
        for topic, topic_id in found.items():
            if self._find(topic) != topic_id:
                self.files.write(topic, json.dumps(topic_id))
                self._known[topic] = topic_id

    def _find(self, topic: str) -> str | None:
        """None as well where the text can't be read: the next batch writes it anew."""
        if topic not in self._known:
            self._known[topic] = None
            with suppress(ValueError):
                self._known[topic] = json.loads(self.files.read(topic) or "null")
        return self._known[topic]
