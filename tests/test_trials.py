"""Files that real users have, from ../shared/trials, through the real commands on real records.

Each script there writes files of 36 cells whose every value is known, and says in its first lines
what is right; here each file is attached for real and compared with that.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import runpy
import shutil
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from support.real_excerpt import load_excerpt
from support.servers import missing, wipe
from support.tree import ROOT

import tosg
from tosg.cli import export_main, main
from tosg.export.format.manifest import read_manifest
from tosg.kg import server as managed
from tosg.kg.cells.attach import stored_report
from tosg.kg.cells.obs.fields import BY_NAME
from tosg.kg.cells.obs.terms import match_labels, read_terms
from tosg.kg.cells.stored.dataset import datasets, read_expression
from tosg.kg.cells.var.entity_names import read_names
from tosg.kg.cells.var.matching import match_variables
from tosg.kg.cells.var.variables import variables_of
from tosg.kg.database.connection import Database, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from tosg.settings import Settings

pytestmark = [pytest.mark.neo4j, pytest.mark.timeout(600)]

TRIALS = ROOT.parent / "shared" / "trials" / "cells"
#: Names beside those of the scripts: what antibodies of theirs stand for.
ALSO = (
    "Crohn disease",
    "Alzheimer disease",
    "SEPT2",
    "GARS",
    "HN1",
    "CD8B",
    "CD3G",
    "NCAM1",
    "FCGR3A",
    "FCGR3B",
    "PDCD1",
    "HLA-DRB1",
    "TIGIT",
    "RPL17",
)


@dataclass
class Done:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The document of ``--json``."""
        assert self.code == 0, self.err
        found: dict[str, Any] = json.loads(self.out)
        return found


@dataclass
class Attached:
    """A data set, as it is in the graph."""

    db: Database
    report: dict[str, Any]
    text: str

    @property
    def id(self) -> str:
        """Of the data set."""
        return str(self.report["dataset"])

    @property
    def notes(self) -> str:
        """All notes."""
        return "\n".join(self.report["notes"])

    def cells(self) -> list[dict[str, Any]]:
        """Properties of the cells, in the order of the file."""
        query = "MATCH (c:Cell {dataset: $id}) RETURN properties(c) AS c ORDER BY c.row"
        return [row["c"] for row in self.db.rows(query, id=self.id)]

    def values(self) -> Any:
        """Cells by variables, as stored."""
        (info,) = datasets(self.db, [self.id])
        idx = np.array([cell["idx"] for cell in self.cells()], np.int64)
        blocks = read_expression(self.db, info, idx)
        width = len(info.variables)
        return np.vstack([b.to_scipy(width).toarray() for b in blocks]).astype(np.float64)

    def entities(self) -> dict[str, str | None]:
        """Variable -> symbol of its entity."""
        (info,) = datasets(self.db, [self.id])
        rows = self.db.rows(
            "MATCH (n:Entity) WHERE n.id IN $ids RETURN n.id AS id, n.symbol AS symbol, "
            "[l IN labels(n) WHERE l <> 'Entity'][0] AS type",
            ids=[e for e in info.variable_entities if e],
        )
        names = {row["id"]: f"{row['type']} {row['symbol']}" for row in rows}
        pairs = zip(info.variables, info.variable_entities, strict=True)
        return {v: names[e] if e else None for v, e in pairs}

    def kinds(self, field: str) -> dict[str, str]:
        """Label -> what became of it."""
        return {row["label"]: row["kind"] for row in self.report["fields"][field]["labels"]}


