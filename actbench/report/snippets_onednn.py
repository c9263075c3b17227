"""A choice as code for oneDNN: the primitives of its C++ API, with the algorithm that keeps z, or y."""

from __future__ import annotations

from actbench.backends.onednn import OneDnn
from actbench.errors import InputError
from actbench.kernels.kernel import Kernel

TEMPLATE = """\
using namespace dnnl;

// {call}, keeping {kept}
const auto kind = algorithm::{kind};
const float alpha = {alpha}, beta = {beta};
const eltwise_forward::primitive_desc forward(
        engine, prop_kind::forward_training, kind, z_desc, y_desc, alpha, beta);
const eltwise_backward::primitive_desc backward(
        engine, kind, dz_desc, dy_desc, {kept}_desc, alpha, beta, forward);

eltwise_forward(forward).execute(stream, {{{{DNNL_ARG_SRC, z}}, {{DNNL_ARG_DST, y}}}});
eltwise_backward(backward).execute(stream,
        {{{{DNNL_ARG_{role}, {kept}}}, {{DNNL_ARG_DIFF_DST, dy}}, {{DNNL_ARG_DIFF_SRC, dz}}}});
"""


def snippet(kernel: Kernel) -> str:
    """Return the primitives of a strategy; `InputError` where oneDNN has no algorithm."""
    eltwise = OneDnn().eltwise(kernel.activation.name, kernel.strategy)
    if eltwise is None:
        raise InputError(f"{kernel.id} does not exist: {kernel.unsupported}")
    role = eltwise.kind.kept.name
    return TEMPLATE.format(
        call=kernel.activation.summary,
        kept={"SRC": "z", "DST": "y"}[role],
        kind=eltwise.kind.name,
        alpha=f"{eltwise.alpha!r}f",
        beta=f"{eltwise.beta!r}f",
        role=role,
    )
