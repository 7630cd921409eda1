/* Loads, uses and frees a closure of the stub engine many times, then makes every mistake that a
 * host can make: `cycles COUNT ARCHIVE DAMAGED_ARCHIVE`, with the archive "profiles" of
 * stub_archives.py. Built with sanitizers: an invalid access or a leak ends it with an error. */
#include <hybrid.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the sanitizer; not every compiler installs its header. */
size_t __sanitizer_get_current_allocated_bytes(void);

enum { N = 4, LEVELS = 3, WARM_UP = 20 };

static void require(int condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "cycles: %s (%s)\n", what, hybrid_last_error());
  exit(1);
}

static void refused(int status, int expected, const char *part) {
  require(status == expected && strstr(hybrid_last_error(), part) != NULL, part);
}

/* The arrays of a host: profiles t(levels, columns) in double, p(columns) in single precision. */
typedef struct {
  double t[N][LEVELS], dt[N][LEVELS];
  float p[N], sure[N];
} Host;

static const int64_t profile_shape[2] = {N, LEVELS};
static const int64_t profile_stride[2] = {LEVELS * sizeof(double), sizeof(double)};
static const int64_t scalar_shape[1] = {N};
static const int64_t scalar_stride[1] = {sizeof(float)};
static const char *profile_dims = "column,level";

static void fill(Host *host) {
  memset(host, 0, sizeof *host);
  for (int i = 0; i < N; ++i) {
    host->p[i] = 200.0f;
    for (int k = 0; k < LEVELS; ++k) host->t[i][k] = 200.0 + i;
  }
}

/* The stub's arithmetic: mean of the arguments + number of the result + element / 1024. */
static void check_results(const Host *host) {
  for (int i = 0; i < N; ++i) {
    const double mean = 200.0 + 0.75 * i;
    for (int k = 0; k < LEVELS; ++k)
      require(fabs(host->dt[i][k] - (mean + k / 1024.0)) < 1e-4, "wrong result dt");
    require(fabs(host->sure[i] - (mean + 1.0)) < 1e-4, "wrong result sure");
  }
}

static hybrid_closure *loaded(const char *path) {
  hybrid_closure *closure = NULL;
  require(hybrid_closure_load(path, "auto", "cpu", 1, &closure) == HYBRID_OK, "load");
  return closure;
}

static hybrid_binding *created(const hybrid_closure *closure, const char *policy) {
  hybrid_binding *binding = NULL;
  require(hybrid_binding_create(closure, N, NULL, 1, 1, policy, &binding) == HYBRID_OK, "create");
  return binding;
}

static int bind_all(hybrid_binding *binding, Host *host) {
  return hybrid_binding_bind(binding, "t", host->t, HYBRID_FLOAT64, 2, profile_shape,
                             profile_stride, profile_dims, "K", 0) |
         hybrid_binding_bind(binding, "p", host->p, HYBRID_FLOAT32, 1, scalar_shape, scalar_stride,
                             "column", "K", 0) |
         hybrid_binding_bind(binding, "dt", host->dt, HYBRID_FLOAT64, 2, profile_shape,
                             profile_stride, profile_dims, "K s-1", 0) |
         hybrid_binding_bind(binding, "sure", host->sure, HYBRID_FLOAT32, 1, scalar_shape,
                             scalar_stride, "column", "K", 0);
}

static int put_all(hybrid_binding *binding, const Host *host) {
  return hybrid_binding_put(binding, "t", host->t, HYBRID_FLOAT64, 2, profile_shape, profile_stride,
                            profile_dims, "K") |
         hybrid_binding_put(binding, "p", host->p, HYBRID_FLOAT32, 1, scalar_shape, scalar_stride,
                            "column", "K");
}

static void one_cycle(const char *path, int64_t step) {
  Host host;
  hybrid_closure *closure = loaded(path);
  hybrid_binding *binding = created(closure, "flag");
  hybrid_binding *moving = created(closure, "host");
  fill(&host);
  /* A binding keeps what it needs of its closure. */
  hybrid_closure_free(closure);
  require(bind_all(binding, &host) == HYBRID_OK, "bind");
  require(hybrid_binding_run(binding, step) == HYBRID_OK, "run");
  require(hybrid_binding_commit(binding) == HYBRID_OK, "commit");
  check_results(&host);
  hybrid_binding_free(binding);

  fill(&host);
  require(put_all(moving, &host) == HYBRID_OK, "put");
  require(hybrid_binding_apply(moving, step) == HYBRID_OK, "apply");
  require(hybrid_binding_get(moving, "dt", host.dt, HYBRID_FLOAT64, 2, profile_shape,
                             profile_stride, profile_dims, "K s-1", 1) == HYBRID_OK,
          "get dt");
  require(hybrid_binding_get(moving, "sure", host.sure, HYBRID_FLOAT32, 1, scalar_shape,
                             scalar_stride, "column", "K", 0) == HYBRID_OK,
          "get sure");
  check_results(&host);
  hybrid_binding_free(moving);
}