class Trials:
    """The files, and the commands on a graph of real records."""

    def __init__(self, db: Database, data: Path, known: ModuleType) -> None:
        self.db, self.data, self.known = db, data, known
        self.counts = known.counts().astype(float)

    def run(self, *arguments: str, command: Callable[..., Any] = main) -> Done:
        """Run a command as a user does; its exit code and what it prints."""
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            pytest.raises(SystemExit) as ended,
        ):
            command(list(arguments))
        return Done(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    def attach(self, name: str, *options: str) -> Attached:
        """Attach a file, after a dry run that says the same."""
        path = str(self.data / name)
        planned = self.run("cells", "attach", path, *options, "--dry-run", "--json").report
        report = self.run("cells", "attach", path, *options, "--json").report
        assert (planned["status"], report["status"]) == ("planned", "attached")
        differing = {k for k in report if report[k] != planned[k]}
        assert differing <= {"status", "seconds"}
        return Attached(self.db, report, "\n".join(self.text(report["dataset"])))

    def text(self, dataset: str) -> list[str]:
        """What a person reads of the data set."""
        return stored_report(self.db, dataset).lines()

    def refuse(self, name: str, *options: str) -> str:
        """What a file is refused with, by the dry run and by the real one alike."""
        path = str(self.data / name)
        dry, real = (
            self.run("cells", "attach", path, *options, *more) for more in (("--dry-run",), ())
        )
        assert (dry.code, dry.err) == (real.code, real.err)
        assert real.code in (1, 2)
        assert self.db.rows("MATCH (d:Dataset) RETURN count(*) AS n")[0]["n"] == 0
        return real.err

    def export(self, out: Path, *options: str) -> tosg.TrainingSet:
        """Export, and open what was written."""
        done = self.run(str(out), *options, "--json", command=export_main)
        assert done.code == 0, done.err
        return tosg.TrainingSet(out)

    def detach(self) -> None:
        """Take every data set away."""
        for row in self.db.rows("MATCH (d:Dataset) RETURN d.id AS id"):
            assert self.run("cells", "detach", row["id"]).code == 0


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, ModuleType]]:
    """The files that the scripts write, and what they know of them."""
    if not TRIALS.is_dir():
        missing(f"there is no folder {TRIALS}")
    folder = tmp_path_factory.mktemp("trials")
    for script in TRIALS.glob("*.py"):
        shutil.copy(script, folder / script.name)
    sys.path.insert(0, str(folder))
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the scripts: names that repeat on purpose
            for script in sorted(folder.glob("c*.py")):
                runpy.run_path(str(script))
        yield folder, sys.modules["_h"]
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("_h", None)


@pytest.fixture(scope="module")
def graph(
    server_settings: Settings,
    scripts: tuple[Path, ModuleType],
    shared_data: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Trials]:
    """Records of NCBI, UniProt, MONDO, CL and UBERON that the scripts' names may mean."""
    folder, known = scripts
    info = managed.ensure_server(server_settings)
    with (
        Database(Target(info.uri, info.username, info.password)) as db,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("NEO4J_URI", info.uri)
        patch.setenv("NEO4J_USERNAME", info.username)
        patch.setenv("NEO4J_PASSWORD", info.password)
        wipe(db)
        texts = [script.read_text(encoding="utf-8") for script in folder.glob("*.py")]
        names = {name for text in texts for name in re.findall(r'"([^"\n]+)"', text)}
        load_excerpt(server_settings, shared_data, tmp_path_factory.mktemp("rows"), names | {*ALSO})
        yield Trials(db, folder / "data", known)


@pytest.fixture
def trials(graph: Trials) -> Iterator[Trials]:
    """The same, without data sets."""
    yield graph
    graph.detach()


def same(values: Any, expected: Any) -> None:
    """Every number to one part in a million."""
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)


def test_4_names_of_real_records_are_clear(trials: Trials) -> None:
    """The present name of one disease is a synonym of others; so with symbols of genes."""
    found = match_labels(
        ["Alzheimer disease", "Crohn disease", "Crohn's disease"],
        BY_NAME["disease"],
        read_terms(trials.db, "Disease"),
    )
    assert {text: (label.kind, label.node, label.how) for text, label in found.items()} == {
        "Alzheimer disease": ("matched", "mondo:0004975", "name"),
        "Crohn disease": ("matched", "mondo:0005011", "name"),
        "Crohn's disease": ("matched", "mondo:0005011", "name"),  # a genitive is no other name
    }
    variables = variables_of(pd.DataFrame(index=["GARS", "SEPT2", "HN1"]))
    genes = match_variables(variables, read_names(trials.db, variables))
    assert genes.entities == ["ncbigene:2617", "ncbigene:4735", "ncbigene:51155"]


