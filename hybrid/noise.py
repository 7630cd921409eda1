"""The bridge's random numbers, in numpy: for offline use and as a check of the native library."""

import numpy as np
from numpy.typing import NDArray


def standard_normal(
    seed: int, field: int, step: int, column_id: NDArray[np.int64], size: int
) -> NDArray[np.float64]:
    """Return the standard normal numbers that the bridge gives to a noise field.

    Philox 4x64-10 with counter (column id, step, field, element // 4) and key (seed, 0); each
    word w becomes ``u = ((w >> 11) + 1) / 2**53``, each pair of words two elements by Box-Muller,
    cosine first. `include/hybrid.h` says the same of ``hybrid_noise``.

    Parameters
    ----------
    seed, field, step
        Seed, number of the noise field (from 0) and model step.
    column_id
        Global column numbers, shape ``(n_column,)``.
    size
        Elements a column.

    Returns
    -------
    ndarray
        Shape ``(n_column, size)``.

    References
    ----------
    Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3. doi:10.1145/2063384.2063405
    """
    quartets = -(-size // 4)
    key = np.array([seed % 2**64, 0], dtype=np.uint64)
    bits = np.empty((len(column_id), quartets, 4), dtype=np.uint64)
    for column, number in enumerate(column_id):
        for quartet in range(quartets):
            # numpy advances the 256-bit counter once before its first numbers.
            words = (int(number), int(step), int(field), quartet)
            counter = sum((word % 2**64) << (64 * i) for i, word in enumerate(words))
            generator = np.random.Philox(key=key, counter=(counter - 1) % 2**256)
            bits[column, quartet] = generator.random_raw(4)
    unit = ((bits >> np.uint64(11)).astype(np.float64) + 1.0) * 2.0**-53
    radius = np.sqrt(-2.0 * np.log(unit[..., 0::2]))
    angle = 2.0 * np.pi * unit[..., 1::2]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return pairs.reshape(len(column_id), -1)[:, :size]
