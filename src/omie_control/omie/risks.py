"""What Omie does not take back: the methods that have to be meant, each with the sentence that says why.

Pure. From section 8 of what is known of Omie: actions that issue or change a fiscal document, send something to a
bank or a person, delete, or use up a number. Judged by the verb a call begins with; the catalogue decides what exists.
"""

from __future__ import annotations

import re

from omie_control.omie.catalog import Method

_FISCAL = "emite ou altera documento fiscal; depois de autorizado pelo governo, não há como voltar"
_DELETES = "apaga o registro no Omie, que não o recupera"
_CANCELS = "cancela o documento ou a operação; o Omie não oferece o desfazer"
_CLOSES = "muda estoque, financeiro ou documentos de uma vez; desfazer exige outras operações, quando existem"
_IMPORTS = "grava documentos fiscais no Omie; desfazer exige excluir ou cancelar cada um"
_BANK = "cria uma cobrança que o banco registra e o cliente pode receber"
_RETURNS = "cria uma devolução, com efeito em estoque e financeiro"
_SENDS = "envia o documento de novo a quem o recebe"
_NUMBERS = "reserva um número de uma série, que não volta"

_BY_VERB = {
    "Faturar": _FISCAL,
    "Carta": _FISCAL,
    "Averbacao": _FISCAL,
    "Inutilizar": _FISCAL,
    "Cancelar": _CANCELS,
    "Excluir": _DELETES,
    "Concluir": _CLOSES,
    "Reverter": _CLOSES,
    "Fechar": _CLOSES,
    "Importar": _IMPORTS,
    "Gerar": _BANK,
    "Devolver": _RETURNS,
    "Reenviar": _SENDS,
}
# Undone by the opposite method, or harmless, in spite of the verb.
_MILD = frozenset({"CancelarPagamento", "CancelarRecebimento"})
# A read by its name that changes something all the same.
_HIDDEN = {"produtos/cupomfiscal/ObterProximoLote": _NUMBERS}
_VERB = re.compile(r"[A-Z][a-z]+")


def risk_of(method: Method) -> str | None:
    """Say what cannot be undone about a method, or None for one that can be corrected afterwards."""
    hidden = _HIDDEN.get(method.endpoint)
    if hidden is not None:
        return hidden
    if not method.writes or method.call in _MILD:
        return None
    verb = _VERB.match(method.call)
    return None if verb is None else _BY_VERB.get(verb.group())


def changes(method: Method) -> bool:
    """Say whether a method changes anything: those that write by name, and those that only seem to read."""
    return method.writes or method.endpoint in _HIDDEN