@pytest.mark.parametrize("name", ["c01_soupx_low.h5ad", "c01_soupx_layer_only.h5ad"])
def test_c01_decimals_of_soupx_are_no_logarithms(trials: Trials, name: str) -> None:
    error = trials.refuse(name)
    assert "the unit of the values is not certain" in error
    assert "exp(x) - 1 sums to 16 ... 242,641" in error
    assert "--unit corrected_counts" in error
    assert "--round" in error
    corrected = trials.counts * 0.93
    more = (np.arange(corrected.size).reshape(corrected.shape) % 7) * 0.013
    corrected += np.where(corrected > 0, more, 0)
    kept = trials.attach(name, "--unit", "corrected_counts", "--id", "kept")
    same(kept.values(), corrected)
    trials.detach()
    rounded = trials.attach(name, "--round")
    same(rounded.values(), np.rint(corrected))
    assert rounded.report["unit"] == "counts"


def test_c04_layers_of_velocyto(trials: Trials) -> None:
    counts = trials.attach("c04_velo_with_matrix.h5ad")
    assert (counts.report["matrix"], counts.report["unit"]) == ("layers/matrix", "counts")
    same(counts.values(), trials.counts)
    logs = trials.known.lognorm(trials.counts)
    for name, parts in (("no_matrix", "ambiguous+spliced+unspliced"), ("two", "spliced+unspliced")):
        found = trials.attach(f"c04_velo_{name}.h5ad")
        assert (found.report["matrix"], found.report["unit"]) == ("X", "log1p_cp10k")
        assert f"--matrix {parts}" in found.notes
        same(found.values(), logs)
    trials.detach()  # a file is one data set
    whole = trials.attach(
        "c04_velo_no_matrix.h5ad", "--matrix", "ambiguous+spliced+unspliced", "--id", "sum"
    )
    same(whole.values(), trials.counts)
    mask = trials.attach("c04_mask_layer.h5ad")
    assert (mask.report["matrix"], mask.report["unit"]) == ("X", "log1p_cp10k")
    assert "layers/binarized is not used" in mask.notes


def test_c06_base_two_is_told_from_base_e(trials: Trials, tmp_path: Path) -> None:
    c = trials.counts
    shares = c / c.sum(1, keepdims=True)
    two = trials.attach("c06_log2.h5ad")
    e = trials.attach("c06_ln_median.h5ad")
    assert (two.report["unit"], e.report["unit"]) == ("log2p1", "log1p")
    same(two.values(), np.log2(1 + shares * 1e4))
    same(e.values(), np.log1p(shares * 2143))
    done = trials.run(str(tmp_path / "out"), command=export_main)
    assert done.code != 0
    assert "different units" in done.err


def test_c08_counts_of_a_selection_say_so(trials: Trials) -> None:
    found = trials.attach("c08_hvg_counts.h5ad")
    assert (found.report["matrix"], found.report["unit"]) == ("layers/counts", "counts")
    assert "8 of the 20 variables of raw.X" in found.notes
    assert "perhaps total_counts" in found.notes
    assert [c["n_counts"] for c in found.cells()] == trials.counts[:, :8].sum(1).tolist()
    trials.detach()
    sized = trials.attach("c08_hvg_counts.h5ad", "--map", "n_counts=total_counts")
    assert [c["n_counts"] for c in sized.cells()] == trials.counts.sum(1).tolist()


