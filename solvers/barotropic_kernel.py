"""The compiled time loop of the barotropic vorticity equation."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from solvers.coupling_point import Coupling, Integers, evaluate_closure
from solvers.fft import Addresses, forward, inverse
from solvers.parallel import on_threads
from solvers.philox import philox, uniform

if TYPE_CHECKING:
    from solvers.barotropic import Barotropic, BarotropicIntegration
    from solvers.forcing import Waves

Field = NDArray[Any]

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

    Only `rows` and the first `n_column` columns of spectra are advanced: with dealiasing all other
    waves are zero for ever. `propagator` holds ``1 / (1 + r dt / 2)`` for multistep schemes; 1 and
    the decay over half a step and over a whole one for Runge-Kutta.
    """

    k: Field
    l: Field  # noqa: E741 -- the name of the literature
    inverse_laplacian: Field
    propagator: Field
    rows: Integers
    n_column: int
    scale: Any
    beta: Any
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
    rate = model.damping * model.dt
    if model.weights is None:
        propagator = np.exp(np.multiply.outer([0.0, -0.5, -1.0], rate))
    else:
        propagator = 1.0 / (1.0 + 0.5 * rate[np.newaxis])
    tables = (grid.k, grid.l, -grid.inverse_wavenumber_squared, propagator)
    k, l, inverse_laplacian, factors = (  # noqa: E741
        np.ascontiguousarray(table, dtype=model.dtype) for table in tables
    )
    return Operators(
        k=k,
        l=l,
        inverse_laplacian=inverse_laplacian,
        propagator=factors,
        rows=np.flatnonzero(model.kept[:, 0]),
        n_column=int(model.kept[0].sum()),
        scale=real(1.0 / (grid.n_x * grid.n_y)),
        beta=real(model.beta),
        dealiased=model.dealias,
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


# Few arrays a loop, each given by itself, so that it is vectorised. Real and imaginary parts are
# written out because numba multiplies a complex number by a real one as if both were complex.
@njit(cache=True)
def _clear(rows: Integers, n_column: int, spectrum: Field) -> None:
    """Set the waves that are not advanced to zero, which a transform has overwritten."""
    if n_column < spectrum.shape[1]:
        for j in rows:
            spectrum[j, n_column:] = 0
    # The rows that are left out lie between the positive and the negative wavenumbers.
    first = (rows.size + 1) // 2
    spectrum[first : first + spectrum.shape[0] - rows.size] = 0


@njit(cache=True)
def _velocity(
    w: Field, inverse_laplacian: Field, k: Field, l: Field, scale: Any,  # noqa: E741
    rows: Integers, n_column: int, u: Field, v: Field,
) -> None:  # fmt: skip
    """Set spectra of u = -il psi and v = ik psi, ready for the inverse transform."""
    _clear(rows, n_column, u)
    _clear(rows, n_column, v)
    for j in rows:
        for i in range(n_column):
            factor = scale * inverse_laplacian[j, i]
            real, imag = factor * w[j, i].real, factor * w[j, i].imag
            u[j, i] = complex(l[j] * imag, -l[j] * real)
            v[j, i] = complex(-k[i] * imag, k[i] * real)


@njit(cache=True)
def _scaled(w: Field, scale: Any, rows: Integers, n_column: int, copied: Field) -> None:
    """Set the spectrum of the vorticity, ready for the inverse transform."""
    _clear(rows, n_column, copied)
    for j in rows:
        for i in range(n_column):
            copied[j, i] = complex(scale * w[j, i].real, scale * w[j, i].imag)


@njit(cache=True)
def _stresses(u: Field, v: Field) -> None:
    """Replace u and v by u v and v v - u u."""
    for j in range(u.shape[0]):
        for i in range(u.shape[1]):
            a, b = u[j, i], v[j, i]
            u[j, i] = a * b
            v[j, i] = (b - a) * (b + a)


@njit(cache=True)
def _fluxes(w: Field, u: Field, v: Field) -> None:
    """Replace u and v by u omega and v omega."""
    for j in range(u.shape[0]):
        for i in range(u.shape[1]):
            u[j, i] *= w[j, i]
            v[j, i] *= w[j, i]


@njit(cache=True)
def _curl_of_stresses(
    x: Field, y: Field, k: Field, l: Field, rows: Integers, n_column: int,  # noqa: E741
    tendency: Field,
) -> None:  # fmt: skip
    """Set (k k - l l) (uv) + k l (vv - uu)."""
    for j in rows:
        for i in range(n_column):
            a, b = (k[i] - l[j]) * (k[i] + l[j]), k[i] * l[j]
            tendency[j, i] = complex(
                a * x[j, i].real + b * y[j, i].real, a * x[j, i].imag + b * y[j, i].imag
            )


@njit(cache=True)
def _divergence_of_fluxes(
    x: Field, y: Field, k: Field, l: Field, rows: Integers, n_column: int,  # noqa: E741
    tendency: Field,
) -> None:  # fmt: skip
    """Set -ik (u omega) - il (v omega)."""
    for j in rows:
        for i in range(n_column):
            tendency[j, i] = complex(
                k[i] * x[j, i].imag + l[j] * y[j, i].imag,
                -k[i] * x[j, i].real - l[j] * y[j, i].real,
            )


@njit(cache=True)
def _add_rossby(
    w: Field, inverse_laplacian: Field, k: Field, beta: Any, rows: Integers, n_column: int,
    total: Field,
) -> None:  # fmt: skip
    """Add -beta ik psi."""
    for j in rows:
        for i in range(n_column):
            factor = beta * k[i] * inverse_laplacian[j, i]
            total[j, i] += complex(factor * w[j, i].imag, -factor * w[j, i].real)


@njit(cache=True)
def _add(values: Field, rows: Integers, n_column: int, total: Field) -> None:
    for j in rows:
        for i in range(n_column):
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
    w: Field, memory: Arrays, member: int, step: int, stage: int, transform: Addresses,
    op: Operators, force: Source, coupling: Coupling, tendency: Field,
) -> int:  # fmt: skip
    """Set the explicit part of the tendency of a state; return the status of the closure."""
    fields, closure_tendency = memory.grid_fields[member], memory.closure_tendency[member]
    x, y = memory.work[member, 0], memory.work[member, 1]
    coupled = coupling.function[member] != 0
    if coupled or not op.dealiased:
        _scaled(w, op.scale, op.rows, op.n_column, x)
        inverse(transform, x, fields[0])
    _velocity(w, op.inverse_laplacian, op.k, op.l, op.scale, op.rows, op.n_column, x, y)
    inverse(transform, x, fields[1])
    inverse(transform, y, fields[2])
    status = evaluate_closure(coupling, member, step, stage, fields, closure_tendency)
    if status != 0:
        return status
    if op.dealiased:
        _stresses(fields[1], fields[2])
    else:
        _fluxes(fields[0], fields[1], fields[2])
    forward(transform, fields[1], x)
    forward(transform, fields[2], y)
    if op.dealiased:
        _curl_of_stresses(x, y, op.k, op.l, op.rows, op.n_column, tendency)
    else:
        _divergence_of_fluxes(x, y, op.k, op.l, op.rows, op.n_column, tendency)
    if op.beta != 0:
        _add_rossby(w, op.inverse_laplacian, op.k, op.beta, op.rows, op.n_column, tendency)
    if coupled:
        forward(transform, closure_tendency, x)
        _add(x, op.rows, op.n_column, tendency)
    if not force.kicks:
        _push(tendency, force)
    return 0


