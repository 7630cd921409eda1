/* hybrid.h: call a compiled closure from C, and from whatever can call C.
 *
 * A closure is loaded once and is immutable: any number of threads may share it. A binding ties
 * it to the columns of one caller (a thread, a chunk, a rank) and is used by one thread at a time.
 *
 * Two ways to hand over arrays. `bind` keeps addresses, for arrays that outlive the binding: then
 * each step is `run` and `commit`. `put`, `apply` and `get` keep no address, for arrays that move
 * or come in chunks: `put` reads an input at once, `get` writes an output at once.
 *
 * Every function that can fail returns HYBRID_OK or an error code and never exits, throws or
 * prints; hybrid_last_error() then says what was wrong, what was expected, what was found and
 * what to do. The floating-point environment of the caller is saved and restored; inside it is the
 * default one (round to nearest, no traps, subnormal numbers kept), whatever the caller set.
 *
 * ABI. Functions, numbers and meanings of version HYBRID_ABI_VERSION never change; later versions
 * only add to them. All symbols carry the version node HYBRID_1.
 */
#ifndef HYBRID_H
#define HYBRID_H

#include <stdint.h>

#include "hybrid_tendency.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HYBRID_ABI_VERSION 2

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

/* Why the guard flagged a column: subscripts of counts, and bits (1 << reason) of the mask. */
enum hybrid_reason {
  HYBRID_NOT_FINITE = 0,    /* NaN or infinity in an input or a result */
  HYBRID_BELOW = 1,         /* below valid_min of the field */
  HYBRID_ABOVE = 2,         /* above valid_max of the field */
  HYBRID_OVERFLOW = 3,      /* a result that the host's array cannot hold in its units and kind, or
                               that would be added to its NaN or infinity */
  HYBRID_NOT_CONFIDENT = 4, /* a confidence output below the threshold */
  HYBRID_REASONS = 5        /* how many reasons there are */
};

/* Bit of the mask: nothing of this column was written, its values are the host's. What a later get
 * finds does not set it where an output of the same apply was written before, or its state was
 * committed: so get every output before commit, and read the mask after the last get. */
#define HYBRID_UNTOUCHED 128

enum hybrid_log_level { HYBRID_LOG_INFO = 1, HYBRID_LOG_WARNING = 2 };

/* ---- the library ------------------------------------------------------------------------- */

/* Message of the last failed call of this thread; empty if none failed. Valid until the next. */
HYBRID_API const char *hybrid_last_error(void);

/* Version of this library, for example "0.1.0". */
HYBRID_API const char *hybrid_version(void);

/* HYBRID_ABI_VERSION of the header that this library was built with: it has all functions of the
 * caller's header if this is no less than the caller's HYBRID_ABI_VERSION. */
HYBRID_API int hybrid_abi_version(void);

/* Have messages (engine and blocks chosen at load, the first flagged column of a binding) sent to
 * the host; null sends them nowhere, as at the start. One function for the process; it may be
 * called from any thread that calls the library, and must return. Another thread may still be
 * inside it when hybrid_log_to has returned: keep what `context` points to until no thread calls
 * the library. */
typedef void (*hybrid_log_function)(int level, const char *message, void *context);
HYBRID_API void hybrid_log_to(hybrid_log_function function, void *context);

/* Number of devices of a kind ("cuda") that an engine can use; 0 if none. */
HYBRID_API int hybrid_device_count(const char *engine, const char *kind, int *count);

/* Name the device of this process: rank on its node modulo `count`, as in "cuda:1"; "cpu" if count
 * is 0. The rank on the node is read from the environment that Open MPI, MPICH, Intel MPI, MVAPICH,
 * Slurm or PMI set; without any it is 0. No communication. Writes at most `size` bytes. */
HYBRID_API int hybrid_local_device(const char *kind, int count, char *device, int size);

/* ---- a closure --------------------------------------------------------------------------- */

