"""Right answers to embeddings.sinusoidal_positions in other styles than the model solution's."""

import math

import numpy as np
import torch


def sinusoidal_loop(length, d_model):
    table = torch.zeros(length, d_model)
    for position in range(length):
        for column in range(d_model):
            angle = position / 10000 ** (2 * (column // 2) / d_model)
            table[position, column] = math.sin(angle) if column % 2 == 0 else math.cos(angle)
    return table


def sinusoidal_tutorial(length, d_model):
    position = torch.arange(length).unsqueeze(1)
    rates = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    table = torch.zeros(length, d_model)
    table[:, 0::2] = torch.sin(position * rates)
    table[:, 1::2] = torch.cos(position * rates[: d_model // 2])
    return table


def sinusoidal_stack(length, d_model):
    pairs = torch.arange((d_model + 1) // 2, dtype=torch.float64)
    angle = torch.outer(torch.arange(length, dtype=torch.float64), 10000 ** (-2 * pairs / d_model))
    both = torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)[:, :d_model]
    return both.to(torch.get_default_dtype())


def sinusoidal_shifted_sine(length, d_model):
    column = torch.arange(d_model, dtype=torch.float64)
    rates = torch.pow(torch.tensor(10000.0, dtype=torch.float64), -(column - column % 2) / d_model)
    position = torch.arange(length, dtype=torch.float64)[:, None]
    return torch.sin(position * rates + (column % 2) * math.pi / 2).float()


def sinusoidal_numpy(length, d_model):
    column = np.arange(d_model)
    angle = np.arange(length)[:, None] / np.power(10000, (column - column % 2) / d_model)
    angle[:, 0::2], angle[:, 1::2] = np.sin(angle[:, 0::2]), np.cos(angle[:, 1::2])
    return torch.from_numpy(angle).to(torch.get_default_dtype())


def sinusoidal_annotated(length, d_model):
    pe = torch.zeros(length, d_model)
    position = torch.arange(0, length, dtype=torch.float).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(10000.0) / d_model))
    pe[:, 0::2] = torch.sin(position * div_term)
    pe[:, 1::2] = torch.cos(position * div_term)[:, : d_model // 2]
    return pe


def sinusoidal_in_the_default_dtype(length, d_model):
    p = torch.arange(length, dtype=torch.float32)[:, None]
    c = torch.arange(d_model, dtype=torch.float32)
    a = p / 10000 ** (2 * (c // 2) / d_model)
    return torch.where(c % 2 == 0, a.sin(), a.cos())


RIGHT = (
    sinusoidal_loop,
    sinusoidal_tutorial,
    sinusoidal_stack,
    sinusoidal_shifted_sine,
    sinusoidal_numpy,
    sinusoidal_annotated,
    sinusoidal_in_the_default_dtype,
)