@njit(cache=True)
def _adams_bashforth(
    w: Field, f0: Field, f1: Field, f2: Field, b0: Any, b1: Any, b2: Any, gain: Field,
    rows: Integers, n_column: int,
) -> None:  # fmt: skip
    """Take an explicit Adams-Bashforth step with Crank-Nicolson damping."""
    for j in rows:
        for i in range(n_column):
            real = b0 * f0[j, i].real + b1 * f1[j, i].real + b2 * f2[j, i].real
            imag = b0 * f0[j, i].imag + b1 * f1[j, i].imag + b2 * f2[j, i].imag
            # (1 - r dt / 2) w + ... over 1 + r dt / 2, whose inverse is the gain.
            a = gain[j, i]
            w[j, i] = complex(
                a * (w[j, i].real + w[j, i].real + real) - w[j, i].real,
                a * (w[j, i].imag + w[j, i].imag + imag) - w[j, i].imag,
            )


@njit(cache=True)
def _combine(
    a: Field, x: Field, b: Field, c: Any, y: Field, rows: Integers, n_column: int, result: Field
) -> None:
    """Set result = a x + c b y, where a and b are real."""
    for j in rows:
        for i in range(n_column):
            p, q = a[j, i], c * b[j, i]
            result[j, i] = complex(
                p * x[j, i].real + q * y[j, i].real, p * x[j, i].imag + q * y[j, i].imag
            )


