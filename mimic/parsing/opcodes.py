"""A symbolic reader of pickle streams: it says what a stream asks for and does none of it.

Written after the opcode descriptions in CPython's ``pickletools``. Nothing is imported or called:
a global becomes a ``Global``, a call a ``Call``, an instance an ``Instance``. What torch.save and
TorchScript never write is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mimic.errors import EncoderError
from mimic.printable import printable

MAX_PICKLE_BYTES = 16 * 2**20
MAX_OPCODES = 1_000_000
MAX_KEY_PARTS = 16
Scalar = int | float | str | bytes | bool | None


class StreamError(Exception):
    """The stream is cut, ill-formed, too long, or uses what torch.save never writes."""


class ForeignGlobalError(StreamError):
    """The stream asks for a global that is no part of plain weights; its name is the text."""


@dataclass(frozen=True)
class Global:
    """A name the stream refers to: ``module.name``, not looked up."""

    module: str
    name: str

    @property
    def text(self) -> str:
        """The dotted name, in Python 3's spelling."""
        module = "builtins" if self.module == "__builtin__" else self.module
        return f"{module}.{self.name}"


@dataclass(eq=False)
class Instance:
    """What a call or a construction would have made.

    Args:
        of: what would have been called; usually a ``Global``.
        arguments: with what, normally a tuple.
        items: entries set afterwards, as on an ordered dictionary.
        state: attributes set afterwards.
    """

    of: Any
    arguments: Any
    items: dict[Any, Any] = field(default_factory=dict)
    state: Any = None


@dataclass(eq=False)
class Persistent:
    """A reference to bytes outside the stream: torch's storages."""

    identity: Any


class SymbolicReader:
    """Reads one pickle stream.

    Args:
        data: bytes that begin with the stream; more may follow it.
        allowed: says whether a global's dotted name is acceptable.
    """

    def __init__(self, data: bytes | memoryview, allowed: Callable[[str], bool]) -> None:
        self.data = memoryview(data)
        self.allowed = allowed
        self.place = 0
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.globals: set[str] = set()
        self.persistent: list[Persistent] = []
        self.protocol = 0

    def read(self) -> Any:
        """The symbolic value of the stream; ``place`` is then the first byte after it.

        Raises:
            StreamError: see the classes above.
        """
        try:
            for _ in range(MAX_OPCODES):
                code = self.take(1)[0]
                if code == ord("."):
                    if self.marked or len(self.stack) != 1:
                        raise StreamError("unbalanced")
                    return self.stack.pop()
                step = STEPS.get(code)
                if step is None:
                    raise StreamError(f"opcode {code}")
                step(self)
        except (IndexError, KeyError, ValueError, TypeError, struct.error) as error:
            raise StreamError("ill-formed") from error
        raise StreamError("too many opcodes")

    def take(self, count: int) -> bytes:
        """The next bytes of the stream."""
        end = self.place + count
        if end > len(self.data) or end > MAX_PICKLE_BYTES:
            raise StreamError("cut")
        taken = bytes(self.data[self.place : end])
        self.place = end
        return taken

    def line(self) -> str:
        """The next line of the stream, at most 500 bytes."""
        window = bytes(self.data[self.place : self.place + 500])
        end = window.find(b"\n")
        if end < 0:
            raise StreamError("cut")
        self.place += end + 1
        return window[:end].decode("utf-8")

    def number(self, form: str) -> Any:
        """One packed number."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def begin(self, protocol: int) -> None:
        """Note the pickle protocol that the stream says it uses."""
        self.protocol = max(self.protocol, protocol)

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def add_global(self, module: Any, name: Any) -> None:
        """Put a name on the stack, if it is acceptable."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise StreamError("ill-formed")
        found = Global(module, name)
        if not self.allowed(found.text):
            raise ForeignGlobalError(found.text)
        self.globals.add(found.text)
        self.push(found)

    def since_mark(self) -> list[Any]:
        """What was put on the stack since the last mark."""
        items, self.stack = self.stack, self.marked.pop()
        return items


def mark(reader: SymbolicReader) -> None:
    """Begin a group of values."""
    reader.marked.append(reader.stack)
    reader.stack = []


def set_items(reader: SymbolicReader, items: list[Any]) -> None:
    """Put pairs of values into the dictionary on top of the stack."""
    target = reader.stack[-1]
    entries = target.items if isinstance(target, Instance) else target
    if not isinstance(entries, dict) or len(items) % 2:
        raise StreamError("ill-formed")
    for key, value in zip(items[::2], items[1::2], strict=True):
        entries[plain_key(key)] = value


def plain_key(key: Any) -> Any:
    """The key, if hashing it is cheap: nested shared tuples take exponential time."""
    parts = key if isinstance(key, tuple) else (key,)
    if len(parts) > MAX_KEY_PARTS or not all(isinstance(part, Scalar) for part in parts):
        raise StreamError("odd key")
    return key


def append(reader: SymbolicReader, items: list[Any]) -> None:
    """Put values into the list on top of the stack."""
    if not isinstance(reader.stack[-1], list):
        raise StreamError("ill-formed")
    reader.stack[-1].extend(items)


def persist(reader: SymbolicReader) -> None:
    """Replace an identity by a reference to bytes outside the stream."""
    found = Persistent(reader.stack.pop())
    reader.persistent.append(found)
    reader.push(found)


