"""The script that Streamlit runs for each visitor: pages, and what to do without a graph."""

from __future__ import annotations

import streamlit as st

from tosg.dashboard import connection
from tosg.dashboard.views import ask, cells, entity, overview, search, train
from tosg.dashboard.views.parts import PAGES
from tosg.errors import TosgError

#: Address of each view, its title, icon and function.
VIEWS = (
    ("overview", "Overview", ":material/dashboard:", overview.show),
    ("search", "Search", ":material/search:", search.show),
    ("entity", "Entity", ":material/hub:", entity.show),
    ("cells", "Cells", ":material/bubble_chart:", cells.show),
    ("ask", "Ask", ":material/help:", ask.show),
    ("train", "Train", ":material/model_training:", train.show),
)


def main() -> None:
    """Show the chosen view, or why it cannot be shown."""
    st.set_page_config(page_title="tosg", page_icon=":material/hub:", layout="wide")
    pages = {
        path: st.Page(show, title=title, icon=icon, url_path=path, default=path == "overview")
        for path, title, icon, show in VIEWS
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
