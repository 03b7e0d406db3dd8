"""`CsrRows` against numpy on dense rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tosg.kg.cells.csr import CsrRows
from tosg.kg.cells.values.normalise import LINEAR, Normaliser, log1p_cp10k

DENSE = np.array([[0, 2, 0, 3], [0, 0, 0, 0], [5, 0, 0, 0], [1, 1, 1, 1]])


def rows() -> CsrRows:
    return CsrRows.of(sp.csr_matrix(DENSE), np.array([4, 6, 7, 9]))


def test_rows_of_scipy_and_back() -> None:
    block = rows()
    assert len(block) == 4
    assert block.lengths.tolist() == [2, 0, 1, 4]
    assert np.array_equal(block.to_scipy(4).toarray(), DENSE)
    assert CsrRows.of(sp.csr_matrix(DENSE)).rows.tolist() == [0, 1, 2, 3]


def test_row_sums_are_exact_for_whole_numbers() -> None:
    sums = rows().row_sums()
    assert sums.dtype == np.int64
    assert sums.tolist() == [5, 0, 5, 4]
    assert rows().row_sums(np.full(7, 0.5)).tolist() == [1.0, 0.0, 0.5, 2.0]
    wide = CsrRows.of(sp.csr_matrix(np.full((2, 3), 200, np.uint8)))
    assert wide.row_sums().tolist() == [600, 600]


@given(st.lists(st.integers(0, 3), max_size=9))
def test_select_takes_rows_in_any_order_and_more_than_once(positions: list[int]) -> None:
    at = np.array(positions, np.int64)
    found = rows().select(at)
    assert found.rows.tolist() == [[4, 6, 7, 9][p] for p in positions]
    assert np.array_equal(found.to_scipy(4).toarray(), DENSE[at].reshape(-1, 4))


def test_entries_are_left_out() -> None:
    block = rows()
    kept = block.keep(np.asarray(block.values > 1))
    assert np.array_equal(kept.to_scipy(4).toarray(), np.where(DENSE > 1, DENSE, 0))
    zeros = block.with_values(np.where(block.values == 1, 0, block.values)).without_zeros()
    assert zeros.lengths.tolist() == [2, 0, 1, 0]
    assert block.without_zeros() is block


def logs(dense: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    sums = dense.sum(axis=1, keepdims=True)
    return np.asarray(np.log1p(dense / np.where(sums > 0, sums, 1) * 1e4))


@pytest.mark.parametrize("unit", LINEAR)
def test_values_are_logs_of_shares_of_10000(unit: str) -> None:
    block = rows()
    found = Normaliser(unit).normalise(block)
    assert np.allclose(found.to_scipy(4).toarray(), logs(DENSE), rtol=1e-6)
    doubled = log1p_cp10k(block, np.array([10.0, 1, 10, 8]))
    assert np.allclose(np.expm1(doubled), np.expm1(found.values) / 2, rtol=1e-5)
    assert Normaliser("log1p").normalise(block).values.tolist() == block.values.tolist()


def test_each_modality_has_its_own_total() -> None:
    """Point 2: antibodies are no part of a cell's RNA, and are centred log-ratios."""
    block = rows()
    normaliser = Normaliser("counts", ["gene", "protein", "gene", "protein"])
    found = normaliser.normalise(block).to_scipy(4).toarray()
    genes, proteins = DENSE * [1, 0, 1, 0], DENSE * [0, 1, 0, 1]
    g = np.exp(np.log1p(proteins).sum(axis=1) / 2)
    assert np.allclose(found, logs(genes) + np.log1p(proteins / g[:, None]), rtol=1e-6)
    assert normaliser.only(block, "gene").row_sums().tolist() == [0, 0, 5, 2]
    assert normaliser.only(block, "other").row_sums().tolist() == [0, 0, 0, 0]
    sized = normaliser.normalise(block, np.array([1, 1, 10, 1])).to_scipy(4).toarray()
    assert np.isclose(sized[2, 0], np.log1p(5 / 10 * 1e4))
    assert np.allclose(sized[:, [1, 3]], found[:, [1, 3]])
