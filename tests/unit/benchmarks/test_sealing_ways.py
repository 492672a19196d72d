"""What the benchmark of sealing measures are three ways of sealing the same: each opens to what was sealed."""

from __future__ import annotations

import orjson
from benchmarks import sealing

from omie_control.domain.sealing import new_key, open_body


def test_each_way_seals_the_same_in_fewer_bytes_than_the_one_before() -> None:
    key = new_key()
    for body in sealing.bodies()[:20]:
        sealed = [seal(body) for seal in sealing.ways(key).values()]
        for each in sealed:
            assert open_body(each, key, sealing._AAD, body.beside, body.alike) == orjson.loads(body.clear)
        assert len(sealed[0]) > len(sealed[1]) > len(sealed[2])


def test_the_section_has_a_row_for_each_way() -> None:
    text = sealing.report(1)
    assert all(f"| {name} |" in text for name in sealing.ways(new_key()))
