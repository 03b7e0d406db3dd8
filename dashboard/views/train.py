"""Train: build a selection step by step, see what it holds, export it, look at the result."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tosg.dashboard import cell_questions, connection, jobs
from tosg.dashboard.views import parts, training_set
from tosg.errors import TosgError
from tosg.export.selection import LEVELS, NORMALIZE, Selection
from tosg.kg.query.lookup import find_entities

PATHWAY = (
    "MATCH (p:Entity {id: $pathway})<-[:PARTICIPATES_IN]-(m:Entity) "
    "WHERE m:Gene OR m:Protein RETURN m"
)
AROUND = (
    "MATCH (n:Entity) WHERE n.id IN $entities "
    "OPTIONAL MATCH (n)-[:ENCODES*0..1]-(x)-[:REGULATES|PHOSPHORYLATES|INTERACTS_WITH]-(y) "
    "WITH collect(n) + collect(x) + collect(y) AS found UNWIND found AS m "
    "WITH DISTINCT m WHERE m:Gene OR m:Protein RETURN m"
)

NODES = ("the whole graph", "a pathway", "genes and what signals with them", "my own Cypher")
CELLS = ("every cell", "cells with these labels", "my own Cypher", "no cells")
TARGETS = ("cell_type", "tissue", "disease", "sex", "development_stage")


def show() -> None:
    """Draw the view."""
    st.title("Train")
    if parts.show_if_empty():
        return
    build, done = st.tabs(["Build a training set", "Finished training sets"])
    with build:
        _build()
    with done:
        training_set.show()


def _build() -> None:
    fields: dict[str, Any] = {"params": {}}
    with st.container(border=True):
        st.subheader("1. Nodes")
        if not _nodes(fields):
            return
    with st.container(border=True):
        st.subheader("2. Cells")
        _cells(fields)
    with st.container(border=True):
        st.subheader("3. What to learn")
        _target(fields)
    _plan(Selection(**fields))


def _nodes(fields: dict[str, Any]) -> bool:
    """Ask for the nodes; whether there is enough to go on."""
    how = st.radio(
        "Nodes",
        NODES,
        key="nodes",
        bind="query-params",
        horizontal=True,
        label_visibility="collapsed",
    )
    fields["level"] = st.radio(
        "Where abundance and interactions meet",
        LEVELS,
        index=LEVELS.index("gene"),
        key="level",
        bind="query-params",
        horizontal=True,
        help="Expression sits on genes and much of the wiring on proteins: `gene` lifts it.",
    )
    if how == "my own Cypher":
        fields["nodes"] = st.text_area("Cypher that returns nodes", key="nodes_cypher") or None
        return bool(fields["nodes"])
    if how == "the whole graph":
        return True
    label = "Pathway" if how == "a pathway" else "Gene"
    given = st.text_input(
        "Pathway" if label == "Pathway" else "Genes, separated by commas",
        key="members",
        bind="query-params",
    )
    names = [given.strip()] if label == "Pathway" else [g.strip() for g in given.split(",")]
    found = find_entities(connection.graph().db, label, [n for n in names if n])
    for name, ids in found.ambiguous.items():
        st.warning(f"{name} could be {', '.join(ids[:10])}: give an identifier.")
    for name in found.missing:
        if name:
            st.warning(f"The graph has no {label} {name}.")
    parts.offer_names("members", given, label, many=label == "Gene")
    if not found.ids:
        return False
    ids = list(found.ids.values())
    fields["nodes"] = PATHWAY if label == "Pathway" else AROUND
    fields["params"] |= {"pathway": ids[0]} if label == "Pathway" else {"entities": ids}
    return True


def _cells(fields: dict[str, Any]) -> None:
    how = st.radio(
        "Cells",
        CELLS,
        key="cells",
        bind="query-params",
        horizontal=True,
        label_visibility="collapsed",
    )
    if how == "no cells":
        fields["cells"] = False
    elif how == "my own Cypher":
        fields["cells"] = st.text_area("Cypher that returns cells", key="cells_cypher") or None
    elif how == "cells with these labels":
        values = cell_questions.group_values(connection.graph())
        clauses = []
        for field in ("dataset", "tissue", "disease", "cell_type"):
            chosen = st.multiselect(field, values[field], key=f"only_{field}")
            if chosen:
                clauses.append(f"c.{field} IN ${field}s")
                fields["params"][f"{field}s"] = chosen
        if clauses:
            fields["cells"] = f"MATCH (c:Cell) WHERE {' AND '.join(clauses)} RETURN c"


def _target(fields: dict[str, Any]) -> None:
    if fields.get("cells") is False:
        st.caption("Without cells there is nothing to learn: the graph is exported alone.")
        return
    columns = st.columns(4)
    fields["target"] = columns[0].selectbox("Target", TARGETS, key="target", bind="query-params")
    fields["split"] = columns[1].selectbox(
        "Keep whole", ("donor", "cell", "none"), key="split", bind="query-params"
    )
    fields["normalize"] = columns[2].selectbox("Normalise", NORMALIZE, index=1, key="normalize")
    fields["seed"] = int(columns[3].number_input("Seed", 0, value=7, step=1, key="seed"))
    if fields["split"] == "cell":
        st.warning("Cells of one donor will be in training and test: results look too good.")


def _plan(selection: Selection) -> None:
    settings = connection.graph().settings
    name = st.text_input("Name of the training set", "first", key="name")
    try:
        out = jobs.out_folder(settings, name)
    except TosgError as error:
        st.warning(str(error))
        return
    st.markdown("The same from a shell")
    st.code(jobs.shell_line(out, selection), language="sh", wrap_lines=True)
    columns = st.columns(2)
    if columns[0].button("Count, write nothing"):
        with st.spinner("Counting"):
            result = connection.graph().export(out, selection, dry_run=True)
        training_set.show_counts(result.counts, result.bytes, result.warnings)
    if columns[1].button("Export", type="primary"):
        st.session_state["job"] = jobs.start(settings, out, selection)
    job = st.session_state.get("job")
    if job is not None:
        _watch()


@st.fragment(run_every=1.0)
def _watch() -> None:
    """What the export says, until it ends."""
    job: jobs.Job = st.session_state["job"]
    code = job.code
    if code is None:
        st.info(f"Exporting to {job.out}")
    elif code == 0:
        st.success(f"Finished: {job.out}. It is in the list of finished training sets.")
    else:
        st.error(f"The export failed with exit code {code}; its log is {job.log}.")
    st.code(job.read_log() or "started", language=None)
