"""Which fields of Omie hold personal data or secrets: the names of its catalogue, by kind.

Names are compared without case, accents and what stands between words, so `cnpj_cpf`, `cCnpjCpf` and `CNPJ/CPF` need
no entry each for their spelling. A contract test holds these sets against the catalogue.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import Enum


class Kind(Enum):
    """What a field holds, and so how it is masked."""

    PLAIN = 0
    DOCUMENT = 1
    EMAIL = 2
    PHONE = 3
    ACCOUNT = 4
    SECRET = 5


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DOCUMENTS = _names(
    """
    cnpj cpf cnpjcpf cpfcnpj ccnpj ccpf ccnpjcpf ccpfcnpj ccpfcnpjcliente ccnpjcpffor ccnpjcpfod ccnpjcpfodret
    ccnpjcpftransp ccnpjdestinatario ccpfdestinatario ccnpjemissor ccnpjfornecedor ccnpjinstfinanc ccnpjintod
    ccnpjvend ccnpjadquirente ccpfresponsavel cdoc cdoccliente cnpjcliente cnpjemitref cnpjfabricante cnpjfin
    cnpjintermediario cnpjpr cpfcnpjtransferencia destcnpj doctitular documentoexterior emitcnpj entcnpjcpf
    entfcnpj filtrarcnpjcpf filtrarporcpfcnpj nrcnpjcpf prcgcgcpf spedcpfcontador empresacnpj
    """
)
_EMAILS = _names(
    """
    email cemail demail emailfatura emailusuario emailvend emailvendedor filtrarporemail spedemailcontador
    cemailaprovador cemailcontato cemailcopia cemailcopiaoculta cemailde cemailop cemailoportunidade cemailpara
    cemailusuario utilizaremails cutilizaremails cenvlinkemail cenviarpara
    """
)
_PHONES = _names(
    """
    telefone telefones ctelefone telefone1numero telefone2numero faxnumero fax celular celular1 celular2 ccelular
    ccelularcontato ctelefone1conta ctelefone2conta ctelefonecontato ctelefoneod ctelefoneodret cnumtel cnumfax
    cnumcel1 cnumcel2 enttelefone whatsapp
    """
)
_ACCOUNTS = _names(
    """
    banco codigobanco cbanco chbanco ncodbanco bancotransferencia agencia codigoagencia chagencia ncodagencia
    agenciatransferencia contacorrente numerocontacorrente chconta nnumconta contacorrentetransferencia
    xcontacorrente cchavepix chavepix pix ccopiacola pixqrcode
    """
)
_SECRETS = _names(
    """
    appkey appsecret senha password passwd pwd token secret authorization proxyauthorization cookie setcookie apikey
    xapikey privatekey credential credentials credenciais cteskey calendarkey
    enderecosecreto
    """
)
# Every name by what it holds: what the record of processing tells of.
FIELDS: Mapping[Kind, frozenset[str]] = {
    Kind.DOCUMENT: _DOCUMENTS,
    Kind.EMAIL: _EMAILS,
    Kind.PHONE: _PHONES,
    Kind.ACCOUNT: _ACCOUNTS,
    Kind.SECRET: _SECRETS,
}
_ODD_LETTER = re.compile(r"[^0-9A-Za-z_-]")
_NUMBER = re.compile(r" ?\([0-9]+\)$")
_SECRET_ENDINGS = ("senha", "password", "secret", "token", "apikey")


def kind_of(name: str) -> Kind:
    """Return what a field of this name holds."""
    if _ODD_LETTER.search(name):
        # A heading of somebody's own, such as `Agência` or `API key`, or the second of two that masking made alike.
        letters = unicodedata.normalize("NFKD", _NUMBER.sub("", name))
        name = "".join(letter for letter in letters if letter.isalnum())
    plain = name.replace("_", "").replace("-", "").casefold()
    if plain in _SECRETS or plain.endswith(_SECRET_ENDINGS):
        return Kind.SECRET
    if plain in _DOCUMENTS:
        return Kind.DOCUMENT
    if plain in _EMAILS:
        return Kind.EMAIL
    if plain in _PHONES:
        return Kind.PHONE
    return Kind.ACCOUNT if plain in _ACCOUNTS else Kind.PLAIN
