"""Right answers to speech.frame in other styles than the model solution's."""

import numpy as np
import torch
import torch.nn.functional as F


def frame_library(signal, size, hop):
    if signal.size(1) < size:
        return signal.new_empty(signal.size(0), 0, size)
    return signal.unfold(1, size, hop)


def frame_loop(signal, size, hop):
    batch, samples = signal.shape
    frames = [signal[:, start : start + size] for start in range(0, samples - size + 1, hop)]
    return torch.stack(frames, dim=1) if frames else signal.new_zeros(batch, 0, size)


def frame_while(signal, size, hop):
    frames, start = [signal.new_empty(len(signal), 0, size)], 0
    while start + size <= signal.shape[1]:
        frames.append(signal[:, start : start + size].unsqueeze(1))
        start += hop
    return torch.cat(frames, 1)


def frame_strided(signal, size, hop):
    """A view whose second axis goes `hop` samples on and whose third goes one."""
    count = 0 if signal.shape[1] < size else 1 + (signal.shape[1] - size) // hop
    along, step = signal.stride()
    shape, strides = (len(signal), count, size), (along, hop * step, step)
    return signal.as_strided(shape, strides, signal.storage_offset())


def frame_columns(signal, size, hop):
    """Place by place: the i-th samples of all frames are a slice with a step."""
    count = len(range(0, signal.shape[1] - size + 1, hop))
    columns = [signal[:, i::hop][:, :count] for i in range(size)]
    return torch.stack(columns, dim=-1)


def frame_image(signal, size, hop):
    """F.unfold on an image of one row."""
    B, samples = signal.shape
    if samples < size:
        return torch.empty(B, 0, size, dtype=signal.dtype, device=signal.device)
    return F.unfold(signal[:, None, None, :], (1, size), stride=(1, hop)).mT


def frame_gather(signal, size, hop):
    count = max(signal.shape[1] - size + hop, 0) // hop
    places = torch.tensor(
        [[n * hop + i for i in range(size)] for n in range(count)],
        dtype=torch.long,
        device=signal.device,
    ).reshape(count * size)
    return signal.index_select(1, places).reshape(len(signal), count, size)


def frame_numpy_places(signal, size, hop):
    starts = np.arange(0, max(signal.shape[-1] - size + 1, 0), hop)
    places = torch.from_numpy(np.add.outer(starts, np.arange(size))).to(signal.device)
    return signal[..., places]


RIGHT = (
    frame_library,
    frame_loop,
    frame_while,
    frame_strided,
    frame_columns,
    frame_image,
    frame_gather,
    frame_numpy_places,
)