def call(reader: SymbolicReader) -> None:
    """Replace a name and arguments by what calling it would give."""
    arguments = reader.stack.pop()
    function = reader.stack.pop()
    if not isinstance(function, Global) or not isinstance(arguments, tuple):
        raise StreamError("ill-formed")
    if function.text == "_codecs.encode" and arguments[1:] != ("latin1",):
        raise StreamError("odd encoding")  # Looking a codec up would import a module.
    reader.push(Instance(function, arguments))


def build(reader: SymbolicReader) -> None:
    """Give attributes to the instance on top of the stack."""
    state = reader.stack.pop()
    if not isinstance(reader.stack[-1], Instance):
        raise StreamError("ill-formed")
    reader.stack[-1].state = state


def tuple_of(reader: SymbolicReader, count: int) -> None:
    """Replace the last values by a tuple of them."""
    if len(reader.stack) < count:
        raise StreamError("ill-formed")
    items = tuple(reader.stack[-count:])
    del reader.stack[-count:]
    reader.push(items)


def text_of(reader: SymbolicReader, form: str) -> None:
    """Put a text on the stack whose length stands before it."""
    reader.push(reader.take(reader.number(form)).decode("utf-8"))


def bytes_of(reader: SymbolicReader, form: str) -> None:
    """Put bytes on the stack whose length stands before them."""
    reader.push(reader.take(reader.number(form)))


def remember(reader: SymbolicReader, index: int) -> None:
    """Keep the top of the stack under a number."""
    reader.memo[index] = reader.stack[-1]


def stack_global(reader: SymbolicReader) -> None:
    """Replace two texts by the name they make."""
    name = reader.stack.pop()
    reader.add_global(reader.stack.pop(), name)


def old_instance(reader: SymbolicReader) -> None:
    """Protocol 0's construction by name: read for the name, which no plain weights need."""
    module, name = reader.line(), reader.line()
    raise ForeignGlobalError(Global(module, name).text)


STEPS: dict[int, Callable[[SymbolicReader], Any]] = {
    0x80: lambda r: r.begin(r.take(1)[0]),  # PROTO
    0x95: lambda r: r.take(8),  # FRAME
    ord("c"): lambda r: r.add_global(r.line(), r.line()),
    ord("i"): old_instance,
    0x93: stack_global,
    0x81: call,  # NEWOBJ
    ord("R"): call,
    ord("b"): build,
    ord("a"): lambda r: append(r, [r.stack.pop()]),
    ord("e"): lambda r: append(r, r.since_mark()),
    ord("s"): lambda r: set_items(r, [r.stack.pop(-2), r.stack.pop()]),
    ord("u"): lambda r: set_items(r, r.since_mark()),
    ord("("): mark,
    ord("t"): lambda r: r.push(tuple(r.since_mark())),
    0x85: lambda r: tuple_of(r, 1),
    0x86: lambda r: tuple_of(r, 2),
    0x87: lambda r: tuple_of(r, 3),
    ord("N"): lambda r: r.push(None),
    0x88: lambda r: r.push(True),
    0x89: lambda r: r.push(False),
    ord(")"): lambda r: r.push(()),
    ord("]"): lambda r: r.push([]),
    ord("}"): lambda r: r.push({}),
    ord("J"): lambda r: r.push(r.number("<i")),
    ord("K"): lambda r: r.push(r.number("<B")),
    ord("M"): lambda r: r.push(r.number("<H")),
    ord("G"): lambda r: r.push(r.number(">d")),
    0x8A: lambda r: r.push(int.from_bytes(r.take(r.number("<B")), "little", signed=True)),
    ord("X"): lambda r: text_of(r, "<I"),
    0x8C: lambda r: text_of(r, "<B"),
    ord("U"): lambda r: bytes_of(r, "<B"),
    ord("B"): lambda r: bytes_of(r, "<I"),
    ord("C"): lambda r: bytes_of(r, "<B"),
    ord("Q"): persist,
    ord("h"): lambda r: r.push(r.memo[r.number("<B")]),
    ord("j"): lambda r: r.push(r.memo[r.number("<I")]),
    ord("q"): lambda r: remember(r, r.number("<B")),
    ord("r"): lambda r: remember(r, r.number("<I")),
    0x94: lambda r: remember(r, len(r.memo)),  # MEMOIZE
}


def read_stream(
    data: bytes | memoryview, allowed: Callable[[str], bool], name: str
) -> tuple[Any, SymbolicReader]:
    """One stream's symbolic value, and the reader with what it met.

    Raises:
        EncoderError: if the stream asks for anything but plain weights, or is ill-formed.
    """
    reader = SymbolicReader(data, allowed)
    try:
        return reader.read(), reader
    except ForeignGlobalError as error:
        raise EncoderError(
            f"'{name}' asks to run code that plain weights do not need: '{shorten(str(error))}'.",
            "Nothing of it was run; ask for the weights as .safetensors or as a plain dictionary "
            "of tensors.",
        ) from error
    except StreamError as error:
        raise EncoderError(
            f"'{name}' is damaged, or its list of tensors is written in a way that torch.save "
            "never writes.",
            "Download or copy the file again, or ask for the weights as .safetensors.",
        ) from error


def shorten(text: str, limit: int = 80) -> str:
    """Foreign text fit for a sentence: printable characters only, cut in the middle if long."""
    plain = printable(text)
    return plain if len(plain) <= limit else f"{plain[: limit // 2]}...{plain[-limit // 2 + 3 :]}"