@njit(cache=True)
def _runge_kutta_stage(stage: int, w: Field, slots: Field, dt: float, op: Operators) -> None:
    """Take one of the four stages of the classical Runge-Kutta method on exp(r t) omega."""
    total, argument, f = slots[0], slots[1], slots[2]
    none, half, full = op.propagator[0], op.propagator[1], op.propagator[2]
    kind = op.k.dtype.type
    sixth, third, reach, step = kind(dt / 6), kind(dt / 3), kind(0.5 * dt), kind(dt)
    if stage == 0:
        _combine(full, w, full, sixth, f, op.rows, op.n_column, total)
        _combine(half, w, half, reach, f, op.rows, op.n_column, argument)
    elif stage == 1:
        _combine(none, total, half, third, f, op.rows, op.n_column, total)
        _combine(half, w, none, reach, f, op.rows, op.n_column, argument)
    elif stage == 2:
        _combine(none, total, half, third, f, op.rows, op.n_column, total)
        _combine(full, w, half, step, f, op.rows, op.n_column, argument)
    else:
        _combine(none, total, none, sixth, f, op.rows, op.n_column, w)


@njit(cache=True)
def _is_finite(w: Field, rows: Integers, n_column: int) -> bool:
    bad = 0
    for j in rows:
        for i in range(n_column):
            bad += not (np.isfinite(w[j, i].real) and np.isfinite(w[j, i].imag))
    return bad == 0


@njit(cache=True)
def _multistep(w: Field, slots: Field, step: int, scheme: Scheme, op: Operators) -> None:
    kind, order = op.k.dtype.type, slots.shape[0]
    weights = scheme.weights[min(step, order - 1)]
    b0, b1 = kind(scheme.dt * weights[0]), kind(scheme.dt * weights[1])
    # A second-order scheme has no third tendency: it reads its second once more, for nothing.
    b2 = kind(scheme.dt * weights[2]) if order > 2 else kind(0)
    newest, older, oldest = step % order, (step + order - 1) % order, (step + 1) % order
    _adams_bashforth(
        w, slots[newest], slots[older], slots[oldest], b0, b1, b2,
        op.propagator[0], op.rows, op.n_column,
    )  # fmt: skip


@njit(cache=True)
def _step(
    memory: Arrays, member: int, step: int, scheme: Scheme, transform: Addresses, op: Operators,
    force: Source, coupling: Coupling,
) -> int:  # fmt: skip
    """Advance a member one step; return the status of the closure."""
    w, slots = memory.vorticity[member], memory.memory[member]
    if scheme.weights.shape[0] > 0:
        newest = slots[step % slots.shape[0]]
        status = _tendency(w, memory, member, step, 0, transform, op, force, coupling, newest)
        if status != 0:
            return status
        _multistep(w, slots, step, scheme, op)
    else:
        for stage in range(4):
            state = w if stage == 0 else slots[1]
            status = _tendency(
                state, memory, member, step, stage, transform, op, force, coupling, slots[2]
            )
            if status != 0:
                return status
            _runge_kutta_stage(stage, w, slots, scheme.dt, op)
    if force.kicks:
        _kick(w, force, member, step)
    return 0


@on_threads
def advance_on_threads(
    memory: Arrays, scheme: Scheme, transform: Addresses, op: Operators, force: Source,
    coupling: Coupling, first_step: int, n_step: int,
) -> None:  # fmt: skip
    """Advance all members, each as far as its state is finite and its closure works."""
    for member in prange(memory.vorticity.shape[0]):
        coupling.n_finite[member] = n_step
        coupling.status[member] = 0
        for i in range(n_step):
            status = _step(memory, member, first_step + i, scheme, transform, op, force, coupling)
            if status != 0 or not _is_finite(memory.vorticity[member], op.rows, op.n_column):
                coupling.n_finite[member] = i
                break
