"""Prompts: the jobs that come round again, as steps that name real tools. Each works inside an errand of its own."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastmcp import FastMCP
from pydantic import Field

from omie_control.app import App
from omie_control.errors import InvalidInput

_MONTH = re.compile(r"(0[1-9]|1[0-2])/(20[0-9]{2})")
_DAY = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_LATE_MAX = 3650
# FastMCP reads the annotations of prompts where no name of this module is known: each stands written out.


def register(server: FastMCP[Any], app: App) -> None:
    """Add the prompts to a server."""

    @server.prompt(
        name="fechamento_do_mes",
        title="Fechamento do mês",
        description="Confere um mês por inteiro antes de fechá-lo: títulos abertos, contas, lançamentos, pendências.",
    )
    async def fechamento_do_mes(
        mes: Annotated[str, Field(description="Mês, como 10/2026; vazio: o mês passado.")] = "",
        empresa: Annotated[str, Field(description="Nome curto da empresa; vazio: a padrão deste acesso.")] = "",
    ) -> str:
        first, last = _month(mes, _today(app))
        return _steps(
            f"Faça a conferência de fechamento de {first:%m/%Y}{_of(empresa)}, sem alterar nada no Omie.",
            _begin(f"Fechamento de {first:%m/%Y}", empresa),
            "Veja com `estado_do_sistema` e `meus_limites` se nada está degradado ou bloqueado.",
            f"Com `consultar_contas_pagar` e `consultar_contas_receber`, liste o que vence de {_day(first)} a "
            f"{_day(last)}, todas as páginas; separe pagos, em aberto e vencidos.",
            "Com `listar_contas_correntes`, ache as contas em uso; de cada uma, confira o mês com `consultar_extrato` "
            f"de {_day(first)} a {_day(last)}: saldo inicial, movimentos, saldo final.",
            "Com `consultar_categorias`, aponte lançamentos sem categoria ou em categoria inativa.",
            "Com `buscar_execucoes` (situacao=uncertain, depois failed), veja se alguma escrita ficou incerta ou "
            "falhou; `por_que_falhou` explica cada uma.",
            "Apresente: totais de entradas e saídas, saldo por conta, o que está vencido, o que falta conferir e o que "
            "impede o fechamento. Diga a idade dos dados quando não vierem do Omie na hora. Não invente valores.",
            _end(),
        )

    @server.prompt(
        name="cobranca",
        title="Cobrança",
        description="Prepara a cobrança dos títulos vencidos: quem deve, quanto, desde quando, e o que dizer.",
    )
    async def cobranca(
        dias_de_atraso: Annotated[str, Field(description="Só títulos vencidos há pelo menos tantos dias.")] = "1",
        empresa: Annotated[str, Field(description="Nome curto da empresa; vazio: a padrão deste acesso.")] = "",
    ) -> str:
        late = _days(dias_de_atraso)
        until = _today(app) - timedelta(days=late)
        return _steps(
            f"Prepare a cobrança dos títulos a receber vencidos até {_day(until)}{_of(empresa)}. Não envie nada e não "
            "altere nada no Omie sem que uma pessoa confirme.",
            _begin(f"Cobrança dos vencidos até {_day(until)}", empresa),
            f"Com `consultar_contas_receber`, liste todas as páginas dos títulos atrasados e fique com os vencidos até "
            f"{_day(until)}.",
            "Some por cliente: quantos títulos, valor em aberto, vencimento mais antigo. Ordene pelo valor.",
            "Para os maiores, veja contato e e-mail com `consultar_cliente_por_codigo`.",
            "Se o cliente diz que pagou, confira com `consultar_extrato` antes de cobrar; um recebimento só é lançado "
            "com `lancar_recebimento` depois que a pessoa responsável confirmar título, data e valor.",
            "Para boleto ou PIX, procure o método com `buscar_metodos_omie` e o leia com `descrever_metodo_omie`: "
            "cobrar pelo banco não tem volta e exige confirmação.",
            "Apresente uma tabela por cliente e uma mensagem de cobrança curta e cordial para cada um, só com dados "
            "que vieram do Omie.",
            _end(),
        )

    @server.prompt(
        name="conciliacao",
        title="Conciliação bancária",
        description="Compara o extrato de uma conta no Omie com o do banco e aponta o que falta de cada lado.",
    )
    async def conciliacao(
        conta: Annotated[str, Field(description="Nome ou código da conta corrente.")],
        de: Annotated[str, Field(description="Primeiro dia, dd/mm/aaaa; vazio: o primeiro do mês passado.")] = "",
        ate: Annotated[str, Field(description="Último dia, dd/mm/aaaa; vazio: o último do mês passado.")] = "",
        empresa: Annotated[str, Field(description="Nome curto da empresa; vazio: a padrão deste acesso.")] = "",
    ) -> str:
        first, last = _month("", _today(app))
        first, last = _date("de", de, first), _date("ate", ate, last)
        if first > last:
            raise InvalidInput("de: esperada uma data até `ate`.", hint="Exemplo: de=01/10/2026, ate=31/10/2026.")
        named = " ".join(conta.split())[:60]
        if not named:
            raise InvalidInput("conta: informe a conta corrente.", hint="listar_contas_correntes mostra as que há.")
        period = f"{_day(first)} a {_day(last)}"
        return _steps(
            f"Concilie a conta '{named}' de {period}{_of(empresa)}.",
            _begin(f"Conciliação de {named}, {period}", empresa),
            "Ache a conta com `listar_contas_correntes`; se mais de uma servir, pergunte qual é.",
            f"Peça à pessoa o extrato do banco de {period} (data, valor, histórico). Sem ele não há o que conciliar.",
            f"Leia o extrato do Omie com `consultar_extrato` de {period} e compare os dois com `conciliar_bancaria`, "
            "que não altera nada.",
            "Separe: iguais dos dois lados; só no banco; só no Omie; mesmo valor em data próxima (possíveis pares).",
            "Para o que está só no banco, proponha: baixa de um título (`consultar_contas_receber`, "
            "`consultar_contas_pagar`) ou lançamento (`incluir_lancamento`). Execute cada um só com o acordo de uma "
            "pessoa, um por vez, e confira o retorno.",
            "Recebimentos conferidos podem ser marcados com `conciliar_recebimento`. Pagamentos e lançamentos não têm "
            "conciliação pela API do Omie: diga isso.",
            "Se uma escrita terminar incerta, não a repita: veja `por_que_falhou`.",
            _end(),
        )


def _begin(goal: str, empresa: str) -> str:
    company = f', empresa="{_slug(empresa)}"' if empresa.strip() else ""
    return f'Abra a tarefa: `iniciar_tarefa`(objetivo="{goal}"{company}).'


def _end() -> str:
    return "Feche a tarefa com `encerrar_tarefa`, dizendo o que foi feito e o que ficou por fazer."


def _steps(task: str, *steps: str) -> str:
    numbered = "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
    return f"{task}\n\n{numbered}"


def _of(empresa: str) -> str:
    return f" da empresa '{_slug(empresa)}'" if empresa.strip() else ""


def _slug(empresa: str) -> str:
    """Return a company's short name as it was given, fit to stand in a sentence."""
    return "".join(letter for letter in empresa.strip() if letter.isalnum() or letter in "-_")[:60]


