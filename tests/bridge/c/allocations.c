/* Once arrays are known, a step allocates nothing: run, and put, apply and get in the same layout.
 * With the stub engine, so that all that is counted is the library's own. */
#include <stdlib.h>

#include "counted_allocations.h"
#include "expect.h"

enum { n = 100, n_level = 60, n_step = 20 };

struct array {
  const char *name, *units;
  int rank;
  double *values;
};

static double t[n][n_level], ps[n], tendency[n][n_level], rain[n];
static const struct array inputs[2] = {{"t", "degC", 2, t[0]}, {"ps", "hPa", 1, ps}};
static const struct array outputs[2] = {{"t_tendency", "K day-1", 2, tendency[0]},
                                        {"rain", "mm day-1", 1, rain}};
static const int64_t shape[2] = {n, n_level};
static const int64_t stride[2][2] = {{sizeof(double), 0}, {sizeof(t[0]), sizeof(double)}};

static int bind(hybrid_binding *binding, const struct array *array) {
  return hybrid_binding_bind(binding, array->name, array->values, HYBRID_FLOAT64, array->rank,
                             shape, stride[array->rank - 1],
                             array->rank == 2 ? "column,level" : "column", array->units, 0);
}

static int put(hybrid_binding *binding, const struct array *array) {
  return hybrid_binding_put(binding, array->name, array->values, HYBRID_FLOAT64, array->rank, shape,
                            stride[array->rank - 1], array->rank == 2 ? "column,level" : "column",
                            array->units);
}

static int get(hybrid_binding *binding, const struct array *array) {
  return hybrid_binding_get(binding, array->name, array->values, HYBRID_FLOAT64, array->rank, shape,
                            stride[array->rank - 1], array->rank == 2 ? "column,level" : "column",
                            array->units, 0);
}

static void run(hybrid_binding *binding, int64_t step) {
  EXPECT_OK(hybrid_binding_run(binding, step));
  EXPECT_OK(hybrid_binding_commit(binding));
}

static void apply(hybrid_binding *binding, int64_t step) {
  for (int i = 0; i < 2; ++i) EXPECT_OK(put(binding, &inputs[i]));
  EXPECT_OK(hybrid_binding_apply(binding, step));
  EXPECT_OK(hybrid_binding_commit(binding));
  for (int i = 0; i < 2; ++i) EXPECT_OK(get(binding, &outputs[i]));
}

static void count(hybrid_binding *binding, void (*evaluate)(hybrid_binding *, int64_t)) {
  long before;
  t[0][0] = 1e9;        /* so that what is said once about flagged columns is said */
  evaluate(binding, 0); /* what is made once */
  before = n_allocation;
  for (int64_t step = 1; step < n_step; ++step) {
    t[step][0] = 1e9;
    evaluate(binding, step);
  }
  EXPECT(n_allocation == before);
}

int main(int n_argument, char **arguments) {
  hybrid_closure *closure = NULL;
  hybrid_binding *bound = NULL, *given = NULL;
  if (n_argument != 2) return 2;
  EXPECT_OK(hybrid_closure_load(arguments[1], "auto", "cpu", 1, &closure));
  for (int reproducible = 0; reproducible < 2; ++reproducible) {
    EXPECT_OK(hybrid_binding_create(closure, n, NULL, 0, reproducible, "clip", &bound));
    EXPECT_OK(hybrid_binding_create(closure, n, NULL, 0, reproducible, "host", &given));
    EXPECT(n_allocation > 0);
    for (int i = 0; i < 2; ++i) {
      EXPECT_OK(bind(bound, &inputs[i]));
      EXPECT_OK(bind(bound, &outputs[i]));
    }
    count(bound, run);
    count(given, apply);
    EXPECT_OK(hybrid_binding_ramp(given, "rain", 0.0, 1.0, 0, n_step));
    count(given, apply);
    hybrid_binding_free(bound);
    hybrid_binding_free(given);
  }
  hybrid_closure_free(closure);
  return failures != 0;
}
