"""The page of figures: each benchmark owns a section, and what it does not own is left alone."""

from __future__ import annotations

from benchmarks import permission
from benchmarks.__main__ import PARTS
from benchmarks.page import PAGE, page_of, sections_of


def test_a_section_is_replaced_and_the_others_stay() -> None:
    page = page_of({"disk": "## Bytes\n\nold", "of_a_person": "## By hand\n\n| a |\n| --- |"}, ["recording", "disk"])
    again = page_of(
        sections_of(page) | {"disk": "## Bytes\n\nnew\n", "recording": "## Recording"}, ["recording", "disk"]
    )
    assert sections_of(again) == {
        "recording": "## Recording",
        "disk": "## Bytes\n\nnew",
        "of_a_person": "## By hand\n\n| a |\n| --- |",
    }
    assert list(sections_of(again)) == ["recording", "disk", "of_a_person"]


def test_the_page_that_is_there_is_read_whole_and_every_section_has_an_owner() -> None:
    page = PAGE.read_text(encoding="utf-8")
    sections = sections_of(page)
    assert page_of(sections, list(PARTS)) == page
    assert set(sections) <= set(PARTS)
    assert all(text.startswith(("## ", "### ")) for text in sections.values())


def test_a_permission_is_asked_without_waiting_and_both_answers_occur() -> None:
    deciding, requiring, refused = permission.measure(1)
    assert len(deciding) == len(requiring) + refused
    assert min(len(requiring), refused) > 1_000
