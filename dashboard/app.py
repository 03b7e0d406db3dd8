"""The script that Streamlit runs for each visitor: pages, and what to do without a graph."""

from __future__ import annotations

import streamlit as st

from tosg.dashboard import connection
from tosg.dashboard.views import ask, cells, entity, overview, search, train
from tosg.dashboard.views.parts import PAGES
from tosg.errors import TosgError

#: Address of each view, its title and function.
VIEWS = (
    ("overview", "Overview", overview.show),
    ("search", "Search", search.show),
    ("entity", "Entity", entity.show),
    ("cells", "Cells", cells.show),
    ("ask", "Ask", ask.show),
    ("train", "Train", train.show),
)

#: Streamlit's grey captions and code colours have too little contrast for WCAG 2 AA; and what was
#: asked for stands on the first screen, below no more than the bar of the page.
STYLE = """<style>
[data-testid="stMainBlockContainer"] {padding-top: 3.5rem; padding-bottom: 2rem}
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {
  color: #494949 !important; opacity: 1 !important
}
code .token {color: #1a1a1a !important}
code .token.keyword, code .token.property, code .token.variable {color: #00507f !important}
code .token.string {color: #7a3e00 !important}
</style>"""


def main() -> None:
    """Show the chosen view, or why it cannot be shown."""
    st.set_page_config(page_title="tosg", layout="wide")
    st.html(STYLE)
    pages = {
        path: st.Page(show, title=title, url_path=path, default=path == "overview")
        for path, title, show in VIEWS
    }
    st.session_state[PAGES] = pages
    page = st.navigation(list(pages.values()))
    try:
        page.run()
    except TosgError as error:
        st.error(str(error))
        if st.button("Try again"):
            connection.graph().close()
            st.rerun()


main()