def test_c21_ids_decide_where_symbols_repeat(trials: Trials) -> None:
    error = trials.refuse("c21_dup_symbols_only.h5ad")
    assert "variable names are not unique" in error
    assert "CD4" in error
    assert "Ensembl ids" in error
    found = trials.attach("c21_dup_symbols_ids.h5ad")
    same(found.values(), trials.known.counts(m=21))
    assert [found.entities()[e] for e in trials.known.ENSEMBL[:4]] == [
        f"Gene {symbol}" for symbol in trials.known.SYMBOLS[:4]
    ]
    assert found.entities()["ENSG00000282815"] != "Gene CD4"


@pytest.mark.parametrize("name", ["c26_mouse_schema6.h5ad", "c26_mouse_orthologs.h5ad"])
def test_c26_mouse_of_schema_6_is_refused_by_name(trials: Trials, name: str) -> None:
    error = trials.refuse(name)
    assert "NCBITaxon:10090" in error
    assert "--organism any" in error
    found = trials.attach(name, "--organism", "any")
    if "schema6" in name:  # no mouse gene became a human one
        assert set(found.entities().values()) == {None}
    assert {c["organism"] for c in found.cells()} == {"NCBITaxon:10090"}


def test_c26_human_of_schema_6_and_silent_mouse(trials: Trials) -> None:
    assert "Mus musculus" in trials.refuse("c26_mouse_silent.h5ad")
    found = trials.attach("c26_human_schema6.h5ad")
    assert {c["organism"] for c in found.cells()} == {"NCBITaxon:9606"}
    assert {c["age_years"] for c in found.cells()} == {35.0}
    assert found.report["variables"]["mapped"]["identifier"] == 20


def test_c27_a_mouse_run_of_cell_ranger(trials: Trials) -> None:
    error = trials.refuse("c27_mouse.h5")
    assert "Mus musculus" in error
    assert "the variables are not of human genes" in error


def test_c29_a_donor_is_one_only_within_a_study(trials: Trials, tmp_path: Path) -> None:
    found = trials.attach("c29_census.h5ad")
    same(found.values(), trials.known.counts(72))
    assert found.report["variables"]["mapped"]["identifier"] == 20
    assert len({c["donor_id"] for c in found.cells()}) == 12
    assert "dataset_id+donor_id" in found.text
    ts = trials.export(tmp_path / "out", "--split", "donor", "--cells", "MATCH (c:Cell) RETURN c")
    by_donor: dict[str, set[str]] = {}
    for donor, split in zip(ts.cells["donor_id"], ts.cells["split"], strict=True):
        by_donor.setdefault(str(donor), set()).add(str(split))
    assert len(by_donor) == 12
    assert all(len(splits) == 1 for splits in by_donor.values())


@pytest.mark.parametrize("name", ["c35_citeseq.h5", "c35_citeseq.h5ad"])
def test_c35_antibodies_are_no_part_of_the_rna(trials: Trials, tmp_path: Path, name: str) -> None:
    error = trials.refuse(name, "--markers", "CD4")
    assert "CD4:gene" in error
    assert "CD4:protein" in error
    found = trials.attach(name, "--markers", "CD4:gene,CD4:protein,CD3D")
    rna = trials.counts.sum(1)
    assert [c["n_counts"] for c in found.cells()] == rna.tolist()
    assert [c["n_genes"] for c in found.cells()] == (trials.counts > 0).sum(1).tolist()
    logs = trials.known.lognorm(trials.counts)
    same([c["expr_CD3D"] for c in found.cells()], logs[:, 0])
    same([c["expr_CD4_gene"] for c in found.cells()], logs[:, 2])
    adt = ((trials.known.counts(m=6) + 3) * 60).astype(float)
    clr = np.log1p(adt / np.exp(np.log1p(adt).mean(1, keepdims=True)))
    same([c["expr_CD4_protein"] for c in found.cells()], clr[:, 1])
    entities = found.entities()
    assert entities["CD3_TotalSeqB"] is entities["IgG1_control_TotalSeqB"] is None
    assert entities["CD8a_TotalSeqB"] == "Protein CD8A"
    assert entities["CD14_TotalSeqC"] == "Protein CD14"
    ts = trials.export(
        tmp_path / "out", "--nodes", "MATCH (g:Gene) RETURN g", "--normalize", "log1p_cp10k"
    )
    ids = [str(c).partition(":")[2] for c in ts.cells["id"]]
    rows = [int(i.removeprefix("cell").partition("-")[0][-4:].lstrip("A")) for i in ids]
    symbols = ts.graph.nodes["symbol"].to_pylist()
    x = ts.read(np.arange(36)).x.numpy()
    same(x[:, symbols.index("CD4")], logs[rows, 2])
    same(x[:, symbols.index("LYZ")], logs[rows, 7])


