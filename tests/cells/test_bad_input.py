"""Each wrong file of cells is one clear error, and nothing is half done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from anndata.io import write_elem
from support.cells import MAPS, VARIABLES, cells_table, counts, small_graph, write

from tosg.errors import ConfigError, DataError, TosgError, UsageError
from tosg.kg.cells.attach import attach
from tosg.kg.cells.files.opening import open_source
from tosg.kg.cells.obs.mapping import CellMapping
from tosg.kg.cells.values import units
from tosg.kg.database import bookkeeping as meta

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tosg.kg.database.connection import Database

MAPPING = CellMapping.read(MAPS)


def changed(value: float, row: int = 11) -> sp.csr_matrix:
    x = counts().copy()
    x.data[x.indptr[row]] = value
    return x


def truncated(path: Path) -> Path:
    write(path)
    path.write_bytes(path.read_bytes()[:4000])
    return path


def damaged(path: Path) -> Path:
    """An HDF5 file whose values are cut off inside: it opens, and fails when they are read."""
    rng = np.random.default_rng(1)
    x = sp.csr_matrix(rng.poisson(1.0, (3000, 7)).astype(np.float32))
    write(path, x, obs=pd.DataFrame(index=[f"c{i}" for i in range(3000)]))
    with h5py.File(path, "r+") as file:
        values = file["X/data"][:]
        del file["X/data"]
        file["X"].create_dataset("data", data=values, compression="gzip", chunks=(4096,))
    with h5py.File(path, "r") as file:
        chunk = file["X/data"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = b"\x55" * chunk.size
    path.write_bytes(content)
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def not_cells(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file.create_group("pictures")
    return path


def text(path: Path) -> Path:
    path.write_text("gene\tcell1\nCD3D\t1\n")
    return path


def without_values(path: Path) -> Path:
    write(path)
    with h5py.File(path, "r+") as file:
        del file["X"]
    return path


def with_nan(parts: dict[str, Any], path: Path) -> Path:
    """Z-scores in X, with a gene without variance, and what else is given."""
    zscores = counts().toarray() - 20.5
    zscores[:, 2] = np.nan
    return write(path, zscores, **parts)


def scaled(path: Path) -> Path:
    return write(path, counts().toarray() - 20.5)


def duplicate_variables(path: Path) -> Path:
    write(path)
    with h5py.File(path, "r+") as file:
        file["var/_index"][-1] = "CD3D"
    return path


def no_cells(path: Path) -> Path:
    return write(path, counts()[:0], obs=cells_table(0))


def no_variables(path: Path) -> Path:
    return write(path, counts()[:, :0])


def no_human(path: Path) -> Path:
    return write(path, obs=cells_table().assign(organism="Mus musculus"))


def cpm_but_wrong(path: Path) -> Path:
    return write(path, sp.csr_matrix(counts().toarray() * 1.5 + 100.25))


def rows_of(n: int) -> Callable[[Path], Path]:
    """Make a file whose matrix has rows for another number of cells than the 12 of obs."""

    def make(path: Path) -> Path:
        write(path)
        with h5py.File(path, "r+") as file:
            del file["X"]
            write_elem(file, "X", counts(n))
        return path

    return make


def edited(part: str, change: Callable[[Any], None], x: Any = None) -> Callable[[Path], Path]:
    """Make a file of which one array is changed in place."""

    def make(path: Path) -> Path:
        write(path, x)
        with h5py.File(path, "r+") as file:
            values = file[part][:]
            change(values)
            file[part][:] = values
        return path

    return make


def set_to(at: int, value: int) -> Callable[[Any], None]:
    def change(values: Any) -> None:
        values[at] = value

    return change


def encoded(part: str, key: str, value: str) -> Callable[[Path], Path]:
    """Make a file of which one part says that it is encoded in another way."""

    def make(path: Path) -> Path:
        write(path)
        with h5py.File(path, "r+") as file:
            file[part].attrs[key] = value
        return path

    return make


def all_zero(path: Path) -> Path:
    return write(path, sp.csr_matrix((12, 7), dtype=np.float32))


FILES: list[tuple[Callable[[Path], Path], str]] = [
    (lambda p: p, "no such file of cells"),
    (empty, "the file of cells is empty"),
    (text, "not in a known format of cells"),
    (truncated, "the file of cells is truncated"),
    (damaged, "cannot be read"),
    (not_cells, "does not hold cells"),
    (without_values, "no expression values"),
    (scaled, "neither counts nor log-normalised"),
    (cpm_but_wrong, "unit of the values is not certain"),
    (all_zero, "unit of the values is not certain"),
    (lambda p: write(p, changed(np.nan)), "not a finite number"),
    (lambda p: write(p, changed(np.inf)), "not a finite number"),
    (lambda p: write(p, changed(2**25)), "too large"),
    (duplicate_variables, "variable names are not unique"),
    (no_cells, "the file has no cells"),
    (no_variables, "the file has no variables"),
    (no_human, "no human cells"),
    (edited("X/indptr", set_to(5, 10**6)), "do not fit its values"),
    (edited("X/indptr", set_to(5, 0)), "not fit its values"),
    (
        edited("X/indptr", set_to(5, 10**6), counts().tocsc()),
        "row pointers of a sparse matrix do not",
    ),
    (edited("X/indices", set_to(5, 99)), "an entry outside its columns"),
    (edited("X/indices", set_to(5, -1)), "entry outside its columns"),
    (edited("X/indices", set_to(5, 99), counts().tocsc()), "outside its columns"),
    (edited("X/indices", lambda x: x.fill(0)), "two values of one variable"),
    (encoded("obs", "encoding-version", "9.9.9"), "cannot be read"),
    (encoded("var", "encoding-type", "funny"), "of cells cannot be read"),
    (encoded("obs", "encoding-type", "dict"), "the file of cells cannot be read"),
    (rows_of(10), "does not fit its cells"),
    (rows_of(14), "a matrix does not fit its cells"),
]


def told(error: TosgError) -> tuple[str, int, str]:
    """What a user is told of an error, with the exit code of the command."""
    return type(error).__name__, error.exit_code, str(error)


def outcome(db: Database, path: Path, *given: Any, **options: Any) -> Any:
    """What a user is told of a file, wrong or right; times aside."""
    try:
        report = attach(db, path, *given, **options)
    except TosgError as error:
        return told(error)
    return {k: v for k, v in report.as_dict().items() if k not in ("status", "seconds")}


@pytest.mark.neo4j
@pytest.mark.parametrize(("make", "message"), FILES, ids=[m for _, m in FILES])
def test_wrong_files(
    database: Database, tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    small_graph(database)
    before = database.rows("MATCH (n) RETURN count(n) AS n")
    path = make(tmp_path / "wrong.h5ad")
    # Not every file has the columns of the others.
    mapping = CellMapping() if make is damaged else MAPPING
    with pytest.raises(DataError, match=message) as caught:
        attach(database, path, mapping)
    assert caught.value.where is not None
    assert str(path) in caught.value.where
    assert outcome(database, path, mapping, dry_run=True) == told(caught.value)
    assert database.rows("MATCH (n) RETURN count(n) AS n") == before
    assert meta.read_meta(database).writer is None


def _values(x: Any, generator: Any) -> Any:
    """Change some values of a dense matrix so that they may be wrong."""
    kind = generator.integers(8)
    at = tuple(int(generator.integers(n)) for n in x.shape)
    if kind == 0:
        x[at] = generator.choice([np.nan, np.inf, -1.0, 0.5, 2.0**25, 1e-3])
    elif kind == 1:
        x = np.log1p(x)
    elif kind == 2:
        x = x * 0.93
    elif kind == 3:
        x[at[0]] = 0
    elif kind == 4:
        x = (x > 0).astype(np.float32)
    return x.astype(np.float32)


def _columns(obs: pd.DataFrame, generator: Any) -> pd.DataFrame:
    """Add columns that may be wrong."""
    n = len(obs)
    kind = generator.integers(7)
    if kind == 0:
        obs["is_primary_data"] = generator.choice(["yes", "no", "maybe", "T"], n)
    elif kind == 1:
        obs["organism"] = generator.choice(["human", "Mus musculus", "", "9606"], n)
    elif kind == 2:
        obs["patient"] = generator.choice(["P1", "doublet", "P1_P2", "P2", "NA"], n)
    elif kind == 3:
        obs["label"] = generator.choice(["T cell", "CL:1", "CL:0000084", "PATO:0000461", "Q"], n)
    elif kind == 4:
        obs["score"] = np.arange(n, dtype=np.uint64) + 2**63
    elif kind == 5:
        obs["total"] = generator.choice([5, 10**6, 2**60], n)
    return obs


@pytest.mark.neo4j
def test_a_dry_run_says_what_the_real_run_says(database: Database, tmp_path: Path) -> None:
    """Random files and options, wrong and right: the same report, or the same error and code."""
    small_graph(database)
    generator = np.random.default_rng(19)
    ended: dict[str, int] = {}
    for n in range(40):
        x = _values(counts().toarray(), generator)
        obs = _columns(cells_table(), generator)
        names = list(VARIABLES)
        if generator.integers(6) == 0:
            names[int(generator.integers(7))] = str(generator.choice(["Cd3d", "1", "ENSMUSG1"]))
        path = write(tmp_path / f"{n}.h5ad", x, obs=obs, var=pd.DataFrame(index=names))
        maps = [*MAPS, *(["n_counts=total"] if "total" in obs else [])]
        keep = ["score"] if generator.integers(3) == 0 else []
        options: dict[str, Any] = {}
        if generator.integers(3) == 0:
            unit = generator.choice(["counts", "log1p", "corrected_counts", "cp10k", "reads"])
            options["unit"] = str(unit)
        if generator.integers(4) == 0:
            options["markers"] = [str(generator.choice(["CD3D", "CD3F", "UNKNOWN"]))]
        if generator.integers(5) == 0:
            options["metacells"] = int(generator.choice([1, 2, 50]))
        options["round"] = bool(generator.integers(5) == 0)
        mapping = CellMapping.read(maps, (), keep)
        dry = outcome(database, path, mapping, dry_run=True, **options)
        real = outcome(database, path, mapping, **options)
        assert dry == real, (n, options)
        how = "attached" if isinstance(real, dict) else real[0]
        ended[how] = ended.get(how, 0) + 1
        database.write("MATCH (n:Cell|CellGroup|Dataset) DETACH DELETE n")
    assert min(ended["attached"], ended["DataError"]) > 4


@pytest.mark.neo4j
def test_a_wrong_value_after_the_rows_that_were_looked_at(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tosg.kg.cells.files.source.BLOCK_VALUES", 14)
    monkeypatch.setattr("tosg.kg.cells.values.readings.PROBE_ROWS", 1)
    small_graph(database)
    before = database.rows("MATCH (n) RETURN count(n) AS n")
    for value, message in ((-3, "below 0"), (0.5, "not a whole number"), (np.nan, "finite")):
        path = write(tmp_path / "late.h5ad", changed(value, row=9))
        with pytest.raises(DataError, match=message) as caught:
            attach(database, path, MAPPING)
        assert "row 9, variable CD3E" in str(caught.value.where)
        # Cells before it were written under other labels, and are gone.
        assert database.rows("MATCH (n) RETURN count(n) AS n") == before


@pytest.mark.neo4j
def test_nothing_stays_staged_whatever_goes_wrong(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_graph(database)
    before = database.rows("MATCH (n) RETURN count(n) AS n")

    def fault(*_args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tosg.kg.cells.stored.staged_writer.write_groups", fault)
    with pytest.raises(ZeroDivisionError):
        attach(database, write(tmp_path / "x.h5ad"), MAPPING)
    assert database.rows("MATCH (n) RETURN count(n) AS n") == before


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("a`b", "cannot be a property"),
        ("a\\b", "cannot be a property"),
        ("split", "has the name of a property"),
        ("target", "has the name of a property"),
        ("n_counts", "has the name of a property"),
    ],
)
def test_columns_that_cannot_be_kept(column: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        CellMapping(keep=(column,)).complete(pd.DataFrame({column: [1]}), "x.h5ad")
    assert "rename the column" in (caught.value.hint or "")


@pytest.mark.neo4j
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"markers": ["CD3F"]}, "unknown marker"),
        ({"matrix": "counts"}, "no such matrix"),
        ({"unit": "log1p"}, "no values of the file are log1p"),
        ({"unit": "reads"}, "unknown unit"),
        ({"storage": "both"}, "unknown storage"),
        ({"metacells": 1}, "the size of a meta-cell"),
        ({"metacells": 4, "storage": "linked"}, "cannot be linked"),
        ({"id": "a b"}, "characters that are not allowed"),
        ({"min_fraction": 2.0}, "not a fraction"),
    ],
)
def test_wrong_options(
    database: Database, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    small_graph(database)
    path = write(tmp_path / "x.h5ad")
    with pytest.raises(TosgError, match=message) as caught:
        attach(database, path, MAPPING, **options)
    assert outcome(database, path, MAPPING, dry_run=True, **options) == told(caught.value)
    assert not database.rows("MATCH (c:Cell|TosgStagedCell|TosgStagedDataset) RETURN c")


@pytest.mark.neo4j
def test_a_column_that_is_not_there(database: Database, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean patient"):
        attach(database, write(tmp_path / "x.h5ad"), CellMapping.read(["donor_id=patients"]))


@pytest.mark.neo4j
def test_scaled_values_when_asked_for(database: Database, tmp_path: Path) -> None:
    small_graph(database)
    report = attach(database, scaled(tmp_path / "z.h5ad"), MAPPING, allow_scaled=True)
    assert (report.unit, report.expresses) == ("scaled", 0)
    assert "z-scores" in " ".join(report.notes)


@pytest.mark.neo4j
def test_cells_of_other_species_are_left_out_and_counted(
    database: Database, tmp_path: Path
) -> None:
    small_graph(database)
    species = ["NCBITaxon:10090", "unknown"] + ["NCBITaxon:9606"] * 10
    obs = cells_table().assign(organism_ontology_term_id=species)
    path = write(tmp_path / "mixed.h5ad", obs=obs)
    report = attach(database, path, MAPPING)
    assert report.left_out == {"not human (NCBITaxon:10090)": 1}
    rows = database.rows("MATCH (c:Cell) RETURN c.row AS row ORDER BY row")
    assert [r["row"] for r in rows] == list(range(1, 12))
    every = attach(database, path, MAPPING, organism="any", replace_existing=True)
    assert every.cells == 12


def test_where_counts_are_found(tmp_path: Path) -> None:
    x = counts()
    logged = sp.csr_matrix(np.log1p(x.toarray() / x.sum(axis=1).A1[:, None] * 1e4))
    zscores = logged.toarray() - 1
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"x": x}, "X", "counts"),
        ({"x": logged}, "X", "log1p_cp10k"),
        ({"x": logged, "layers": {"counts": x}}, "layers/counts", "counts"),
        ({"x": zscores, "layers": {"lognorm": logged}}, "layers/lognorm", "log1p_cp10k"),
        ({"x": sp.csr_matrix(logged.expm1())}, "X", "cp10k"),
        ({"x": x.tocsc()}, "X", "counts"),
        ({"x": x.toarray().astype(np.int64)}, "X", "counts"),
    ]
    for parts, name, unit in cases:
        path = write(tmp_path / "x.h5ad", parts.pop("x"), **parts)
        with open_source(path) as source:
            values, _ = units.choose(source)
            assert (values.matrix.name, values.unit) == (name, unit)
            assert sum(len(block) for block in values.blocks(np.arange(12))) == 12


def test_a_matrix_that_is_not_needed_may_have_nan(tmp_path: Path) -> None:
    dense = counts().toarray()
    logged = sp.csr_matrix(np.log1p(dense / dense.sum(axis=1, keepdims=True) * 500))
    path = with_nan({"layers": {"lognorm": logged}}, tmp_path / "x.h5ad")
    with open_source(path) as source:
        for unit in (None, "log1p"):
            values, findings = units.choose(source, unit=unit)
            assert (values.matrix.name, values.unit) == ("layers/lognorm", "log1p")
            assert findings[0].matrix.name == "X"
            assert "not a finite number: nan" in findings[0].reason
            assert "variable MS4A1" in findings[0].reason
        with pytest.raises(DataError, match="not a finite number") as caught:
            units.choose(source, matrix="X")
        assert caught.value.hint == "--matrix takes another one: layers/lognorm"


def test_fractions_are_read_as_float32(tmp_path: Path) -> None:
    tiny = np.full((12, 7), 1e-46)
    tiny[:, :2] = -1.5
    for x in (tiny, sp.csr_matrix(tiny), tiny.astype(np.float16)):
        with open_source(write(tmp_path / "x.h5ad", x)) as source:
            block = source.matrix("X").block(np.arange(12))
            assert block.values.dtype == np.float32
            assert block.values.tolist() == [-1.5] * 24
    tiny[3, 3] = 1e39
    with open_source(write(tmp_path / "x.h5ad", tiny)) as source:
        with pytest.raises(DataError, match="not a finite number") as caught:
            units.choose(source, allow_scaled=True)
        assert "float32" in str(caught.value.expected)


def test_raw_counts_beside_scaled_values(tmp_path: Path) -> None:
    import anndata

    raw = anndata.AnnData(counts(), cells_table(), pd.DataFrame(index=VARIABLES))
    data = anndata.AnnData(
        counts().toarray()[:, :3] - 5.5, cells_table(), pd.DataFrame(index=VARIABLES[:3])
    )
    data.raw = raw
    data.write_h5ad(tmp_path / "raw.h5ad")
    with open_source(tmp_path / "raw.h5ad") as source:
        values, findings = units.choose(source)
        matrix = values.matrix
        assert (matrix.name, matrix.shape, values.unit) == ("raw.X", (12, 7), "counts")
        assert len(findings) == 1
        with pytest.raises(DataError, match="no values of the file are counts"):
            units.choose(source, matrix="X", unit="counts")
    with pytest.raises(ConfigError, match="unknown unit"):
        units.choose(source, unit="rpkm")


def test_counts_of_all_genes_win_over_counts_of_a_selection(tmp_path: Path) -> None:
    import anndata

    def source_of(raw: Any) -> Any:
        var = pd.DataFrame(index=VARIABLES[:2])
        data = anndata.AnnData(np.log1p(counts()[:, :2]), cells_table(), var)
        data.layers["counts"] = counts()[:, :2]
        data.raw = anndata.AnnData(raw, cells_table(), pd.DataFrame(index=VARIABLES))
        data.write_h5ad(tmp_path / "selected.h5ad")
        return open_source(tmp_path / "selected.h5ad")

    with source_of(counts()) as source:
        values, findings = units.choose(source)
        assert (values.matrix.name, values.unit) == ("raw.X", "counts")
        assert [f.matrix.name for f in findings] == ["layers/counts", "raw.X"]
        assert units.choose(source, unit="counts")[0].matrix.name == "raw.X"
        assert units.choose(source, matrix="counts")[0].matrix.name == "layers/counts"
    with source_of(sp.csr_matrix(np.log1p(counts().toarray() * 0.7))) as source:
        assert units.choose(source)[0].matrix.name == "layers/counts"


@pytest.mark.neo4j
def test_totals_over_a_selection_are_said(database: Database, tmp_path: Path) -> None:
    import anndata

    small_graph(database)
    data = anndata.AnnData(counts()[:, :3], cells_table(), pd.DataFrame(index=VARIABLES[:3]))
    logged = sp.csr_matrix(np.log1p(counts().toarray() * 0.7))
    data.raw = anndata.AnnData(logged, cells_table(), pd.DataFrame(index=VARIABLES))
    data.write_h5ad(tmp_path / "selected.h5ad")
    report = attach(database, tmp_path / "selected.h5ad", MAPPING)
    assert (report.matrix, report.unit) == ("X", "counts")
    assert "X has 3 of the 7 variables of raw.X" in " ".join(report.notes)


@pytest.mark.neo4j
def test_genes_that_the_graph_does_not_have_are_said(database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "x.h5ad")
    before = attach(database, path, MAPPING, dry_run=True)
    assert before.notes[0].startswith("no variable is a gene or protein of the graph")
    assert "gene_ids" in before.notes[0]
    small_graph(database)
    assert not any("no variable" in note for note in attach(database, path, MAPPING, id="y").notes)


@pytest.mark.neo4j
def test_a_line_end_in_a_label_does_not_break_the_report(
    database: Database, tmp_path: Path
) -> None:
    small_graph(database)
    table = cells_table()
    table["label"] = "T\ncell"
    report = attach(database, write(tmp_path / "odd.h5ad", obs=table), MAPPING)
    assert any(r"T\ncell" in line for line in report.lines())
    assert all("\n" not in line for line in report.lines())