/* Load an archive.
 *   engine    "native", "torchscript" or "aoti"; or "auto": the native engine where the archive
 *             holds a program for it, the library has it and the device is "cpu", else the one that
 *             the archive names. Bits differ from engine to engine
 *   device    "cpu", or a device of the engine such as "cuda:0"
 *   n_thread  threads inside the engine's operations; 1 unless measurement shows a gain */
HYBRID_API int hybrid_closure_load(const char *path, const char *engine, const char *device,
                                   int n_thread, hybrid_closure **closure);

/* The same from the bytes of an archive, which may go afterwards: one rank reads, all load.
 * `label` stands for the path in messages. */
HYBRID_API int hybrid_closure_load_memory(const void *bytes, int64_t n_bytes, const char *label,
                                          const char *engine, const char *device, int n_thread,
                                          hybrid_closure **closure);

/* As hybrid_closure_load and hybrid_closure_load_memory, in a precision of the closure's
 * arithmetic: "float32", theirs, or "bf16" for matrices of the native engine, which is an error
 * unless the archive has passed the online test of `hybrid precision`. A processor without
 * AVX512_BF16 computes in float32: hybrid_closure_describe says it. Since HYBRID_ABI_VERSION 2. */
HYBRID_API int hybrid_closure_load_precision(const char *path, const char *engine,
                                             const char *device, int n_thread,
                                             const char *precision, hybrid_closure **closure);
HYBRID_API int hybrid_closure_load_memory_precision(const void *bytes, int64_t n_bytes,
                                                    const char *label, const char *engine,
                                                    const char *device, int n_thread,
                                                    const char *precision,
                                                    hybrid_closure **closure);

/* Share a closure: one more hybrid_closure_free is due. */
HYBRID_API int hybrid_closure_retain(hybrid_closure *closure);

/* Release a closure. Bindings that use it keep what they need. Null is allowed. */
HYBRID_API void hybrid_closure_free(hybrid_closure *closure);

/* The archive's manifest (JSON text); valid as long as the closure. Null for a null closure. */
HYBRID_API const char *hybrid_closure_manifest(const hybrid_closure *closure);

/* What a person wants to know, in lines of text: name, version, engine, device, blocks, and each
 * field with units, dims, sizes and envelope; after "auto" also why not the native engine, and
 * what "bf16" came to.
 * Valid as long as the closure; null for null. */
HYBRID_API const char *hybrid_closure_describe(const hybrid_closure *closure);

/* Block sizes [columns] that a self-test has shown to round alike, ascending: some at load, and
 * at each create the number of its columns; 1 alone for columns too large for a test in 128 MiB, of
 * more than about 87,000 numbers, and for the native engine, where all sizes round alike. Writes at
 * most `capacity` of them and returns how many there are; 0 for null, or without the memory to list
 * them. */
HYBRID_API int hybrid_closure_blocks(const hybrid_closure *closure, int64_t *sizes, int capacity);

/* Number of fields of a group ("inputs", "outputs", "state", "noise"); -1 for another group. */
HYBRID_API int hybrid_closure_field_count(const hybrid_closure *closure, const char *group);

/* Name of a field of a group, counted from 0; null if there is none. Valid as the closure. */
HYBRID_API const char *hybrid_closure_field_name(const hybrid_closure *closure, const char *group,
                                                 int index);

/* Units of a field; null if there is no such field. Valid as long as the closure. */
HYBRID_API const char *hybrid_closure_field_units(const hybrid_closure *closure, const char *name);

/* Elements of a field a column; sizes fixed only at create count as 1; -1: no such field. */
HYBRID_API int64_t hybrid_closure_field_size(const hybrid_closure *closure, const char *name);

/* ---- a binding --------------------------------------------------------------------------- */

