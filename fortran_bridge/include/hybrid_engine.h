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

#define HYBRID_ENGINE_ABI_VERSION 4

/* What a model is opened from: the whole file, and its entries one by one. All of it is verified,
 * and valid during `open` only. */
typedef struct hybrid_engine_archive {
  const void *bytes;
  size_t n_bytes;
  void *context;
  /* The content of an entry, named without the folder that all entries lie in, for example
   * "extra/native.json". Returns 0, or 1 if there is none of this name. */
  int (*entry)(void *context, const char *name, const void **bytes, size_t *n);
} hybrid_engine_archive;

/* One argument or result: contiguous [n][shape...], of `kind` bytes an element. */
typedef struct hybrid_engine_field {
  const char *name;
  int kind;
  int rank;
  const int64_t *shape; /* -1: any size */
} hybrid_engine_field;

typedef struct hybrid_engine_options {
  const char *device; /* "cpu", "cuda:0" */
  int n_thread;       /* threads inside operations */
  /* "float32", or "bf16" for an engine that knows `precision`, which may still stay with float32
   * where the processor or the model makes it. */
  const char *precision;
} hybrid_engine_options;

/* Functions return 0, or 1 after writing a message of at most `size` bytes; `open` returns
 * HYBRID_ENGINE_UNSERVABLE where it is the archive's content that this engine does not take, such
 * as a program of a later version, so that another engine may run it. A model may be used by
 * several threads at once, a session by one at a time. */
#define HYBRID_ENGINE_UNSERVABLE 2

typedef struct hybrid_engine {
  int abi_version;
  const char *name;
  const char *version;
  /* 1: the bits of a column do not depend on how many others are evaluated with it, nor on its
   * place among them. Then the core tests no block sizes, and evaluates nothing at load. */
  int is_column_exact;
  int (*open)(const hybrid_engine_archive *archive, const hybrid_engine_field *arguments,
              int n_argument, const hybrid_engine_field *results, int n_result,
              const hybrid_engine_options *options, void **model, char *message, size_t size);
  /* A session evaluates n columns (or members) whose arguments always lie at the same addresses,
   * so that whatever the engine needs around them is made once. `shapes` holds the extents of
   * each argument, then of each result, each list ended with -1; they are copied. */
  int (*prepare)(void *model, int64_t n, const int64_t *const *shapes, const void *const *arguments,
                 void **session, char *message, size_t size);
  int (*run)(void *session, void *const *results, char *message, size_t size);
  void (*release)(void *session);
  void (*close)(void *model);
  int (*device_count)(const char *kind); /* 0 for kinds it does not know */
  /* What a model opened for "bf16" computes in, and why, for people: "bf16 in 6 of 7 matrices".
   * Null for an engine of one precision. Valid as long as the model. */
  const char *(*precision)(const void *model);
} hybrid_engine;

/* The one symbol that the core looks up. */
typedef const hybrid_engine *(*hybrid_engine_entry)(void);

#ifdef __cplusplus
}
#endif
#endif
