/* hybrid.h: call a compiled closure from C, and from whatever can call C.
 *
 * A closure is loaded once and is immutable: any number of threads may share it. A binding ties
 * it to the arrays of one caller (a thread, a chunk, a rank) and is used by one thread at a time.
 *
 * Every function that can fail returns HYBRID_OK or an error code and never exits, throws or
 * prints; hybrid_last_error() then says what was wrong, what was expected, what was found and
 * what to do. The floating-point environment of the caller is saved and restored.
 */
#ifndef HYBRID_H
#define HYBRID_H

#include <stdint.h>

#include "hybrid_tendency.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HYBRID_ABI_VERSION 1

#if defined(__GNUC__)
#define HYBRID_API __attribute__((visibility("default")))
#else
#define HYBRID_API
#endif

typedef struct hybrid_closure hybrid_closure;
typedef struct hybrid_binding hybrid_binding;

enum hybrid_status {
  HYBRID_OK = 0,
  HYBRID_ERROR_FILE = 1,      /* missing or unreadable file */
  HYBRID_ERROR_ARCHIVE = 2,   /* not an archive, damaged, or of a newer format */
  HYBRID_ERROR_ENGINE = 3,    /* engine not found, or it failed */
  HYBRID_ERROR_FIELD = 4,     /* unknown, repeated or missing field */
  HYBRID_ERROR_UNITS = 5,     /* units that do not convert */
  HYBRID_ERROR_SHAPE = 6,     /* wrong rank, dims or size */
  HYBRID_ERROR_KIND = 7,      /* number kind not supported */
  HYBRID_ERROR_ORDER = 8,     /* calls in the wrong order */
  HYBRID_ERROR_VALUE = 9,     /* non-finite values */
  HYBRID_ERROR_ARGUMENT = 10, /* null pointer, unknown option, negative size */
  HYBRID_ERROR_INTERNAL = 11  /* a defect of this library */
};

enum hybrid_kind { HYBRID_FLOAT32 = 4, HYBRID_FLOAT64 = 8 };

/* Message of the last failed call of this thread; empty if none failed. Valid until the next. */
HYBRID_API const char *hybrid_last_error(void);

/* Version of this library, for example "0.1.0". */
HYBRID_API const char *hybrid_version(void);

/* Load an archive. `engine` is "auto" or the name of an engine ("torchscript"). */
HYBRID_API int hybrid_closure_load(const char *path, const char *engine, hybrid_closure **closure);

/* Share a closure: one more hybrid_closure_free is due. */
HYBRID_API int hybrid_closure_retain(hybrid_closure *closure);

/* Release a closure. Bindings that use it keep what they need. Null is allowed. */
HYBRID_API void hybrid_closure_free(hybrid_closure *closure);

/* The archive's manifest (JSON text); valid as long as the closure. Null for a null closure. */
HYBRID_API const char *hybrid_closure_manifest(const hybrid_closure *closure);

/* Block sizes [columns] that a self-test at load has shown to round alike, ascending. Writes at
 * most `capacity` of them and returns how many there are. */
HYBRID_API int hybrid_closure_blocks(const hybrid_closure *closure, int64_t *sizes, int capacity);

/* Make a binding for `n_column` columns.
 *   column_id    n_column global numbers, the key of the random numbers; null counts from 1
 *   seed         seed of the random numbers
 *   reproducible 1: results do not depend on how many columns come along; 0: whole batch at once
 *   policy       "error": a column with NaN or infinity makes run fail and write nothing;
 *                "host": such columns are left untouched and marked in the mask */
HYBRID_API int hybrid_binding_create(const hybrid_closure *closure, int64_t n_column,
                                     const int64_t *column_id, uint64_t seed, int reproducible,
                                     const char *policy, hybrid_binding **binding);

HYBRID_API int hybrid_binding_retain(hybrid_binding *binding);
HYBRID_API void hybrid_binding_free(hybrid_binding *binding);

/* Tie an array to an input or output field. The address is kept.
 *   kind         HYBRID_FLOAT32 or HYBRID_FLOAT64
 *   shape        `rank` extents; stride: `rank` distances between neighbours [bytes], any sign
 *   dims         names of the axes in the order of shape, for example "column,level"
 *   units        UDUNITS string of the host's values; converted if possible
 *   accumulate   1: outputs are added to the array, 0: they replace its values */
HYBRID_API int hybrid_binding_bind(hybrid_binding *binding, const char *name, void *data, int kind,
                                   int rank, const int64_t *shape, const int64_t *stride,
                                   const char *dims, const char *units, int accumulate);

/* Evaluate the closure for model step `step`. May be called several times a step: noise depends
 * on (seed, column id, step, field) alone and state changes only at commit. */
HYBRID_API int hybrid_binding_run(hybrid_binding *binding, int64_t step);

/* Make the state computed by the last run the current one. Once a model step. */
HYBRID_API int hybrid_binding_commit(hybrid_binding *binding);

/* Run a binding as a solver calls a closure: a hybrid_tendency_function, see hybrid_tendency.h,
 * whose `context` is a hybrid_binding. The arrays are those that were bound; `fields` and
 * `tendency` are not looked at. The last stage of a step commits. */
HYBRID_API int hybrid_binding_tendency(void *context, int64_t step, int64_t stage,
                                       const void *fields, void *tendency, const int64_t *sizes);

/* Message of the last hybrid_binding_tendency that failed for this binding, on whatever thread;
 * empty if none did. Valid until the next one fails. Null for a null binding. */
HYBRID_API const char *hybrid_binding_error(const hybrid_binding *binding);

/* mask[i] = 1 where the last run left column i to the host, else 0; n must be n_column. */
HYBRID_API int hybrid_binding_mask(const hybrid_binding *binding, unsigned char *mask, int64_t n);

/* Read or replace the committed state of a field: n_column * size values, column by column. */
HYBRID_API int hybrid_binding_state_get(const hybrid_binding *binding, const char *name,
                                        double *values, int64_t n);
HYBRID_API int hybrid_binding_state_set(hybrid_binding *binding, const char *name,
                                        const double *values, int64_t n);

/* The standard normal numbers that the bridge gives to noise field number `field` (counted from
 * 0) at `step`: values[n_column][size]. Philox 4x64-10 with counter (column id, step, field,
 * element / 4) and key (seed, 0) gives four words w; negative numbers count modulo 2^64. Each word
 * becomes u = ((w >> 11) + 1) / 2^53 in (0, 1], and each pair of words two elements:
 * sqrt(-2 ln u0) cos(2 pi u1) and sqrt(-2 ln u0) sin(2 pi u1). */
HYBRID_API int hybrid_noise(uint64_t seed, int64_t field, int64_t step, int64_t n_column,
                            const int64_t *column_id, int64_t size, double *values);

#ifdef __cplusplus
}
#endif
#endif
