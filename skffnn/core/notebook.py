"""Results as a notebook shows them: tables in HTML.

Names come from users and messages from anywhere, so that every text is escaped.
"""

from html import escape

# Notebooks align the cells of a table to the right, and fold lines.
NUMBERS = "text-align: right"
LINES = "text-align: left; white-space: pre; font-family: monospace"


def table(head, rows, style=NUMBERS):
    """A table whose first column names its rows.

    Parameters
    ----------
    head : sequence of str
        The titles of the columns.
    rows : iterable of sequence of str
        The cells. A row of one cell is a title for those below.
    style : str, default=NUMBERS
        CSS of all cells but the names.

    Returns
    -------
    html : str

    Examples
    --------
    >>> print(table(["", "RMSE"], [["<mean>", "7"]]))
    <table><thead><tr><th></th><th>RMSE</th></tr></thead>
    <tbody><tr><th ...>&lt;mean&gt;</th><td ...>7</td></tr></tbody></table>
    """
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    lines = "\n".join(_row(row, len(head), style) for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead>\n<tbody>{lines}</tbody></table>"


def _row(row, width, style):
    name, *cells = map(escape, row)
    if not cells:
        return f'<tr><th colspan="{width}" style="text-align: left">{name}</th></tr>'
    texts = "".join(f'<td style="{style}">{cell}</td>' for cell in cells)
    return f'<tr><th style="text-align: left">{name}</th>{texts}</tr>'


def paragraphs(*texts):
    """Texts below each other; empty ones are left out.

    Examples
    --------
    >>> paragraphs("It generalises: R2 > 0.9.", "")
    '<p>It generalises: R2 &gt; 0.9.</p>'
    """
    return "\n".join(f"<p>{escape(text)}</p>" for text in texts if text)
