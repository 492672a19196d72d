"""Finding things by the words people use: accents, plurals and joined names do not matter, rare words count more.

Pure. `terms` reduces a text to stems, `Index` ranks documents by them (BM25 over weighted texts). A word that no
document has is tried as the beginning of one, then as a slip of the pen.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Generic, TypeVar

Key = TypeVar("Key")

_TEXT_MAX = 4000
# Abbreviations with their small letter (NFe, OSs) stay whole; CamelCase falls apart.
_WORD = re.compile(r"(?:NFS|NFC|NF|CT|CF)e(?![a-z])|[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SATURATION = 1.2
_LENGTH_SHARE = 0.3
# What a word is worth that was not written, but means the same, begins the same or was misspelt.
_MEANT, _BEGUN, _MISSPELT = 0.5, 0.6, 0.5
_SHORTEST_BEGINNING = 4
_STOP = frozenset(
    word
    for line in (
        "a ao aos as como com da das de do dos e em essa esse esta este eu la meu minha na nas no nos o os ou",
        "para pela pelo por preciso qual quais que quero se sem ser seu sua um uma",
    )
    for word in line.split()
)
# Endings of plurals, longest first, and what their singular has instead.
_PLURALS = (("oes", "ao"), ("aes", "ao"), ("ais", "al"), ("eis", "el"), ("ois", "ol"), ("res", "r"), ("zes", "z"))
# What people say, and the words that Omie's names and our titles have for it.
_MEANINGS = {
    "abrir": "incluir",
    "acrescentar": "incluir",
    "adicionar": "incluir",
    "apagar": "excluir",
    "atrasado": "titulo vencido",
    "atualizar": "alterar",
    "baixa": "lancar pagamento recebimento baixar",
    "baixar": "lancar pagamento recebimento",
    "banco": "conta corrente",
    "cadastrar": "incluir",
    "caixa": "fluxo conta corrente",
    "cobranca": "boleto receber",
    "cobrar": "boleto receber",
    "corrigir": "alterar",
    "criar": "incluir",
    "deletar": "excluir",
    "despesa": "conta pagar",
    "detalhe": "consultar",
    "dever": "pagar vencido",
    "devo": "conta pagar",
    "quanto": "posicao saldo consultar",
    "devedor": "receber vencido",
    "duplicata": "titulo receber",
    "editar": "alterar",
    "emitir": "gerar faturar incluir",
    "fatura": "faturar nota",
    "fornecedor": "cliente",
    "inadimplencia": "receber vencido cobranca",
    "inadimplente": "receber vencido cobranca",
    "inserir": "incluir",
    "lancar": "incluir",
    "liquidar": "lancar pagamento recebimento",
    "listagem": "listar",
    "mercadoria": "produto",
    "modificar": "alterar",
    "mostrar": "consultar listar",
    "mudar": "alterar",
    "nf": "nota fiscal",
    "nfe": "nota fiscal",
    "nfse": "nota fiscal servico",
    "nota": "nf nfe nfse",
    "novo": "incluir",
    "nova": "incluir",
    "orcamento": "pedido venda",
    "os": "ordem servico",
    "pagamento": "pagar",
    "procurar": "listar pesquisar",
    "quitar": "lancar pagamento recebimento",
    "receita": "conta receber",
    "recebimento": "receber",
    "registrar": "incluir",
    "remover": "excluir",
    "saldo": "extrato resumo posicao",
    "titulo": "conta pagar receber",
    "todo": "listar",
    "transportadora": "cliente",
    "venda": "pedido",
    "ver": "consultar listar",
    "vencido": "atrasado",
}


def terms(text: str) -> list[str]:
    """Return the stems of a text's words, in order, without those that say nothing."""
    plain = unicodedata.normalize("NFKD", text[:_TEXT_MAX]).encode("ascii", "ignore").decode()
    return [_stem(word.lower()) for word in _WORD.findall(plain) if word == "OS" or word.lower() not in _STOP]


def _stem(word: str) -> str:
    """Take the plural's ending and the last vowel away: 'vencidas', 'vencido' and 'vencidos' become one."""
    singular = word
    if len(word) > 3:
        for plural, ending in _PLURALS:
            if word.endswith(plural):
                singular = word[: -len(plural)] + ending
                break
        else:
            singular = word[:-2] + "m" if word.endswith("ns") else word.removesuffix("s")
    return singular[:-1] if len(singular) > 4 and singular[-1] in "aeo" else singular


_MEANT_BY = {_stem(word): terms(meaning) for word, meaning in _MEANINGS.items()}


class Index(Generic[Key]):
    """Documents by key, each some texts with their weights; ready to be asked once made."""

    def __init__(self, documents: Mapping[Key, Iterable[tuple[float, str]]]) -> None:
        self._order = {key: order for order, key in enumerate(documents)}
        self._weights: dict[str, dict[Key, float]] = {}
        lengths: dict[Key, float] = {}
        for key, texts in documents.items():
            counts: defaultdict[str, float] = defaultdict(float)
            for weight, text in texts:
                for term in terms(text):
                    counts[term] += weight
            lengths[key] = sum(counts.values())
            for term, count in counts.items():
                self._weights.setdefault(term, {})[key] = count
        mean = sum(lengths.values()) / len(lengths) if lengths else 1.0
        self._spread = {
            key: _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * length / (mean or 1.0))
            for key, length in lengths.items()
        }

    def find(self, words: str) -> list[tuple[Key, float]]:
        """Return every document that has something of the words, with its score, best first."""
        scores: dict[Key, float] = {}
        for term, worth in self._wanted(words).items():
            having = self._weights[term]
            rarity = math.log((len(self._order) - len(having) + 0.5) / (len(having) + 0.5) + 1.0)
            for key, count in having.items():
                gain = worth * rarity * count * (_SATURATION + 1) / (count + self._spread[key])
                scores[key] = scores.get(key, 0.0) + gain
        return sorted(scores.items(), key=lambda found: (-found[1], self._order[found[0]]))

    def _wanted(self, words: str) -> dict[str, float]:
        """Return the terms to look for, all known to the index, with what each is worth."""
        wanted: dict[str, float] = {}

        def want(term: str, worth: float) -> None:
            if term in self._weights:
                wanted[term] = max(worth, wanted.get(term, 0.0))

        for term in terms(words):
            want(term, 1.0)
            meant = _MEANT_BY.get(term, ())
            for other in meant:
                want(other, _MEANT)
            if term not in self._weights and not any(other in self._weights for other in meant):
                self._guess(term, want)
        return wanted

    def _guess(self, term: str, want: Callable[[str, float], None]) -> None:
        begun = [known for known in self._weights if known.startswith(term)] if len(term) >= _SHORTEST_BEGINNING else []
        for known in begun:
            want(known, _BEGUN)
        if not begun:
            for known in get_close_matches(term, self._weights, n=2, cutoff=0.8):
                want(known, _MISSPELT)
