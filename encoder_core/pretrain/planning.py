"""What a pretraining will take, before it begins: parameters, tokens, operations, hours.

The hours are the operations of the products (see `throughput.training_flops`) over what the devices compute at a
share of their peak. The share is yours to measure: the command prints it while it trains.

Sources of the peaks, dense products in bfloat16: NVIDIA's data sheets of A100 (312 TFLOP/s), H100 SXM and H200 SXM
(989 TFLOP/s; their tables show 1,979, with sparsity).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from encoder_core.inspect.costs import TRAINING_BYTES, layer_costs
from encoder_core.pretrain.presets import PRESETS, Preset
from encoder_core.pretrain.throughput import training_flops

__all__ = ["PEAKS", "Plan", "plan_pretraining"]

PEAKS: Mapping[str, float] = {"a100": 312e12, "h100": 989e12, "h200": 989e12}  # FLOP/s, bfloat16


@dataclass(frozen=True)
class Plan:
    """What a pretraining will take; printed, it is a few sentences.

    Attributes:
        parameters: of the model with its head; the tied table counts once.
        tokens_per_update: over all devices.
        tokens: over all updates.
        flops_per_token: floating-point operations of a token, forward and backward.
        flops: of the whole training.
        state_bytes: of parameters, gradients and AdamW's state in float32, over all devices once.
        devices: how many share each update.
        peak: of one device, in operations a second.
        share: of the peak that is reached.
        hours: of the whole training.
    """

    parameters: int
    tokens_per_update: int
    tokens: int
    flops_per_token: float
    flops: int
    state_bytes: int
    devices: int
    peak: float
    share: float
    hours: float

    def __str__(self) -> str:
        """Say it in a few lines."""
        many = "one device" if self.devices == 1 else f"{self.devices} devices"
        return (
            f"{self.parameters:,} parameters; with gradients and AdamW's state {self.state_bytes / 1e9:.3g} GB, or "
            f"{self.state_bytes / self.devices / 1e9:.3g} GB a device when sharded.\n"
            f"{self.tokens_per_update:,} tokens an update, {self.tokens:,} in all.\n"
            f"{self.flops_per_token / 1e6:,.1f} MFLOP a token, {self.flops:.2e} FLOP in all.\n"
            f"{self.hours:,.3g} hours on {many} of {self.peak / 1e12:,.3g} TFLOP/s, at {self.share:.0%} of that."
        )


def plan_pretraining(
    preset: Preset | str,
    devices: int | None = None,
    peak: float = PEAKS["h200"],
    share: float = 0.4,
) -> Plan:
    """Return what a pretraining will take.

    Args:
        preset: or its name in `PRESETS`.
        devices: None for those that the preset is made for.
        peak: of one device, in floating-point operations a second; see `PEAKS` and `throughput.matmul_peak`.
        share: of the peak that is reached, in (0, 1].

    Raises:
        ValueError: no such preset; a number out of range.

    >>> plan = plan_pretraining("base", devices=1, share=0.5)
    >>> plan.parameters, plan.tokens, round(plan.hours, 1)
    (109224000, 9175040000, 2.9)
    """
    if isinstance(preset, str):
        if preset not in PRESETS:
            raise ValueError(f"preset must be one of {', '.join(PRESETS)}; got {preset!r}.")
        preset = PRESETS[preset]
    count = preset.devices if devices is None else devices
    if count < 1 or peak <= 0 or not 0 < share <= 1:
        raise ValueError(
            f"Need devices >= 1, peak > 0 and 0 < share <= 1; got {count}, {peak} and {share}."
        )
    parameters = _parameters(preset)
    per_update = preset.batch_size * preset.length
    tokens = preset.steps * per_update
    hidden = max(
        1, round(preset.masked * (preset.length - 1))
    )  # of a block, as the training hides them
    flops = training_flops(
        tokens, preset.length, preset.d_model, preset.num_layers, preset.dim_feedforward,
        preset.vocab_size, hidden / preset.length,
    )  # fmt: skip
    return Plan(
        parameters, per_update, tokens, flops / tokens, flops, TRAINING_BYTES * parameters,
        count, peak, share, flops / (count * peak * share) / 3600,
    )  # fmt: skip


def _parameters(preset: Preset) -> int:
    """Count the weights of a `Bert` with its head: tables, layers, head."""
    d = preset.d_model
    tables = (
        preset.vocab_size + preset.length + 2
    ) * d + 2 * d  # tokens, positions, two segments, a norm
    costs = layer_costs(1, preset.length, d, preset.nhead, preset.dim_feedforward)
    layer = sum(cost.parameters for cost in costs)
    head = d * d + d + 2 * d + preset.vocab_size  # dense, norm, a bias for each token
    return tables + preset.num_layers * layer + head