static void files_that_do_not_load(const char *damaged) {
  hybrid_closure *closure = NULL;
  refused(hybrid_closure_load("no/such/file.pt", "auto", "cpu", 1, &closure), HYBRID_ERROR_FILE,
          "No such file");
  refused(hybrid_closure_load(damaged, "auto", "cpu", 1, &closure), HYBRID_ERROR_ARCHIVE,
          "damaged");
  refused(hybrid_closure_load_memory("PK", 2, "bytes", "auto", "cpu", 1, &closure),
          HYBRID_ERROR_ARCHIVE, "bytes: expected a closure archive");
  require(closure == NULL, "a closure in spite of an error");
}

static void arrays_that_do_not_fit(hybrid_binding *binding, Host *host) {
  const int64_t wrong_rows[2] = {N + 1, LEVELS}, wrong_levels[2] = {N, LEVELS + 1};
  refused(hybrid_binding_bind(binding, "t", host->t, 2, 2, profile_shape, profile_stride,
                              profile_dims, "K", 0),
          HYBRID_ERROR_KIND, "2-byte");
  refused(hybrid_binding_bind(binding, "t", host->t, HYBRID_FLOAT64, 2, wrong_rows, profile_stride,
                              profile_dims, "K", 0),
          HYBRID_ERROR_SHAPE, "along 'column'");
  refused(hybrid_binding_put(binding, "t", host->t, HYBRID_FLOAT64, 2, wrong_levels, profile_stride,
                             profile_dims, "K"),
          HYBRID_ERROR_SHAPE, "along 'level'");
  refused(hybrid_binding_put(binding, "t", host->t, HYBRID_FLOAT64, 1, profile_shape,
                             profile_stride, "column", "K"),
          HYBRID_ERROR_SHAPE, "rank 2");
  refused(hybrid_binding_put(binding, "t", host->t, HYBRID_FLOAT64, 2, profile_shape,
                             profile_stride, profile_dims, "m"),
          HYBRID_ERROR_UNITS, "convert");
  refused(hybrid_binding_put(binding, "u", host->t, HYBRID_FLOAT64, 2, profile_shape,
                             profile_stride, profile_dims, "K"),
          HYBRID_ERROR_FIELD, "no such input");
  refused(hybrid_binding_run(binding, 1), HYBRID_ERROR_ORDER, "bind");
  refused(hybrid_binding_commit(binding), HYBRID_ERROR_ORDER, "run before commit");
}

/* A Fortran section t(::-1, 1:2*n:2), in single and in double precision, for a float32 model. */
static void strided_arrays(hybrid_binding *binding) {
  float p[2 * N];
  double t[LEVELS][2 * N], dt[N][LEVELS];
  const int64_t shape[2] = {LEVELS, N}, stride[2] = {-(int64_t)sizeof t[0], 2 * sizeof(double)};
  const int64_t every_other[1] = {2 * sizeof(float)};
  for (int i = 0; i < 2 * N; ++i) {
    p[i] = i % 2 ? NAN : 200.0f;
    for (int k = 0; k < LEVELS; ++k) t[k][i] = i % 2 ? NAN : 200.0 + k;
  }
  require(hybrid_binding_put(binding, "t", t[LEVELS - 1], HYBRID_FLOAT64, 2, shape, stride,
                             "level,column", "K") == HYBRID_OK,
          "put a section");
  require(hybrid_binding_put(binding, "p", p, HYBRID_FLOAT32, 1, scalar_shape, every_other,
                             "column", "K") == HYBRID_OK,
          "put every other element");
  require(hybrid_binding_apply(binding, 1) == HYBRID_OK, "apply to a section");
  require(hybrid_binding_get(binding, "dt", dt, HYBRID_FLOAT64, 2, profile_shape, profile_stride,
                             profile_dims, "K s-1", 0) == HYBRID_OK,
          "get");
  for (int i = 0; i < N; ++i) require(fabs(dt[i][0] - 200.75) < 1e-4, "wrong result of a section");
}

static void mistakes(const char *path, const char *damaged) {
  Host host;
  hybrid_closure *closure = loaded(path);
  hybrid_binding *binding = created(closure, "error");
  fill(&host);
  files_that_do_not_load(damaged);
  arrays_that_do_not_fit(binding, &host);
  strided_arrays(binding);
  host.t[2][1] = NAN;
  refused(put_all(binding, &host), HYBRID_ERROR_VALUE, "got NaN in column 3 of 4");
  hybrid_binding_free(binding);
  hybrid_closure_free(closure);
}

int main(int count, char **arguments) {
  size_t after_warm_up = 0;
  if (count != 4) return 2;
  const long cycles = atol(arguments[1]);
  for (long i = 0; i < cycles; ++i) {
    one_cycle(arguments[2], i);
    if (i % 100 == 0) mistakes(arguments[2], arguments[3]);
    if (i == WARM_UP) after_warm_up = __sanitizer_get_current_allocated_bytes();
  }
  const size_t at_end = __sanitizer_get_current_allocated_bytes();
  printf("%ld cycles, %zu bytes allocated after cycle %d, %zu at the end\n", cycles, after_warm_up,
         WARM_UP, at_end);
  return at_end > after_warm_up + 4096;
}
