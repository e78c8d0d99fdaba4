"""From a message with a choice of cases to the entry of a table that builds the chosen one."""

from typing import Any

from object_detection.errors import ConfigError
from object_detection.registry import Table


def check_message(config: Any, message_class: type) -> None:
    """Refuses anything but a message of the class; a `ConfigError`."""
    if not isinstance(config, message_class):
        raise ConfigError(
            f"A {message_class.__name__} message is needed here, got {type(config).__name__}."
        )


def build_case(table: Table, config: Any, message_class: type, oneof: str) -> Any:
    """What the table's entry for the chosen case makes of that case's message.

    Args:
        table: case -> function of the case's message.
        config: the message with the choice.
        message_class: its class.
        oneof: name of the choice.

    Raises:
        ConfigError: another message, no choice made, or one that is not in the table.
    """
    check_message(config, message_class)
    case = config.WhichOneof(oneof)
    translate = table[case]
    return translate(getattr(config, case))
