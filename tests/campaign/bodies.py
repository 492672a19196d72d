"""Bodies as no Omie ever sent them: `python -m tests.campaign.bodies --bodies 1000000`.

Each is deciphered for some method of the catalogue, with some status and headers. An answer or an error of our tree
is right, whatever it says; anything else that is raised, and a body that takes a second, is a crash.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from omie_control.errors import ControlError
from omie_control.omie.body import BodyTooBig, BodyUnreadable, read_capped
from omie_control.omie.catalog import Method, catalog
from omie_control.omie.protocol import decipher

_SLOWEST_SECONDS = 1.0
_CAP_BYTES = 256 * 1024
_STATUSES = (200, 200, 200, 200, 201, 302, 400, 403, 404, 413, 425, 429, 500, 500, 502, 503, 504, 0, 999)
_FAULTS = (
    ("SOAP-ENV:Client-5113", "ERROR: Não existem registros para a página [1]!"),
    ("SOAP-ENV:Client-1020", "ERROR: Já existe uma requisição desse método sendo executada."),
    ("MISUSE_API_PROCESS", "API bloqueada por consumo indevido. Tente novamente em 1799 segundos."),
    ("SOAP-ENV:Server", "SOAP-ERROR: Broken response from Application Server (BG)"),
    ("SOAP-ENV:Client-8020", "ERROR: Esta requisição já foi processada ou está sendo processada."),
    ("SOAP-ENV:Client-6", "ERROR: Consumo redundante detectado. Aguarde 37 segundos (REDUNDANT)"),
    ("SOAP-ENV:Client-71", "ERROR: Tag [codigo_cliente_omie_x] não faz parte da estrutura do tipo complexo [x]!"),
)
_SHREDS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\x00",
    b"\xff",
    b"\xef\xbb\xbf",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-",
    b"null",
    b"true",
    b"," * 9,
    b"<html>",
    b"\r\n",
    b"9" * 400,
    b"faultcode",
    b"faultstring",
    b'"faultstring":',
    "ção".encode(),
    "ção".encode("latin-1"),
)


@dataclass(slots=True)
class Report:
    """What was deciphered, and what should not have happened."""

    bodies: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    ended: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ended = ", ".join(f"{count} × {name}" for name, count in self.ended.most_common())
        return "\n".join(
            [
                f"{self.bodies:,} bodies in {self.seconds:.0f} s, the slowest {self.slowest * 1000:.1f} ms; {ended}",
                *(f"CRASH {each}" for each in self.crashes[:20]),
                f"{len(self.crashes)} crashes",
            ]
        )


def run(bodies: int, seed: int, tell: Callable[[str], None] = lambda line: None) -> Report:
    """Decipher so many bodies; the same seed makes the same ones."""
    chance, report, began = random.Random(seed), Report(), time.monotonic()
    methods = catalog().methods
    for number in range(bodies):
        method, status, body = chance.choice(methods), chance.choice(_STATUSES), _body(chance)
        headers = {"omieapi-error": _text(chance)} if chance.random() < 0.1 else {}
        # The processor's time: a machine that is busy with something else is no crash.
        at = time.thread_time()
        try:
            report.ended[_outcome(chance, method, status, headers, body)] += 1
        except Exception as error:
            report.crashes.append(
                f"{number} of seed {seed}: {type(error).__name__}: {error!s:.200} from {body[:200]!r}"
            )
        took = time.thread_time() - at
        report.slowest = max(report.slowest, took)
        if took > _SLOWEST_SECONDS:
            report.crashes.append(f"{number} of seed {seed}: {took:.1f} s for {len(body)} bytes, {body[:200]!r}")
        report.bodies += 1
        if number % 100_000 == 99_999:
            tell(f"{number + 1:>9,} bodies, {len(report.crashes)} crashes")
    report.seconds = time.monotonic() - began
    return report


def _outcome(chance: random.Random, method: Method, status: int, headers: dict[str, str], body: bytes) -> str:
    """Read and decipher as the client does; say how it ended."""
    try:
        if chance.random() < 0.1:
            body = _carried(chance, body)
        param = {method.paging.page: chance.randrange(5)} if method.paging is not None else {}
        payload = decipher(method, status, headers, body, param)
    except ControlError as error:
        return type(error).__name__
    except (BodyTooBig, BodyUnreadable) as error:
        return type(error).__name__
    json.dumps(payload.data)
    return "Payload"


def _carried(chance: random.Random, body: bytes) -> bytes:
    """Send it compressed, or what should be, in pieces."""
    packed = gzip.compress(body, 1)
    if chance.random() < 0.5:
        packed = _spoilt(chance, packed)
    pieces = [packed[at : at + 64] for at in range(0, len(packed), 64)]

    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return _drive(chunks())


def _drive(chunks: AsyncIterator[bytes]) -> bytes:
    """Run a coroutine that waits for nobody, without a loop."""
    reading = read_capped(chunks, "gzip", _CAP_BYTES)
    try:
        reading.send(None)
    except StopIteration as done:
        return bytes(done.value[0])
    raise AssertionError("nothing here waits")


def _body(chance: random.Random) -> bytes:
    kind = chance.random()
    if kind < 0.1:
        return chance.randbytes(chance.randrange(300))
    if kind < 0.15:
        depth = chance.choice((3, 60, 64, 65, 66, 500, 5_000, 100_000))
        opening = chance.choice((b"[", b'{"a":', b'{"faultstring":['))
        return b'{"x":' + opening * depth + b"1" + b"]}" * chance.randrange(2)
    if kind < 0.2:
        return b"".join(chance.choice(_SHREDS) for _ in range(chance.randrange(40)))
    text = json.dumps(_answer(chance), ensure_ascii=chance.random() < 0.5)
    body = text.encode("latin-1" if chance.random() < 0.2 else "utf-8", "replace")
    return _spoilt(chance, body) if chance.random() < 0.8 else body


def _answer(chance: random.Random) -> Any:
    """Make something of the form that Omie answers in: a fault, a page, a status."""
    form = chance.random()
    if form < 0.4:
        code, text = chance.choice(_FAULTS)
        return {"faultcode": _odd(chance, code), "faultstring": _odd(chance, text)}
    method = chance.choice(catalog().methods)
    names = _names(method)
    data: dict[str, Any] = {
        name: _value(chance, 3) for name in chance.sample(names, min(len(names), chance.randrange(8)))
    }
    for name in method.status_fields:
        data[name] = chance.choice(("0", "1", 0, -101, "00", "abc", None, [], 10**30))
    if method.paging is not None:
        for name in (method.paging.answered_page, method.paging.answered_pages):
            if name is not None:
                data[name] = _value(chance, 1)
    if method.list_key is not None:
        data[method.list_key.split(".")[0]] = _value(chance, 3)
    return data


@cache
def _names(method: Method) -> list[str]:
    return sorted(method.response_fields)


def _odd(chance: random.Random, text: str) -> Any:
    return text if chance.random() < 0.7 else _value(chance, 2)


def _value(chance: random.Random, depth: int) -> Any:
    kind = chance.randrange(9 if depth else 7)
    if kind == 7:
        return [_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    if kind == 8:
        return {_text(chance): _value(chance, depth - 1) for _ in range(chance.randrange(4))}
    return (
        None,
        True,
        chance.randrange(-(10**6), 10**6),
        10 ** chance.randrange(400),
        chance.uniform(-1e9, 1e9),
        _text(chance),
        "",
    )[kind]


def _text(chance: random.Random) -> str:
    return "".join(
        chr(chance.choice((chance.randrange(32, 127), chance.randrange(0xD7FF), chance.randrange(32))))
        for _ in range(chance.randrange(24))
    )


def _spoilt(chance: random.Random, body: bytes) -> bytes:
    """Cut it, repeat a part, flip a byte, or put something in that does not belong there."""
    for _ in range(chance.randrange(1, 4)):
        at, to = sorted((chance.randrange(len(body) + 1), chance.randrange(len(body) + 1)))
        match chance.randrange(5):
            case 0:
                body = body[:to]
            case 1:
                body = body[:at] + body[to:]
            case 2:
                body = body[:to] + body[at:to] * chance.randrange(1, 3) + body[to:]
            case 3:
                body = body[:at] + bytes((chance.randrange(256),)) + body[at + 1 :]
            case _:
                body = body[:at] + chance.choice(_SHREDS) + body[at:]
    return body


def main() -> int:
    """Decipher them all; 0 without a crash."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    choices = parser.parse_args()
    report = run(choices.bodies, choices.seed, _tell)
    _tell(f"seed {choices.seed}\n{report}")
    return 1 if report.crashes else 0


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