/* Make a binding for `n_column` columns. A rank or chunk may have none: then every call is allowed
 * and does nothing, arrays have no elements, and their addresses may be null.
 *   column_id    n_column global numbers, the key of the random numbers; null counts from 1
 *   seed         seed of the random numbers
 *   reproducible 1: results do not depend on how many columns come along; 0: quickest batches
 *   policy       what happens to a column that the guard flags:
 *                "error"  NaN or infinity makes run fail, nothing is written; values outside the
 *                         envelope are counted and marked in the mask, and computed
 *                "flag"   counted, marked, computed
 *                "clip"   inputs are moved to the nearest end of the envelope, and so are results
 *                "zero"   results are zero (nothing is added where they accumulate)
 *                "host"   left untouched for the host's own scheme
 *                With all but "error", a column with NaN or infinity is left untouched ("zero":
 *                results are zero), and a column that is left keeps its state. */
HYBRID_API int hybrid_binding_create(const hybrid_closure *closure, int64_t n_column,
                                     const int64_t *column_id, uint64_t seed, int reproducible,
                                     const char *policy, hybrid_binding **binding);

/* The same for a grid closure, whose first axis is the member, on the host's grid.
 *   dims      names of the grid's dimensions, for example "y,x"
 *   sizes     points along each, without halo
 *   spacing   distance of points along each, in the units of the closure's grid; compared with
 *             what the closure was trained for, relative difference at most 1e-6
 *   boundary  for each "periodic" (the closure wraps), "wall" or "halo": with "halo", inputs have
 *             halo_width points of the neighbours at both ends, which the host fills; compared */
HYBRID_API int hybrid_binding_create_grid(const hybrid_closure *closure, int64_t n_member,
                                          const int64_t *member_id, const char *dims,
                                          const int64_t *sizes, const double *spacing,
                                          const char *boundary, uint64_t seed, int reproducible,
                                          const char *policy, hybrid_binding **binding);

HYBRID_API int hybrid_binding_retain(hybrid_binding *binding);
HYBRID_API void hybrid_binding_free(hybrid_binding *binding);

/* Tie an array to an input or output field. The address is kept.
 *   kind         HYBRID_FLOAT32 or HYBRID_FLOAT64
 *   shape        `rank` extents; stride: `rank` distances between neighbours [bytes], any sign
 *                but multiples of `kind`, as the address is; elements of outputs must lie apart
 *   dims         names of the axes in the order of shape, for example "column,level"
 *   units        UDUNITS string of the host's values; converted if possible
 *   accumulate   1: outputs are added to the array, 0: they replace its values */
HYBRID_API int hybrid_binding_bind(hybrid_binding *binding, const char *name, void *data, int kind,
                                   int rank, const int64_t *shape, const int64_t *stride,
                                   const char *dims, const char *units, int accumulate);

/* Evaluate the closure for model step `step`. May be called several times a step: noise depends
 * on (seed, column id, step, field) alone and state changes only at commit. Needs every field
 * bound. */
HYBRID_API int hybrid_binding_run(hybrid_binding *binding, int64_t step);

/* Read an input now; the array may go afterwards. Arguments as those of bind. */
HYBRID_API int hybrid_binding_put(hybrid_binding *binding, const char *name, const void *data,
                                  int kind, int rank, const int64_t *shape, const int64_t *stride,
                                  const char *dims, const char *units);

/* Evaluate the closure for what was put (or bound); needs every input, and no output. */
HYBRID_API int hybrid_binding_apply(hybrid_binding *binding, int64_t step);

/* Write an output of the last apply now. Arguments as those of bind. Get every output before
 * commit, and read the mask afterwards: whether the host's array can hold a result is known only
 * here. A column found so in a second output has the mark HYBRID_OVERFLOW without
 * HYBRID_UNTOUCHED: its first output was written, the second is the host's. */
HYBRID_API int hybrid_binding_get(hybrid_binding *binding, const char *name, void *data, int kind,
                                  int rank, const int64_t *shape, const int64_t *stride,
                                  const char *dims, const char *units, int accumulate);

/* Use the binding for another chunk of at most as many columns as it was created for: put, apply
 * and get then mean these. Refused for a closure with state, which belongs to its columns, and
 * after bind. `column_id` as in create. */
HYBRID_API int hybrid_binding_chunk(hybrid_binding *binding, int64_t n_column,
                                    const int64_t *column_id);

