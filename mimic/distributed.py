"""Several processes that train one student: each takes its rows of every batch.

Started by ``torchrun --nproc-per-node N -m mimic distill ...``. All processes draw the same order
and views, NT-Xent and batch-norm see the global batch, and PyTorch's DDP averages the gradients,
so that N processes do what one process does with the same batch (tested). Alone, every function
here does nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import nn

from mimic.errors import ConfigError

M = TypeVar("M", bound=nn.Module)


@contextlib.contextmanager
def process_group() -> Iterator[None]:
    """Join the processes that torchrun started, for as long as the block lasts.

    Tensors travel by their device's backend: NCCL for CUDA, gloo for the CPU.
    """
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def claim(device: torch.device) -> None:
    """Make a GPU this process's own, so that NCCL does not meet two processes on one."""
    if count() > 1 and device.type == "cuda":
        torch.cuda.set_device(device)


def count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """This process's number, 0 to ``count() - 1``; the first one writes the run."""
    return dist.get_rank() if dist.is_initialized() else 0


def own_rows(batch: int) -> slice:
    """The rows of a batch that this process computes.

    Raises:
        ConfigError: if the processes cannot share the batch evenly.
    """
    if batch % count():
        raise ConfigError(
            f"{count()} processes cannot share a batch of {batch} images evenly.",
            f"Choose a --batch-size that is a multiple of {count()} and at most the clean images.",
        )
    size = batch // count()
    return slice(rank() * size, (rank() + 1) * size)


def gather(rows: torch.Tensor) -> torch.Tensor:
    """The rows of all processes, first process first: (B, P) to (B * count, P).

    The gradient of a row is the sum over all processes' gradients of it.
    """
    if count() == 1:
        return rows
    return cast(torch.Tensor, GatherRows.apply(rows))


class GatherRows(torch.autograd.Function):
    """All processes' rows; the gradient of a process's rows is summed over the processes."""

    @staticmethod
    def forward(_context: Any, rows: torch.Tensor) -> torch.Tensor:
        """(B, P) to (B * count, P)."""
        own = rows.contiguous()
        parts = [torch.empty_like(own) for _ in range(count())]
        dist.all_gather(parts, own)
        return torch.cat(parts)

    @staticmethod
    def backward(_context: Any, *slopes: torch.Tensor) -> torch.Tensor:
        """(B * count, P) to this process's (B, P)."""
        slope = slopes[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(slope)
        return slope[own_rows(len(slope))]


class SumOverProcesses(torch.autograd.Function):
    """The sum over the processes; so is its gradient."""

    @staticmethod
    def forward(_context: Any, values: torch.Tensor) -> torch.Tensor:
        """Any shape."""
        total = values.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, *slopes: torch.Tensor) -> torch.Tensor:
        """The same shape."""
        total = slopes[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total


def mean(values: torch.Tensor) -> torch.Tensor:
    """The mean over the processes; no gradient."""
    if count() > 1:
        dist.all_reduce(values)
        values /= count()
    return values


def from_first(value: Any) -> Any:
    """The first process's value, in every process."""
    if count() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def averaged_gradients(objective: nn.Module, *, unused: bool) -> nn.Module:
    """The module in DDP's wrapper, which averages gradients over the processes.

    Args:
        objective: a module whose output is the loss.
        unused: whether some parameters take no part in the loss.
    """
    if count() == 1:
        return objective
    device = next(objective.parameters()).device
    return nn.parallel.DistributedDataParallel(
        objective,
        device_ids=[device] if device.type == "cuda" else None,
        forward_sync_buffers=False,  # Batch-norm's statistics are the same everywhere already.
        find_unused_parameters=unused,
    )


class GlobalBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch-norm over the rows of all processes, on any device.

    PyTorch's SyncBatchNorm computes the same and refuses to on CPUs. Every process holds equally
    many rows. Parameters and their names are nn.BatchNorm2d's.
    """

    def _check_input_dim(self, x: torch.Tensor) -> None:
        """Any number of dimensions will do."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise (B, C, ...) over all dimensions but the second, in float32."""
        if not self.training or count() == 1:
            return super().forward(x)
        kind, x = x.dtype, x.float()
        rows = [dimension for dimension in range(x.dim()) if dimension != 1]
        moments = torch.stack([x.mean(rows), (x * x).mean(rows)])  # (2, C)
        summed = SumOverProcesses.apply(moments)
        centre, square = (summed / count()).unbind()
        variance = (square - centre * centre).clamp(min=0)
        if self.track_running_stats:
            self._follow(centre.detach(), variance.detach(), x.numel() // x.shape[1] * count())
        shape = [1, -1] + [1] * (x.dim() - 2)
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - centre * scale
        normalised: torch.Tensor = x * scale.view(shape) + shift.view(shape)
        return normalised.to(kind)

    @torch.no_grad()
    def _follow(self, centre: torch.Tensor, variance: torch.Tensor, values: int) -> None:
        """Move the running statistics, the variance unbiased as in nn.BatchNorm2d."""
        running_mean, running_var = self.running_mean, self.running_var
        if running_mean is None or running_var is None or self.num_batches_tracked is None:
            return
        momentum = 0.1 if self.momentum is None else self.momentum
        self.num_batches_tracked.add_(1)
        running_mean.lerp_(centre, momentum)
        running_var.lerp_(variance * (values / (values - 1)), momentum)


def share_batch_norm(network: M) -> M:
    """The network with batch-norm over the global batch; parameters and names stay."""
    if count() == 1:
        return network
    if any(parameter.is_cuda for parameter in network.parameters()):
        return cast(M, nn.SyncBatchNorm.convert_sync_batchnorm(network))  # type: ignore[no-untyped-call]
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
            shared = GlobalBatchNorm(child.num_features, eps=child.eps, momentum=child.momentum)
            shared.load_state_dict(child.state_dict())
            setattr(network, name, shared.to(child.weight.device))
        else:
            share_batch_norm(child)
    return network
