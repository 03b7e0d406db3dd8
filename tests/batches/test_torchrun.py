"""A real torchrun: two processes share each epoch, one is killed, both go on in its middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.training_sets import dense, write_training_set

#: Trains with gloo; in the first run, rank 1 kills itself after the third step.
SCRIPT = """
import json, os, pathlib, signal, sys
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
import tosg

folder = pathlib.Path(sys.argv[1])
distributed.init_process_group("gloo")
rank = distributed.get_rank()
kept = folder / f"rank{rank}.json"
ts = tosg.TrainingSet(folder / "set")
model = DistributedDataParallel(torch.nn.Linear(ts.n_nodes, len(ts.classes)))
optimizer = torch.optim.SGD(model.parameters(), 0.01)
loader = ts.batches("train", batch_size=3, seed=5)
saved, again = {"train": [], "resumed": 0}, kept.exists()
if again:
    saved = json.loads(kept.read_text())
    loader.load_state_dict(saved["state"])
    saved["resumed"] = saved["state"]["done"]
for step, batch in enumerate(loader, 1 + saved["resumed"]):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(batch.x), batch.y).backward()
    optimizer.step()
    if again or step <= 2:
        saved["train"].append([batch.cell.tolist(), batch.x.tolist()])
    if step == 2:
        kept.write_text(json.dumps({**saved, "state": loader.state_dict()}))
        distributed.barrier()
    if step == 3 and not again and rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
for split in ("val", "test"):
    saved[split] = [b.cell.tolist() for b in ts.batches(split, batch_size=3)]
saved["epoch"] = loader.epoch
kept.write_text(json.dumps(saved))
distributed.destroy_process_group()
"""


@pytest.mark.slow  # four processes that import PyTorch: half a minute
def test_each_cell_once_also_after_a_kill_in_mid_epoch(tmp_path: Path) -> None:
    write_training_set(tmp_path / "set")  # 23, 5 and 7 cells: nothing comes out even
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"),
        *("--monitor-interval=0.1", str(script), str(tmp_path)),
    ]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    first, second = (
        subprocess.run(command, capture_output=True, text=True, timeout=400, env=environ)
        for _ in range(2)
    )
    assert first.returncode, "rank 1 was to kill itself"
    assert second.returncode == 0, second.stderr
    ranks = [json.loads((tmp_path / f"rank{r}.json").read_text()) for r in range(2)]
    assert [(rank["resumed"], rank["epoch"]) for rank in ranks] == [(2, 1), (2, 1)]
    for split, rows in (("val", range(23, 28)), ("test", range(28, 35))):
        assert sorted(j for rank in ranks for b in rank[split] for j in b) == list(rows)
    batches = [batch for rank in ranks for batch in rank["train"]]
    assert {len(rank["train"]) for rank in ranks} == {4}
    assert sorted(j for cells, _ in batches for j in cells) == list(range(23))
    for cells, x in batches:
        assert x == dense(cells, 6).tolist()
