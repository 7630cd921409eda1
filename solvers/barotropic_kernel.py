"""The compiled time loop of the barotropic vorticity equation."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from solvers.fft import Addresses, forward, inverse
from solvers.function_pointer import call_tendency
from solvers.parallel import on_threads
from solvers.philox import philox, uniform

if TYPE_CHECKING:
    from solvers.barotropic import Barotropic, BarotropicIntegration
    from solvers.forcing import Waves

Field = NDArray[Any]
Integers = NDArray[np.int64]

# The second word of the key: closures with noise of their own use 0.
_KICKS = np.uint64(1)


class Arrays(NamedTuple):
    """Memory of an integration, member first.

    `memory` holds the last tendencies of an Adams-Bashforth scheme, that of step n in slot n
    modulo their number; or the sum, the argument and the tendency of a Runge-Kutta step.
    """

    vorticity: Field
    memory: Field
    grid_fields: Field
    closure_tendency: Field
    work: Field


class Operators(NamedTuple):
    """Arrays of the grid and numbers of the model, in its precision.

    `n_low` and `n_high` count the rows of waves, from the first and the last one, and `n_column`
    the columns that are advanced: with dealiasing all others are zero for ever.
    """

    k: Field
    l: Field  # noqa: E741 -- the name of the literature
    inverse_laplacian: Field
    propagator: Field
    scale: Any
    beta: Any
    n_low: int
    n_high: int
    n_column: int
    dealiased: bool


class Source(NamedTuple):
    """Waves of the forcing in the model's memory; `kicks` tells random from steady ones."""

    row: Integers
    column: Integers
    amplitude: Field
    kicks: bool
    seed: Any
    first_member: int


class Scheme(NamedTuple):
    """Time step and Adams-Bashforth weights, which have no rows for Runge-Kutta."""

    dt: float
    weights: NDArray[np.float64]


class Coupling(NamedTuple):
    """The closure of each member, 0 for none, and what became of each member."""

    function: Integers
    context: Integers
    sizes: Integers
    n_finite: Integers
    status: Integers


def arrays(integration: "BarotropicIntegration") -> Arrays:
    """Return the memory that the time loop works in."""
    return Arrays(
        integration.vorticity_spectrum,
        integration.memory,
        integration.grid_fields,
        integration.closure_tendency,
        integration.work,
    )