/* Make the state computed by the last run or apply the current one. Once a model step. */
HYBRID_API int hybrid_binding_commit(hybrid_binding *binding);

/* Run a binding as a solver calls a closure: a hybrid_tendency_function, see hybrid_tendency.h,
 * whose `context` is a hybrid_binding. The arrays are those that were bound; `fields` and
 * `tendency` are not looked at. The last stage of a step commits. */
HYBRID_API int hybrid_binding_tendency(void *context, int64_t step, int64_t stage,
                                       const void *fields, void *tendency, const int64_t *sizes);

/* Message of the last hybrid_binding_tendency that failed for this binding, on whatever thread;
 * empty if none did. Valid until the next one fails. Null for a null binding. */
HYBRID_API const char *hybrid_binding_error(const hybrid_binding *binding);

/* ---- the guard --------------------------------------------------------------------------- */

/* mask[i]: 0, or why the guard flagged column i in the last run or apply (bits 1 << reason), with
 * HYBRID_UNTOUCHED where nothing was written; n must be the number of columns. To be read after
 * run, or after the last get. */
HYBRID_API int hybrid_binding_mask(const hybrid_binding *binding, unsigned char *mask, int64_t n);

/* Flag a column where the output with role "confidence" is below `threshold`; without this, where
 * it is below its valid_min. */
HYBRID_API int hybrid_binding_threshold(hybrid_binding *binding, double threshold);

/* Column evaluations since create: how many there were, and how many of them a field was flagged
 * in, by reason; `name` null: by any field. A run or apply that fails counts for nothing. */
HYBRID_API int hybrid_binding_counts(const hybrid_binding *binding, const char *name,
                                     int64_t *evaluated, int64_t counts[HYBRID_REASONS]);

/* The counts in one line; valid until the next call for this binding. Null for a null binding. */
HYBRID_API const char *hybrid_binding_summary(hybrid_binding *binding);

/* Evaluations since create, and the seconds they took: reading the host's arrays with check and
 * conversion, the engine, and checking and writing results. Null pointers are skipped. */
HYBRID_API int hybrid_binding_timers(const hybrid_binding *binding, int64_t *n_run, double *packing,
                                     double *engine, double *unpacking);

/* ---- coupling modes ---------------------------------------------------------------------- */

/* Let an output have a share r of the closure: the host's own scheme writes the array first, and
 * run or get makes it (1 - r) * host + r * closure. r is `from` up to step `first`, `to` from step
 * `last` on, and linear between. Shadow mode is from = to = 0: the array stays the host's. The
 * differences closure - host are recorded, where both are finite. With 0 < r < 1, a value of the
 * host that is NaN or infinite stays. r depends on the step alone: no restart file has to hold it,
 * but ramp and partial have to be set again. Refused for an array that accumulates. */
HYBRID_API int hybrid_binding_ramp(hybrid_binding *binding, const char *name, double from,
                                   double to, int64_t first, int64_t last);

/* Restrict the share of an output: r is multiplied by element[i] for element i of a column (levels)
 * and by column[j] for column j (regions), numbers from 0 to 1; null is 1 everywhere. After chunk
 * the columns are others: if shares of columns were given, they must be given again before get. */
HYBRID_API int hybrid_binding_partial(hybrid_binding *binding, const char *name,
                                      const double *element, int64_t n_element,
                                      const double *column, int64_t n_column);

/* Differences closure - host of an output with a ramp since create, in the units of the host's
 * array, for each element of a column: how many, mean, root mean square and largest magnitude.
 * n must be the elements a column; null pointers are skipped. */
HYBRID_API int hybrid_binding_differences(const hybrid_binding *binding, const char *name,
                                          int64_t *count, double *mean, double *rms,
                                          double *largest, int64_t n);

/* ---- state and noise --------------------------------------------------------------------- */

/* Read or replace the committed state of a field: n_column * size values, column by column. A
 * float32 or float64 state comes back bit for bit. */
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