def test_c35_the_rna_alone(trials: Trials) -> None:
    found = trials.attach("c35_rna_only.h5ad")
    assert [c["n_counts"] for c in found.cells()] == trials.counts.sum(1).tolist()


def test_c37_antibodies_are_right_or_unmapped(trials: Trials) -> None:
    found = trials.attach("c37_antibodies.h5ad")
    entities = found.entities()
    of_cd4 = [v for v, e in entities.items() if e == "Protein CD4"]
    assert len(of_cd4) == 1
    for name in ("Hu.CD8", "CD45RA", "CD45RO", "CD3", "CD3_UCHT1", "CD16", "HLA-DR"):
        assert entities[name] is None
    assert entities["IgG2a_control_TotalSeqB"] is None
    assert entities["CD56"] == "Protein NCAM1"
    assert entities["PD-1"] == "Protein PDCD1"
    assert entities["TIGIT"] == "Protein TIGIT"
    # Several antibodies of one protein: the others are named as duplicates of the one.
    duplicates = found.report["variables"]["duplicates"]
    assert {"CD4_TotalSeqB", "CD4_TotalA", "ADT_CD4", "CD4_ADT", "CD4 (TotalSeq C)"} <= {
        name for name, of in duplicates.items() if of == of_cd4[0]
    }
    assert {"CD279 (PD-1)", "anti-human CD19", "CD14-A0081"} <= set(duplicates)
    named = {v for v, e in entities.items() if e} | set(duplicates)
    assert named | set(found.report["variables"]["unmapped"]) == set(entities)


@pytest.mark.parametrize(
    "name",
    [
        *("c41_cellbender.h5", "c42_prefix", "c42_old_zipped", "c42_one_column", "c42_plain"),
        *("c43_plain.h5ad.gz", "c43_plain.zarr", "c43_plain.zarr.zip", "c43_plain.h5ad"),
        *("c43_counts.csv.gz", "c43_velocyto.loom"),
        *("c46_old_layers.h5ad", "c46_old_counts_x.h5ad"),
    ],
)
def test_c41_c42_c43_c46_files_with_these_counts_are_read(trials: Trials, name: str) -> None:
    found = trials.attach(name)
    assert found.report["unit"] == "counts"
    same(found.values(), trials.counts)
    assert list(found.entities().values()) == [f"Gene {s}" for s in trials.known.SYMBOLS]
    if name.startswith("c46") or "plain.h5ad" in name:
        assert [c["cell_type"] for c in found.cells()] == trials.known.obs()["cell_type"].tolist()
        assert [c["donor_id"] for c in found.cells()] == trials.known.obs()["donor_id"].tolist()


def test_c43_mudata_and_foreign_files(trials: Trials) -> None:
    both = trials.attach("c43_multi.h5mu")
    same(both.values(), np.hstack([trials.counts, trials.counts]))
    assert [c["n_counts"] for c in both.cells()] == trials.counts.sum(1).tolist()
    trials.detach()
    for name, words in (("rds", "readRDS"), ("h5seurat", "SeuratDisk::Convert")):
        error = trials.refuse(f"c43_object.{name}")
        assert words in error
        assert "truncated" not in error


def test_c46_raw_of_anndata_0_6(trials: Trials) -> None:
    found = trials.attach("c46_old_raw.h5ad")
    assert (found.report["matrix"], found.report["unit"]) == ("raw.X", "log1p_cp10k")
    same(found.values(), trials.known.lognorm(trials.counts))
    assert {c["tissue"] for c in found.cells()} == {"blood"}


