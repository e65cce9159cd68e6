"""Bounds on mutual information as pure formulas of critic scores, in nats.

Everywhere ``joint`` (..., N) are scores of true pairs and ``product`` (..., N, M) scores of pairs
drawn independently: row n holds M pairs that share x_n. The result has the leading shape (...).
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional

SMILE_CLIP = 5.0


def log_mean_exp(product: torch.Tensor) -> torch.Tensor:
    """``log mean(exp(product))`` over the last two axes, without overflow."""
    flat = product.flatten(-2)
    return flat.logsumexp(-1) - math.log(flat.shape[-1])


def donsker_varadhan_bound(joint: torch.Tensor, product: torch.Tensor) -> torch.Tensor:
    """``E_joint[T] - log E_product[exp T]``, a lower bound for every T.

    Belghazi et al., "Mutual Information Neural Estimation", ICML 2018, equation 10.
    """
    return joint.mean(-1) - log_mean_exp(product)


def mine_objective(
    joint: torch.Tensor, product: torch.Tensor, log_denominator: torch.Tensor
) -> torch.Tensor:
    """What MINE ascends: the gradient of the bound with a moving average as denominator.

    In a batch the logarithm's gradient ``E[exp(T) grad T] / E[exp T]`` is biased; MINE puts a
    moving average of ``E[exp T]`` below the line (Belghazi et al., section 3.2). Only the gradient
    of the returned value means something.

    Args:
        joint: see the module.
        product: see the module.
        log_denominator: logarithm of the moving average, (...), without gradient.
    """
    return joint.mean(-1) - (log_mean_exp(product) - log_denominator).exp()


def info_nce_bound(joint: torch.Tensor, product: torch.Tensor) -> torch.Tensor:
    """``mean log(exp T(x, y) / mean over y and M others of exp T(x, .))``, at most ``log(M + 1)``.

    van den Oord et al., "Representation Learning with Contrastive Predictive Coding", 2018.
    """
    candidates = torch.logaddexp(joint, product.logsumexp(-1))  # (..., N)
    return (joint - candidates).mean(-1) + math.log(product.shape[-1] + 1)


def nwj_bound(joint: torch.Tensor, product: torch.Tensor) -> torch.Tensor:
    """``E_joint[T] - E_product[exp(T - 1)]``, a lower bound for every T, with unbiased gradients.

    Nguyen, Wainwright and Jordan, IEEE Transactions on Information Theory 2010; the form of Poole
    et al., "On Variational Bounds of Mutual Information", ICML 2019, equation 6.
    """
    return joint.mean(-1) - (log_mean_exp(product) - 1).exp()


def smile_bound(
    joint: torch.Tensor, product: torch.Tensor, clip: float = SMILE_CLIP
) -> torch.Tensor:
    """Donsker-Varadhan with the product's scores clipped: less variance, no longer a bound.

    Song and Ermon, "Understanding the Limitations of Variational Mutual Information Estimators",
    ICLR 2020, equation 13.
    """
    return joint.mean(-1) - log_mean_exp(product.clamp(-clip, clip))


def jensen_shannon_objective(joint: torch.Tensor, product: torch.Tensor) -> torch.Tensor:
    """What SMILE's critic ascends: its optimum is the logarithm of the density ratio.

    Nowozin et al., "f-GAN", NeurIPS 2016; used by Song and Ermon as above.
    """
    return -functional.softplus(-joint).mean(-1) - functional.softplus(product).mean((-2, -1))


def club_bound(joint: torch.Tensor, product: torch.Tensor) -> torch.Tensor:
    """``E_joint[log q(y|x)] - E_product[log q(y|x)]``, an upper bound where q is the conditional.

    Cheng et al., "CLUB: A Contrastive Log-ratio Upper Bound of Mutual Information", ICML 2020.
    """
    return joint.mean(-1) - product.mean((-2, -1))


def mean_log_likelihood(joint: torch.Tensor, _product: torch.Tensor) -> torch.Tensor:
    """What CLUB's conditional model ascends."""
    return joint.mean(-1)
