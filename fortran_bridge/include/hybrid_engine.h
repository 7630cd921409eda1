/* hybrid_engine.h: what a shared object must export to run closures for libhybrid.
 *
 * An engine is opened on demand, with local symbols. It sees only verified archive bytes and
 * contiguous buffers: names, units, layouts and precision of the host are the core's business.
 */
#ifndef HYBRID_ENGINE_H
#define HYBRID_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HYBRID_ENGINE_ABI_VERSION 1

/* One argument or result: contiguous [n][shape...], of `kind` bytes an element. */
typedef struct hybrid_engine_field {
  const char *name;
  int kind;
  int rank;
  const int64_t *shape; /* -1: any size */
} hybrid_engine_field;

typedef struct hybrid_engine_call {
  int64_t n;                    /* columns (or members) in every buffer */
  const int64_t *const *shapes; /* extents of each argument, then of each result; ends with -1 */
  const void *const *arguments; /* inputs, state, noise */
  void *const *results;         /* outputs, new state */
} hybrid_engine_call;

/* Functions return 0, or 1 after writing a message of at most `size` bytes. */
typedef struct hybrid_engine {
  int abi_version;
  const char *name;
  const char *version;
  int (*open)(const void *bytes, size_t n_bytes, const hybrid_engine_field *arguments,
              int n_argument, const hybrid_engine_field *results, int n_result, void **model,
              char *message, size_t size);
  int (*run)(void *model, const hybrid_engine_call *call, char *message, size_t size);
  void (*close)(void *model);
} hybrid_engine;

/* The one symbol that the core looks up. */
typedef const hybrid_engine *(*hybrid_engine_entry)(void);

#ifdef __cplusplus
}
#endif
#endif
