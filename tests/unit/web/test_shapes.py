"""Pure shapes: figures, spans, trees, paths, hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from omie_control.domain.executions import Call, Execution, Status
from omie_control.services.pulse import Beat, Minute
from omie_control.web.auth import local_path
from omie_control.web.browsers import browser
from omie_control.web.charts import bars, timeline
from omie_control.web.guard import allowed_hosts
from omie_control.web.pulse import view
from omie_control.web.rendering import age, clock, duration, number, size
from omie_control.web.trees import tree

AT = datetime(2026, 11, 23, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(None, "—"), (0, "0 ms"), (999, "999 ms"), (1_240, "1,24 s"), (125_000, "2 min 05 s"), (3_725_000, "1 h 02 min")],
)
def test_a_span_is_said_in_its_natural_unit(milliseconds: int | None, text: str) -> None:
    assert duration(milliseconds) == text


def test_numbers_follow_the_language() -> None:
    assert (number(12345.5), number(12345.5, "en")) == ("12.345,5", "12,345.5")
    assert [size(value) for value in (None, 0, 999, 20_480, 3_200_000)] == ["—", "0 B", "999 B", "20,5 kB", "3,2 MB"]


def test_an_age_counts_whole_seconds_and_never_backwards() -> None:
    spans = (timedelta(seconds=-3), timedelta(seconds=59.9), timedelta(seconds=61), timedelta(hours=2, minutes=3))
    assert [age(span) for span in spans] == ["0 s", "59 s", "1 min 01 s", "2 h 03 min"]


@pytest.mark.parametrize("target", [None, "", "x", "//a", "/\\a", "http://a", "/a\r\nb", "/entrar", "javascript:1"])
def test_what_could_lead_elsewhere_becomes_the_first_page(target: str | None) -> None:
    assert local_path(target) == "/"


def test_a_path_of_our_own_is_kept_with_its_query() -> None:
    assert local_path("/execucoes/x?a=1&b=//c") == "/execucoes/x?a=1&b=//c"


def test_a_wildcard_address_allows_no_host_by_itself() -> None:
    assert "0.0.0.0" not in allowed_hosts("0.0.0.0", None)
    assert {"localhost", "erp.example"} <= allowed_hosts("0.0.0.0", "https://erp.example")


def test_bars_stack_to_the_height_of_the_tallest() -> None:
    tall, none = bars([Minute(AT, 6, 2), Minute(AT, 0, 0)])
    assert (tall.ok_height + tall.bad_height, tall.bad_y) == (96, 0)
    assert none.ok_height == none.bad_height == 0


def test_a_pulse_without_a_beat_has_no_rate() -> None:
    quiet = view(Beat((Minute(AT, 0, 0),) * 60, ()))
    assert (quiet.success_rate, quiet.bars) == (None, [])


def test_calls_lie_inside_their_execution() -> None:
    late = Call("a/B", AT + timedelta(seconds=3), 5_000, 200, True, 1, 1)
    execution = Execution(UUID(int=0), "a", "a", Status.COMPLETED, AT, AT + timedelta(seconds=4), 4_000, calls=(late,))
    line = timeline(execution, AT)
    assert line.total_ms == 8_000
    assert (line.own_width, line.spans[0].left, line.spans[0].width) == (50.0, 37.5, 62.5)


def test_a_tree_is_cut_and_says_by_how_much() -> None:
    cut = tree({"lista": list(range(5_000))}, max_nodes=100)
    assert cut.children[0].count == 5_000
    assert cut.children[0].rest == 5_000 - len(cut.children[0].children)
    long = tree({"texto": "a" * 5_000}).children[0]
    assert (len(long.text), long.rest) == (2_000, 3_000)


def test_a_text_that_holds_json_is_shown_as_what_it_holds() -> None:
    assert tree('{"a": [1, true, null]}').children[0].count == 3
    assert tree("{not json").kind == "text"


def test_a_long_answer_lies_open_for_a_screen_and_is_whole_behind_it() -> None:
    long, short = ({f"campo_{at}": at for at in range(count)} for count in (25, 2))
    shown = tree({"pagina": 1, "clientes": [*[long] * 25, short]})
    clients = shown.children[1].children
    opened = [client.is_open for client in clients]
    assert shown.is_open and shown.children[1].is_open
    assert opened == [True] * 2 + [False] * 24, "what is short does not lie open alone at the end"
    assert [len(client.children) for client in clients] == [25] * 25 + [2]


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36", "Chrome · Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15.0; rv:143.0) Gecko/20100101 Firefox/143.0", "Firefox · macOS"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 300, "x" * 60 + "…"),
        (None, ""),
    ],
)
def test_a_browser_is_known_by_two_words(said: str | None, known: str) -> None:
    assert browser(said) == known


def test_a_moment_is_said_as_shortly_as_it_stays_clear() -> None:
    zone = ZoneInfo("America/Sao_Paulo")
    said = [clock(AT - timedelta(days=days), AT, zone) for days in (0, 1, 400)]
    assert said == ["12:00:00", "22/11 12:00", "19/10/2025"]
    assert [clock(AT - timedelta(days=days), AT, zone, "en") for days in (1, 400)] == ["22 Nov 12:00", "19 Oct 2025"]
