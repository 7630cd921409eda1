/* Arrays that are handed over each time: put, apply, get, in chunks; guard and coupling modes. */
#include <math.h>

#include "expect.h"

enum { n = 4, n_level = 5 };

static double t[n][n_level], ps[n], tendency[n][n_level];
static const int64_t ids[n] = {11, 12, 13, 14};
static const int64_t row = sizeof(t[0]), value = sizeof(double);

static int put_t(hybrid_binding *binding, int64_t n_column) {
  const int64_t shape[2] = {n_column, n_level}, stride[2] = {row, value};
  return hybrid_binding_put(binding, "state_t", t, HYBRID_FLOAT64, 2, shape, stride, "column,level",
                            "K");
}

static int put_ps(hybrid_binding *binding, int64_t n_column) {
  return hybrid_binding_put(binding, "state_ps", ps, HYBRID_FLOAT64, 1, &n_column, &value, "column",
                            "Pa");
}

static int get(hybrid_binding *binding, int64_t n_column, int accumulate) {
  const int64_t shape[2] = {n_column, n_level}, stride[2] = {row, value};
  return hybrid_binding_get(binding, "ptend_t", tendency, HYBRID_FLOAT64, 2, shape, stride,
                            "column,level", "K s-1", accumulate);
}

static void evaluate(hybrid_binding *binding, int64_t n_column, int64_t step) {
  EXPECT_OK(put_t(binding, n_column));
  EXPECT_OK(put_ps(binding, n_column));
  EXPECT_OK(hybrid_binding_apply(binding, step));
}

static void chunks(hybrid_binding *binding) {
  double whole;
  EXPECT_REFUSED(hybrid_binding_apply(binding, 0), HYBRID_ERROR_ORDER,
                 "expected every input to be put since the last apply");
  EXPECT_REFUSED(get(binding, n, 0), HYBRID_ERROR_ORDER, "expected apply before get");
  evaluate(binding, n, 0);
  EXPECT_OK(get(binding, n, 0));
  whole = tendency[0][2];
  EXPECT_OK(get(binding, n, 1));
  EXPECT(tendency[0][2] == whole + whole);
  EXPECT_OK(hybrid_binding_chunk(binding, 1, NULL));
  evaluate(binding, 1, 0);
  EXPECT_OK(get(binding, 1, 0));
  EXPECT(tendency[0][2] == whole);
  EXPECT_REFUSED(hybrid_binding_chunk(binding, n + 1, NULL), HYBRID_ERROR_SHAPE,
                 "expected at most 4 columns");
  EXPECT_OK(hybrid_binding_chunk(binding, n, ids));
}

static void guard(hybrid_binding *binding) {
  const int64_t before = 5; /* columns evaluated by `chunks` */
  unsigned char mask[n];
  int64_t evaluated, counts[HYBRID_REASONS];
  ps[1] = NAN;
  ps[2] = 2e5;
  tendency[1][0] = -1.0;
  evaluate(binding, n, 1);
  EXPECT_OK(get(binding, n, 0));
  EXPECT(tendency[1][0] == -1.0 && tendency[2][0] != -1.0);
  EXPECT_OK(hybrid_binding_mask(binding, mask, n));
  EXPECT(mask[0] == 0 && mask[1] == (1 << HYBRID_NOT_FINITE | HYBRID_UNTOUCHED));
  EXPECT(mask[2] == 1 << HYBRID_ABOVE && mask[3] == 0);
  EXPECT_REFUSED(hybrid_binding_mask(binding, mask, 2), HYBRID_ERROR_SHAPE,
                 "mask and reasons: expected 4 columns, got 2");
  EXPECT_OK(hybrid_binding_counts(binding, "state_ps", &evaluated, counts));
  EXPECT(evaluated == before + n);
  EXPECT(counts[HYBRID_NOT_FINITE] == 1 && counts[HYBRID_ABOVE] == 1 && counts[HYBRID_BELOW] == 0);
  EXPECT_OK(hybrid_binding_counts(binding, NULL, NULL, counts));
  EXPECT(counts[HYBRID_NOT_FINITE] == 1 && counts[HYBRID_ABOVE] == 1);
  EXPECT_REFUSED(hybrid_binding_counts(binding, "q", NULL, counts), HYBRID_ERROR_FIELD,
                 "q: no such input, output or state field");
  EXPECT(strstr(hybrid_binding_summary(binding), "2 of 9 column evaluations flagged") != NULL);
  EXPECT(hybrid_binding_summary(NULL) == NULL);
  EXPECT_REFUSED(hybrid_binding_threshold(binding, 0.5), HYBRID_ERROR_FIELD,
                 "expected an output with role 'confidence'");
  ps[1] = ps[2] = 9e4;
}

static void modes(hybrid_binding *binding) {
  const double half[n_level] = {0.5, 0.5, 0.5, 0.5, 0.5}, everywhere[n] = {1, 1, 1, 1};
  double mean[n_level], rms[n_level], largest[n_level], expected;
  int64_t count[n_level];
  evaluate(binding, n, 2);
  EXPECT_OK(get(binding, n, 0));
  EXPECT_REFUSED(hybrid_binding_differences(binding, "ptend_t", count, NULL, NULL, NULL, n_level),
                 HYBRID_ERROR_ORDER, "ptend_t: expected an output with a ramp, got none");
  EXPECT_OK(hybrid_binding_ramp(binding, "ptend_t", 0.0, 1.0, 0, 4));
  EXPECT_OK(hybrid_binding_partial(binding, "ptend_t", half, n_level, everywhere, n));
  expected = 0.75 * 2.0 + 0.25 * tendency[0][0]; /* half of the half that step 2 of 4 gives */
  for (int i = 0; i < n; ++i)
    for (int level = 0; level < n_level; ++level) tendency[i][level] = 2.0;
  EXPECT_OK(get(binding, n, 0));
  EXPECT(fabs(tendency[0][0] - expected) < 1e-15);
  EXPECT_OK(hybrid_binding_differences(binding, "ptend_t", count, mean, rms, largest, n_level));
  EXPECT(count[0] == n && fabs(mean[0] + 2.0) < 1e-3 && fabs(rms[0] - 2.0) < 1e-3);
  EXPECT(largest[0] >= rms[0]);
  EXPECT_REFUSED(get(binding, n, 1), HYBRID_ERROR_ARGUMENT, "got one that accumulates");
  EXPECT_REFUSED(hybrid_binding_ramp(binding, "ptend_t", 0.0, 2.0, 0, 4), HYBRID_ERROR_ARGUMENT,
                 "ptend_t: expected shares from 0");
  EXPECT_REFUSED(hybrid_binding_partial(binding, "ptend_t", half, 2, NULL, 0), HYBRID_ERROR_SHAPE,
                 "expected one share for each element of a column, that is 5, got 2");
}

int main(int n_argument, char **arguments) {
  hybrid_closure *closure = NULL;
  hybrid_binding *binding = NULL;
  if (n_argument != 2) return 2;
  for (int i = 0; i < n; ++i) {
    ps[i] = 8e4 + 1e3 * i;
    for (int level = 0; level < n_level; ++level) t[i][level] = 250.0 + 3.0 * level + i;
  }
  EXPECT_OK(hybrid_closure_load(arguments[1], "auto", "cpu", 1, &closure));
  EXPECT_OK(hybrid_binding_create(closure, n, ids, 0, 1, "flag", &binding));
  hybrid_closure_free(closure);
  chunks(binding);
  guard(binding);
  modes(binding);
  hybrid_binding_free(binding);
  return failures != 0;
}