def _today(app: App) -> date:
    return _now(app.settings.zone).date()


def _now(zone: ZoneInfo) -> datetime:
    return datetime.now(zone)


def _month(text: str, today: date) -> tuple[date, date]:
    """Return the first and the last day of a month; of the one before today's where none is named."""
    if not text.strip():
        last = today.replace(day=1) - timedelta(days=1)
        return last.replace(day=1), last
    found = _MONTH.fullmatch(text.strip())
    if found is None:
        raise InvalidInput("mes: esperado um mês na forma mm/aaaa.", hint="Exemplo: 10/2026.")
    first = date(int(found[2]), int(found[1]), 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _date(name: str, text: str, otherwise: date) -> date:
    if not text.strip():
        return otherwise
    found = _DAY.fullmatch(text.strip())
    try:
        if found is not None:
            return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        pass
    raise InvalidInput(f"{name}: esperada uma data na forma dd/mm/aaaa.", hint="Exemplo: 31/10/2026.")


def _days(text: str) -> int:
    if text.strip().isascii() and text.strip().isdigit() and 0 <= int(text.strip()[:6]) <= _LATE_MAX:
        return int(text.strip()[:6])
    raise InvalidInput(f"dias_de_atraso: esperado um número de 0 a {_LATE_MAX}.", hint="Exemplo: 15.")


def _day(day: date) -> str:
    return f"{day:%d/%m/%Y}"
