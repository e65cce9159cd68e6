"""Threads of the library's tests; kept here so that the interface's tests never import torch."""

import os

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> None:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
