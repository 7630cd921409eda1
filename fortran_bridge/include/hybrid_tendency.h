/* hybrid_tendency.h: the C function through which a solver calls a closure.
 *
 * A solver calls it at each evaluation of its own tendency, after its fields exist on the grid and
 * before its state is advanced. Whatever makes C functions can provide one: C, Fortran with
 * bind(c), numba. hybrid_binding_tendency of hybrid.h is the one that runs an archive.
 *
 * Arrays. `fields` and `tendency` are contiguous blocks of numbers of sizes[HYBRID_TENDENCY_BYTES]
 * bytes, those of one ensemble member, the last subscript fastest:
 *
 *   fields[fields][layers][rows][points]            what the closure reads
 *   tendency[tendencies][layers][rows][points]      what it writes
 *
 * In Fortran that is fields(points, rows, layers, fields). Which fields these are, in which order
 * and units, the solver says; tendencies are per unit of its time. A solver without layers or rows
 * has one of each. The tendency is added to the solver's own. Every call writes all of it: a run
 * that is continued later does not know what an earlier call has left there. Only what no call ever
 * writes stays zero. Both blocks stay where they are while a run lasts.
 *
 * Steps and stages. Step `step` leads from time step * dt to (step + 1) * dt. It is evaluated
 * sizes[HYBRID_TENDENCY_STAGES] times, with `stage` from 0 up, in order. What is random depends on
 * the step and not on the stage. What a closure carries from step to step advances in the call
 * with stage == stages - 1, if that succeeds, and in no other. A solver that takes steps again puts
 * that state back before.
 *
 * Status. 0 is success. Anything else stops the run before the tendency is used, and the solver
 * says in which member and step, and why if the closure can be asked. The function never exits,
 * throws or jumps out.
 *
 * Threads. `context` is the closure's own, one for each member. Calls with different contexts may
 * come from several threads at once, calls with the same one never do; but they may come from
 * another thread than before.
 */
#ifndef HYBRID_TENDENCY_H
#define HYBRID_TENDENCY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Subscripts of `sizes`. */
enum hybrid_tendency_size {
  HYBRID_TENDENCY_BYTES = 0,      /* bytes a number: 4 or 8 */
  HYBRID_TENDENCY_STAGES = 1,     /* calls in one step */
  HYBRID_TENDENCY_FIELDS = 2,     /* fields in */
  HYBRID_TENDENCY_TENDENCIES = 3, /* tendencies out */
  HYBRID_TENDENCY_LAYERS = 4,     /* layers of each of them */
  HYBRID_TENDENCY_ROWS = 5,       /* rows of a layer */
  HYBRID_TENDENCY_POINTS = 6,     /* points in a row */
  HYBRID_TENDENCY_SIZES = 7       /* how many sizes there are */
};

typedef int (*hybrid_tendency_function)(void *context, int64_t step, int64_t stage,
                                        const void *fields, void *tendency, const int64_t *sizes);

#ifdef __cplusplus
}
#endif
#endif