def test_c60_several_diseases_in_one_field(trials: Trials) -> None:
    found = trials.attach("c60_multi_disease.h5ad")
    for disease, n in (("mondo:0007915", 24), ("mondo:0005148", 12)):
        rows = trials.db.rows(
            "MATCH (d:Disease {id: $id})<-[:WITH_DISEASE]-(g:CellGroup) "
            "MATCH (c:Cell {group: g.id}) RETURN count(c) AS n",
            id=disease,
        )
        assert rows[0]["n"] == n
    assert "12 cells have several values of disease" in found.notes
    ages = [c.get("age_years") for c in found.cells()[:6]]
    assert ages == [35.0, 0.5, None, None, None, None]
    assert found.cells()[5]["post_conception_weeks"] == 10
    not_read = found.report["ages"]["not_read"]
    assert not_read == {
        "80 year-old and over stage": 6,
        "newborn stage (0-28 days)": 6,
        "fourth decade stage": 6,
    }
    assert "several values of self_reported_ethnicity" in found.notes


def test_c62_cells_of_no_one_person(trials: Trials, tmp_path: Path) -> None:
    found = trials.attach("c62_not_one_person.h5ad")
    assert "10 cells are of no one person" in found.notes
    for word in ("Negative (1)", "doublet (3)", "pooled (2)", "unassigned (1)", "ambiguous (1)"):
        assert word in found.notes
    assert sum(c.get("donor_id") is None for c in found.cells()) == 10
    done = trials.run(str(tmp_path / "d"), "--split", "donor", "--json", command=export_main)
    assert done.code == 0, done.err
    assert "10 cells are left out of the donor split" in done.err
    ts = tosg.TrainingSet(tmp_path / "d")
    assert len(ts.cells) == 26
    assert {str(d) for d in ts.cells["donor_id"]} == {f"D{i}" for i in range(1, 7)}
    splits = read_manifest(tmp_path / "d").content["splits"]
    assert splits["donor_safe"] is True
    whole = trials.export(tmp_path / "c", "--split", "cell")
    assert len(whole.cells) == 36
    assert read_manifest(tmp_path / "c").content["splits"]["donor_safe"] is False
    trials.detach()
    sums = trials.attach("c62_not_one_person.h5ad", "--metacells", "4")
    assert sums.report["measured_cells"] == 26
    assert sum(sums.report["left_out"].values()) == 10


@pytest.mark.parametrize(
    "spelling", ["text", "r", "uint8", "float", "cat", "catuint", "tf", "yesno"]
)
def test_c64_primary_data_in_every_spelling(trials: Trials, tmp_path: Path, spelling: str) -> None:
    found = trials.attach(f"c64_primary_{spelling}.h5ad")
    assert [c["is_primary_data"] for c in found.cells()] == [i % 2 == 0 for i in range(36)]
    if spelling in ("text", "yesno"):
        ts = trials.export(tmp_path / "out")
        assert len(ts.cells) == 18
        assert all(ts.cells["is_primary_data"])


def test_c67_a_label_is_never_lost_without_a_word(trials: Trials) -> None:
    found = trials.attach("c67_labels.h5ad")
    import anndata

    labels = anndata.read_h5ad(trials.data / "c67_labels.h5ad").obs["cell_type"].astype(str)
    kinds = found.kinds("cell_type")
    for cell, label in zip(found.cells(), labels, strict=True):
        if label in ("unknown", "-", "?", "n.a.", "N.A.", "not available", "None", "NaN", "nan"):
            assert kinds[label] == "missing"
            assert "cell_type" not in cell
        else:
            assert cell["cell_type"] == label
            assert "cell_type_id" not in cell
        assert f"{label}: 1 cells" in found.text


