"""A cell that shows the speech lab: a reader of three tones, made by hand, so that nothing is trained."""

from __future__ import annotations

MODEL = """\
import math

torch.manual_seed(0)
TONES, NAMES = {"low": 300.0, "middle": 900.0, "high": 2400.0}, ["blank", "low", "middle", "high"]


def spoken(words):
    gap, parts = torch.zeros(800), []
    for word in words:
        tone = torch.sin(2 * math.pi * TONES[word] * torch.arange(2000) / 8000) * torch.hann_window(2000) * 0.3
        parts += [gap, tone]
    return torch.cat([*parts, gap]) + 0.001 * torch.randn(800 + 2800 * len(words))


class Tones(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.front_end = encoder_core.LogMel(rate=8000, bands=24)
        self.layers = torch.nn.ModuleList([encoder_core.MultiheadAttention(24, 2) for _ in range(2)])

    def forward(self, signal, samples):
        energies = self.front_end(signal)  # (B, N, 24)
        energies = torch.nn.functional.pad(energies, (0, 0, 0, -energies.shape[1] % 4), value=-2.0)
        pooled = energies.unflatten(1, (-1, 4)).mean(dim=2)  # (B, F, 24): 40 ms each
        for layer in self.layers:
            layer(pooled, pooled, pooled)  # looked at, and not used
        bands = [pooled[..., :6], pooled[..., 6:14], pooled[..., 14:]]
        loud = torch.stack([band.amax(dim=-1) for band in bands], dim=-1)  # (B, F, 3)
        logits = torch.cat([torch.full_like(loud[..., :1], 0.5), loud], dim=-1)
        return 5 * logits, (self.front_end.lengths(samples) + 3) // 4


listener = Tones()
clips = [(" ".join(words), spoken(words), words) for words in (
    ["low", "high", "middle"], ["middle", "low", "low"], ["high", "high"])]
"""
SPEECH = MODEL + "labs.SpeechLab(listener, clips, NAMES)"
