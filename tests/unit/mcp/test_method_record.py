"""What a method answered is shown, whatever it is."""

from __future__ import annotations

from omie_control.mcp.tools.metodo_record import answered_text


def test_a_number_beyond_64_bits_is_shown_to_its_last_digit() -> None:
    long = 12_345_678_901_234_567_890_123
    said = answered_text({"metodo": "geral/clientes/X", "empresa": "sol", "resposta": {"n": long, "nome": "São João"}})
    assert said.endswith('{"n":12345678901234567890123,"nome":"São João"}')