def test_c71_abbreviations_are_suggested_and_not_matched(trials: Trials) -> None:
    ibd = trials.attach("c71_ibd.h5ad")
    assert ibd.kinds("disease") == {
        "CD": "perhaps",
        "HC": "not in the graph",
        "UC": "not in the graph",
    }
    assert ibd.kinds("cell_type")["PC"] == "perhaps"
    assert "perhaps Cowden disease (mondo:0016063), name it with" in ibd.text
    assert {c["disease"] for c in ibd.cells()} == {"CD", "UC", "HC"}
    abbreviated = trials.attach("c71_abbr.h5ad")
    for field in ("disease", "tissue", "cell_type"):
        assert "matched" not in abbreviated.kinds(field).values()
        assert len(abbreviated.kinds(field)) == 36
    trials.detach()
    named = trials.attach("c71_ibd.h5ad", "--map", "disease:CD=Crohn disease")
    rows = [r for r in named.report["fields"]["disease"]["labels"] if "Crohn" in r["label"]]
    assert rows[0]["id"] == "mondo:0005011"
    assert rows[0]["cells"] == 12


def test_c71_ids_against_symbols(trials: Trials) -> None:
    found = trials.attach("c71_id_against_symbol.h5ad")
    assert found.report["variables"]["mapped"]["identifier"] >= 19
    same(found.values(), trials.counts)


def test_c73_columns_that_people_keep(trials: Trials, tmp_path: Path) -> None:
    for column, words in (
        ("n_counts", "property that cells have"),
        ("n_genes", "property that cells have"),
        ("big", "too large for the graph"),
    ):
        error = trials.refuse("c73_keep.h5ad", "--keep", column)
        assert words in error
        assert column in error
    found = trials.attach("c73_keep.h5ad", "--keep", "score,bmi,flag,batch,Sample ID,pct.mt")
    first = found.cells()[:3]
    assert (first[0]["score"], first[1].get("score"), first[2]["score"]) == (np.inf, None, 2.0)
    assert (first[0]["bmi"], first[1]["flag"], first[2]["batch"]) == (22.5, False, 2)
    assert {c["Sample ID"] for c in found.cells()} == {"s 1"}
    same([c["pct.mt"] for c in found.cells()], np.linspace(0, 1, 36))
    trials.attach("c73_keep2.h5ad", "--keep", "batch")
    done = trials.run(str(tmp_path / "out"), "--json", command=export_main)
    assert done.code == 0, done.err
    ts = tosg.TrainingSet(tmp_path / "out")
    assert len(ts.cells) == 72
    batch = set(ts.cells["batch"].to_pylist())
    assert batch == {"0", "1", "2", "b0", "b1", "b2"}


@pytest.mark.parametrize("name", ["c75_filtered.h5ad", "c75_filtered_text.h5ad"])
def test_c75_filtered_features(trials: Trials, tmp_path: Path, name: str) -> None:
    found = trials.attach(name)
    expected = trials.counts.copy()
    expected[:, 3:5] = 0
    assert (found.report["matrix"], found.report["unit"]) == ("raw.X", "counts")
    same(found.values(), expected)
    assert found.report["variables"]["unmeasured"] == [trials.known.ENSEMBL[3]]
    if name == "c75_filtered.h5ad":
        ts = trials.export(tmp_path / "out", "--nodes", "MATCH (g:Gene) RETURN g")
        batch = ts.read(np.arange(4))
        symbols = ts.graph.nodes["symbol"].to_pylist()
        measured = dict(zip(symbols, batch.measured[0].tolist(), strict=True))
        names = trials.known.SYMBOLS
        assert measured[names[2]]
        assert not measured[names[3]]
        assert measured[names[4]]


def test_c76_nan_is_never_zero(trials: Trials) -> None:
    error = trials.refuse("c76_nan.h5ad")
    assert "CD19" in error
    assert "one of several joined studies" in error
    found = trials.attach("c76_nan_x_ok_layer.h5ad")
    assert found.report["matrix"] == "layers/counts"
    same(found.values(), trials.counts)
