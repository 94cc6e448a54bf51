"""What notebooks show is HTML, whatever the names and messages are."""

from xml.etree import ElementTree

from skffnn.core.notebook import LINES, paragraphs, table

EVIL = "</td><script>alert('1')</script>&amp;"


def texts(html):
    """The text of every cell, row by row; an error if it is no HTML."""
    rows = ElementTree.fromstring(html).iter("tr")
    return [["".join(cell.itertext()) for cell in row] for row in rows]


def test_a_table_holds_what_it_was_given():
    rows = [["a", "1"], ["b", "2"]]
    assert texts(table(["", "RMSE"], rows)) == [["", "RMSE"], *rows]


def test_every_text_is_escaped():
    html = table([EVIL, EVIL], [[EVIL], [EVIL, EVIL]])
    assert texts(html) == [[EVIL, EVIL], [EVIL], [EVIL, EVIL]]
    assert "<script" not in html + paragraphs(EVIL)


def test_a_row_of_one_cell_is_as_wide_as_the_table():
    html = table(["", "", ""], [["Forward"], ["a", "b", "c"]])
    cells = {cell.text: cell for cell in ElementTree.fromstring(html).iter("th")}
    assert cells["Forward"].get("colspan") == "3"


def test_lines_stay_lines():
    html = table(["", ""], [["X", "[[1]\n [2]]"]], LINES)
    assert texts(html)[1] == ["X", "[[1]\n [2]]"]
    assert "white-space: pre" in html
