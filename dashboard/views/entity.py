"""Entity: its annotation, who says so, what is around it, and where it is expressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from tosg.dashboard import cell_questions, charts, connection, questions
from tosg.dashboard.views import parts
from tosg.interop import viz
from tosg.kg.query.entity import count_degrees, read_entity
from tosg.kg.query.lookup import find_entities
from tosg.kg.schema.types import ENTITY, entity_types

if TYPE_CHECKING:
    from tosg.interop.palette import Entity

#: Relationship types that are drawn at first, so that a hub's picture can be read: how it signals,
#: then what it has fewest of.
FIRST_TYPES = 4
SIGNALS = ("REGULATES", "PHOSPHORYLATES", "INTERACTS_WITH", "TARGETS")


def show() -> None:
    """Draw the view."""
    st.title("Entity")
    if parts.show_if_empty():
        return
    given = st.text_input(
        "Identifier, symbol, name or synonym",
        key="id",
        bind="query-params",
        placeholder="ncbigene:3716, JAK1, interferon gamma",
    )
    if not given.strip():
        st.caption("Or find one by search.")
        return
    id_ = _choose(given.strip())
    if id_ is None:
        return
    found = read_entity(connection.graph().db, id_)
    if found is None:
        st.error(f"The graph has no entity {id_}.")
        return
    told, drawn = st.columns(parts.SIDE_BY_SIDE)  # one below the other on a phone
    with told:
        _annotation(found)
        _nearest(found)
    with drawn:
        _neighbourhood(found)
    if found["type"] in ("Gene", "Protein"):
        _expression(found)


def _choose(given: str) -> str | None:
    """The entity that is meant; where several are, the visitor chooses."""
    graph = connection.graph()
    found = find_entities(graph.db, "Entity", [given])
    if given in found.ids:
        return found.ids[given]
    if given not in found.ambiguous:
        st.error(f"Nothing in the graph has the identifier or name {given!r}.")
        parts.offer_names("id", given, ENTITY)
        return None
    options = {id_: read_entity(graph.db, id_) or {} for id_ in found.ambiguous[given]}
    return st.selectbox(
        "Several entities have this name",
        list(options),
        format_func=lambda id_: (
            f"{options[id_].get('name') or id_} ({options[id_].get('type')}, {id_})"
        ),
    )


def _annotation(found: dict[str, Any]) -> None:
    st.header(found["symbol"] or found["name"] or found["id"])
    st.caption(f"{found['type']} \N{MIDDLE DOT} {found['id']}")
    if found["name"]:
        st.subheader(found["name"])
    if found["synonyms"]:
        st.markdown("**Also**")
        st.text(", ".join(found["synonyms"][:30]))
    if found["description"]:
        st.text(found["description"])
    with st.expander("The text that is embedded"):
        st.text(found["text"] or "No text is composed yet: run tosg embed.")
    with st.expander("Other identifiers"):
        for curie in [found["id"], *(found["xrefs"] or [])]:
            st.link_button(curie, _address(curie), type="tertiary")
    with st.expander("Who says so"):
        st.dataframe(
            [
                {"source": s, "licence": licence, "release": release}
                for s, licence, release in zip(
                    found["sources"] or [],
                    found["licenses"] or [],
                    found["releases"] or [],
                    strict=False,
                )
            ],
            hide_index=True,
        )
        if found["joined"]:
            st.markdown("**Identifiers that mean the same**")
            st.text("\n".join(found["joined"]))


def _address(curie: str) -> str:
    """Bioregistry resolves any CURIE with a registered prefix."""
    from urllib.parse import quote

    return f"https://bioregistry.io/{quote(curie, safe=':/')}"


def _neighbourhood(found: dict[str, Any]) -> None:
    st.subheader("Around it")
    graph = connection.graph()
    products = found["type"] == "Gene" and st.toggle(
        "Count the relationships of its proteins as its own", True, key="products"
    )
    degrees = count_degrees(graph.db, found["id"], products=products)
    if not degrees:
        st.info("Nothing is joined to it.")
        return
    first = sorted(degrees, key=lambda t: (t not in SIGNALS, t == "ENCODES", degrees[t]))
    types = st.multiselect(
        "Relationships",
        list(degrees),
        default=first[:FIRST_TYPES],
        format_func=lambda t: f"{t} ({degrees[t]:,})",
    )
    limit = st.slider("Drawn at most", 20, questions.MOST_NEIGHBOURS, 60, step=20)
    expanded: list[str] = st.session_state.setdefault(f"expanded-{found['id']}", [])
    entities, edges = questions.neighbourhood(
        graph, [found["id"], *expanded], types, products=products, limit=limit
    )
    if not edges:
        st.info("Choose at least one relationship.")
        return
    drawn = viz.draw(entities, edges, middle=[found["id"], *expanded])
    selected = parts.picture(drawn, f"around-{found['id']}")
    parts.legend(e.type for e in entities)
    _expand(found["id"], entities, expanded, selected)
    with st.expander("The same as a table"):
        parts.show_edges(entities, edges)


def _expand(id_: str, entities: list[Entity], expanded: list[str], selected: list[str]) -> None:
    """Add the neighbours of a node that was selected in the picture or in the list."""
    names = {e.id: f"{e.label} ({e.type})" for e in entities if e.id not in (id_, *expanded)}
    preset = next((i for i, other in enumerate(names) if other in selected), None)
    chosen = st.selectbox(
        "Expand, or open, a neighbour",
        list(names),
        index=preset,
        format_func=lambda other: names[other],
        placeholder="Select one here or in the picture",
    )
    if chosen is None:
        return
    if st.button("Draw its neighbours too"):
        expanded.append(chosen)
        st.rerun()
    parts.entity_link(chosen, f"Open {names[chosen]}")


def _nearest(found: dict[str, Any]) -> None:
    st.subheader("Nearest by text")
    if not found["embedded"]:
        st.info("It has no text vector. Run `tosg embed`.")
        return
    types = list(entity_types())
    label = st.selectbox("Type", types, index=types.index(found["type"]))
    frame = questions.nearest(connection.graph(), found["id"], label)
    if frame.empty:
        st.info(f"No {label} has a vector.")
    for row in frame.to_dict("records"):
        shown = row["symbol"] or row["name"] or row["id"]
        parts.entity_link(row["id"], f"{shown} \N{MIDDLE DOT} cosine {row['score']:.2f}")


def _expression(found: dict[str, Any]) -> None:
    st.subheader("Expression across groups of cells")
    frame = cell_questions.dots(connection.graph(), [found["id"]], {})
    if frame.empty:
        st.info("No attached data set has it above the threshold in any group.")
        return
    for unit, part in frame.groupby("unit"):
        shown = part.assign(group=part["cell_type"] + " \N{MIDDLE DOT} " + part["dataset"])
        st.altair_chart(charts.dot_plot(shown.nlargest(40, "mean"), str(unit)))
    with st.expander("Table"):
        st.dataframe(frame, hide_index=True)