def operators(model: "Barotropic") -> Operators:
    """Return the arrays and numbers that the time loop reads; `scale` is that of `inverse`."""
    grid, real = model.grid, np.dtype(model.dtype).type
    kept = model.kept
    rows = kept[:, 0]
    n_low = int(rows[: len(rows) // 2].sum())
    rate = model.damping * model.dt
    if model.weights is None:
        propagator = np.stack([np.exp(-0.5 * rate), np.exp(-rate)])
    else:
        propagator = np.stack([(1.0 - 0.5 * rate) / (1.0 + 0.5 * rate), 1.0 / (1.0 + 0.5 * rate)])
    tables = (grid.k, grid.l, -grid.inverse_wavenumber_squared, propagator)
    return Operators(
        *(np.ascontiguousarray(table, dtype=model.dtype) for table in tables),
        real(1.0 / (grid.n_x * grid.n_y)),
        real(model.beta),
        n_low,
        int(rows.sum()) - n_low,
        int(kept[0].sum()),
        model.dealias,
    )


def source(model: "Barotropic", waves: "Waves") -> Source:
    """Return the waves of a forcing where the time loop finds them in its spectra."""
    grid, forcing = model.grid, model.forcing
    seed = getattr(forcing, "seed", None)
    unit = grid.n_x * grid.n_y * (1.0 if seed is None else np.sqrt(model.dt))
    return Source(
        np.asarray(waves.l % grid.n_y, dtype=np.int64),
        np.asarray(waves.m, dtype=np.int64),
        np.asarray(unit * waves.amplitude, dtype=model.dtype),
        seed is not None,
        np.uint64(seed or 0),
        getattr(forcing, "first_member", 0),
    )


@njit(cache=True, inline="always")
def _row(n: int, n_y: int, op: Operators) -> int:
    """Return where the n-th row of waves that are advanced is."""
    return n if n < op.n_low else n_y - op.n_low - op.n_high + n


@njit(cache=True)
def _velocity(w: Field, x: Field, y: Field, op: Operators) -> None:
    """Set spectra of u and v, ready for the inverse transform."""
    n_y = w.shape[0]
    x[...] = 0
    y[...] = 0
    for n in range(op.n_low + op.n_high):
        j = _row(n, n_y, op)
        l = op.scale * op.l[j]  # noqa: E741
        for i in range(op.n_column):
            along_y = l * op.inverse_laplacian[j, i]
            along_x = op.scale * op.k[i] * op.inverse_laplacian[j, i]
            real, imag = w[j, i].real, w[j, i].imag
            x[j, i] = complex(along_y * imag, -along_y * real)
            y[j, i] = complex(-along_x * imag, along_x * real)


@njit(cache=True)
def _scaled(w: Field, x: Field, op: Operators) -> None:
    """Set the spectrum of the vorticity, ready for the inverse transform."""
    n_y = w.shape[0]
    x[...] = 0
    for n in range(op.n_low + op.n_high):
        j = _row(n, n_y, op)
        for i in range(op.n_column):
            x[j, i] = complex(op.scale * w[j, i].real, op.scale * w[j, i].imag)


@njit(cache=True)
def _stresses(u: Field, v: Field) -> None:
    """Replace u and v by u v and v v - u u."""
    x, y = u.ravel(), v.ravel()
    for n in range(x.size):
        a, b = x[n], y[n]
        x[n] = a * b
        y[n] = (b - a) * (b + a)


@njit(cache=True)
def _fluxes(w: Field, u: Field, v: Field) -> None:
    """Replace u and v by u omega and v omega."""
    z, x, y = w.ravel(), u.ravel(), v.ravel()
    for n in range(z.size):
        x[n] *= z[n]
        y[n] *= z[n]


@njit(cache=True)
def _curl_of_stresses(w: Field, x: Field, y: Field, tendency: Field, op: Operators) -> None:
    """Set (k k - l l) (uv) + k l (vv - uu) - beta ik psi."""
    n_y = w.shape[0]
    for n in range(op.n_low + op.n_high):
        j = _row(n, n_y, op)
        l = op.l[j]  # noqa: E741
        for i in range(op.n_column):
            k = op.k[i]
            a, b = k * k - l * l, k * l
            rossby = op.beta * k * op.inverse_laplacian[j, i]
            tendency[j, i] = complex(
                a * x[j, i].real + b * y[j, i].real + rossby * w[j, i].imag,
                a * x[j, i].imag + b * y[j, i].imag - rossby * w[j, i].real,
            )


@njit(cache=True)
def _divergence_of_fluxes(w: Field, x: Field, y: Field, tendency: Field, op: Operators) -> None:
    """Set -ik (u omega) - il (v omega) - beta ik psi."""
    n_y = w.shape[0]
    for n in range(op.n_low + op.n_high):
        j = _row(n, n_y, op)
        l = op.l[j]  # noqa: E741
        for i in range(op.n_column):
            k = op.k[i]
            rossby = op.beta * k * op.inverse_laplacian[j, i]
            tendency[j, i] = complex(
                k * x[j, i].imag + l * y[j, i].imag + rossby * w[j, i].imag,
                -k * x[j, i].real - l * y[j, i].real - rossby * w[j, i].real,
            )


@njit(cache=True)
def _add(values: Field, total: Field, op: Operators) -> None:
    n_y = total.shape[0]
    for n in range(op.n_low + op.n_high):
        j = _row(n, n_y, op)
        for i in range(op.n_column):
            total[j, i] += values[j, i]


@njit(cache=True)
def _add_wave(total: Field, row: int, column: int, real: Any, imag: Any) -> None:
    total[row, column] += complex(real, imag)
    # Both halves of the first column are stored.
    if column == 0:
        total[total.shape[0] - row, 0] += complex(real, -imag)


@njit(cache=True)
def _push(tendency: Field, force: Source) -> None:
    """Add a steady forcing."""
    for n in range(force.row.size):
        amplitude = force.amplitude[n]
        _add_wave(tendency, force.row[n], force.column[n], amplitude, amplitude * 0)


@njit(cache=True)
def _kick(w: Field, force: Source, member: int, step: int) -> None:
    """Add the kicks of a step, each with a phase of its own."""
    kind = force.amplitude.dtype.type
    stream = np.uint64(force.first_member + member)
    for first in range(0, force.row.size, 4):
        words = philox(
            stream, np.uint64(step), np.uint64(first // 4), np.uint64(0), force.seed, _KICKS
        )
        for n in range(first, min(first + 4, force.row.size)):
            phase = 2.0 * np.pi * uniform(words[n - first])
            real = force.amplitude[n] * kind(np.cos(phase))
            imag = force.amplitude[n] * kind(np.sin(phase))
            _add_wave(w, force.row[n], force.column[n], real, imag)


@njit(cache=True)
def _tendency(
    w: Field,
    tendency: Field,
    memory: Arrays,
    member: int,
    step: int,
    stage: int,
    transform: Addresses,
    op: Operators,
    force: Source,
    coupling: Coupling,
) -> int:
    """Set the explicit part of the tendency of a state; return the status of the closure."""
    fields = memory.grid_fields[member]
    x, y = memory.work[member, 0], memory.work[member, 1]
    coupled = coupling.function[member] != 0
    if coupled or not op.dealiased:
        _scaled(w, x, op)
        inverse(transform, x, fields[0])
    _velocity(w, x, y, op)
    inverse(transform, x, fields[1])
    inverse(transform, y, fields[2])
    if coupled:
        status = call_tendency(
            coupling.function[member], coupling.context[member], step, stage, fields.ctypes.data,
            memory.closure_tendency[member].ctypes.data, coupling.sizes.ctypes.data,
        )  # fmt: skip
        if status != 0:
            return int(status)
    if op.dealiased:
        _stresses(fields[1], fields[2])
    else:
        _fluxes(fields[0], fields[1], fields[2])
    forward(transform, fields[1], x)
    forward(transform, fields[2], y)
    if op.dealiased:
        _curl_of_stresses(w, x, y, tendency, op)
    else:
        _divergence_of_fluxes(w, x, y, tendency, op)
    if coupled:
        forward(transform, memory.closure_tendency[member], x)
        _add(x, tendency, op)
    if not force.kicks:
        _push(tendency, force)
    return 0


@njit(cache=True)
def _adams_bashforth(w: Field, history: Field, step: int, scheme: Scheme, op: Operators) -> None:
    """Take an explicit Adams-Bashforth step with Crank-Nicolson damping."""
    n_y, order = w.shape[0], history.shape[0]
    kind = op.k.dtype.type
    weights = scheme.weights[min(step, order - 1)]
    b0, b1 = kind(scheme.dt * weights[0]), kind(scheme.dt * weights[1])
    b2 = kind(scheme.dt * weights[order - 1]) if order > 2 else kind(0)
    f0, f1 = history[step % order], history[(step + order - 1) % order]
    # A second-order scheme has no third tendency: it reads one that counts nothing.
    f2 = history[(step + 1) % order]
    for n in range(op.n_low + op.n_high):
        j = _row(n, n_y, op)
        for i in range(op.n_column):
            decay, gain = op.propagator[0, j, i], op.propagator[1, j, i]
            real = b0 * f0[j, i].real + b1 * f1[j, i].real + b2 * f2[j, i].real
            imag = b0 * f0[j, i].imag + b1 * f1[j, i].imag + b2 * f2[j, i].imag
            w[j, i] = complex(
                decay * w[j, i].real + gain * real, decay * w[j, i].imag + gain * imag
            )


@njit(cache=True)
def _runge_kutta_stage(
    stage: int, w: Field, memory: Field, dt: float, op: Operators
) -> None:
    """Take one of the four stages of the classical Runge-Kutta method on exp(r t) omega."""
    n_y = w.shape[0]
    total, argument, tendency = memory[0], memory[1], memory[2]
    kind = op.k.dtype.type
    third, sixth, half_step, step = kind(dt / 3), kind(dt / 6), kind(0.5 * dt), kind(dt)
    for n in range(op.n_low + op.n_high):
        j = _row(n, n_y, op)
        for i in range(op.n_column):
            half, full = op.propagator[0, j, i], op.propagator[1, j, i]
            f, old = tendency[j, i], w[j, i]
            if stage == 0:
                total[j, i] = full * (old + sixth * f)
                argument[j, i] = half * (old + half_step * f)
            elif stage == 1:
                total[j, i] += third * half * f
                argument[j, i] = half * old + half_step * f
            elif stage == 2:
                total[j, i] += third * half * f
                argument[j, i] = full * old + step * half * f
            else:
                w[j, i] = total[j, i] + sixth * f


@njit(cache=True)
def _is_finite(w: Field, op: Operators) -> bool:
    n_y = w.shape[0]
    bad = 0
    for n in range(op.n_low + op.n_high):
        j = _row(n, n_y, op)
        for i in range(op.n_column):
            bad += not (np.isfinite(w[j, i].real) and np.isfinite(w[j, i].imag))
    return bad == 0


@njit(cache=True)
def _step(
    memory: Arrays,
    member: int,
    step: int,
    scheme: Scheme,
    transform: Addresses,
    op: Operators,
    force: Source,
    coupling: Coupling,
) -> int:
    """Advance a member one step; return the status of the closure."""
    w, slots = memory.vorticity[member], memory.memory[member]
    if scheme.weights.shape[0] > 0:
        newest = slots[step % slots.shape[0]]
        status = _tendency(w, newest, memory, member, step, 0, transform, op, force, coupling)
        if status != 0:
            return status
        _adams_bashforth(w, slots, step, scheme, op)
    else:
        for stage in range(4):
            at = w if stage == 0 else slots[1]
            status = _tendency(
                at, slots[2], memory, member, step, stage, transform, op, force, coupling
            )
            if status != 0:
                return status
            _runge_kutta_stage(stage, w, slots, scheme.dt, op)
    if force.kicks:
        _kick(w, force, member, step)
    return 0


@on_threads
def advance_on_threads(
    memory: Arrays,
    scheme: Scheme,
    transform: Addresses,
    op: Operators,
    force: Source,
    coupling: Coupling,
    first_step: int,
    n_step: int,
) -> None:
    """Advance all members, each as far as its state is finite and its closure works."""
    for member in prange(memory.vorticity.shape[0]):
        coupling.n_finite[member] = n_step
        coupling.status[member] = 0
        for i in range(n_step):
            status = _step(
                memory, member, first_step + i, scheme, transform, op, force, coupling
            )
            coupling.status[member] = status
            if status != 0 or not _is_finite(memory.vorticity[member], op):
                coupling.n_finite[member] = i
                break
