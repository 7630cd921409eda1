/* Results do not depend on the floating-point environment of the host, and it stays as it was. */
#include <fenv.h>
#include <stdlib.h>
#include <xmmintrin.h>

#include "expect.h"

enum { n = 2, n_level = 3, flush_to_zero = 0x8000, subnormals_are_zero = 0x0040 };

/* For the tenth that float32 rounds, a number that it holds only as subnormal, and zeros. */
static const double x[n][n_level] = {{0.1, 1e-40, -0.0}, {-0.3, -1e-41, 0.0}};
static const double trust[n] = {0.7, 0.9};

struct results {
  float y[n][n_level];
  double doubled[n][n_level];
  double total[n][n_level];
};

static void evaluate(const char *archive, const char *engine, struct results *results) {
  hybrid_closure *closure = NULL;
  hybrid_binding *binding = NULL;
  const int64_t shape[2] = {n, n_level};
  const int64_t wide[2] = {n_level * sizeof(double), sizeof(double)};
  const int64_t narrow[2] = {n_level * sizeof(float), sizeof(float)};
  memset(results, 0, sizeof(*results));
  EXPECT_OK(hybrid_closure_load(archive, engine, "cpu", 1, &closure));
  EXPECT_OK(hybrid_binding_create(closure, n, NULL, 0, 1, "flag", &binding));
  EXPECT_OK(
      hybrid_binding_put(binding, "x", x, HYBRID_FLOAT64, 2, shape, wide, "column,level", "K"));
  EXPECT_OK(hybrid_binding_put(binding, "trust", trust, HYBRID_FLOAT64, 1, shape, wide + 1,
                               "column", "1"));
  EXPECT_OK(hybrid_binding_apply(binding, 0));
  EXPECT_OK(hybrid_binding_get(binding, "y", results->y, HYBRID_FLOAT32, 2, shape, narrow,
                               "column,level", "K s-1", 0));
  EXPECT_OK(hybrid_binding_get(binding, "y", results->doubled, HYBRID_FLOAT64, 2, shape, wide,
                               "column,level", "K day-1", 0));
  EXPECT_OK(hybrid_binding_commit(binding));
  EXPECT_OK(hybrid_binding_state_get(binding, "total", results->total[0], n * n_level));
  hybrid_binding_free(binding);
  hybrid_closure_free(closure);
}

static void check(const char *archive, const char *engine) {
  static const int directions[4] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  static const unsigned flushes[2] = {0, flush_to_zero | subnormals_are_zero};
  struct results expected, found;
  evaluate(archive, engine, &expected);
  EXPECT(expected.y[0][1] == 2.0f * 1e-40f && expected.y[0][1] != 0.0f);
  EXPECT(1.0f / expected.y[0][2] < 0.0f && 1.0f / expected.y[1][2] > 0.0f);
  for (int direction = 0; direction < 4; ++direction)
    for (int flush = 0; flush < 2; ++flush) {
      unsigned before;
      fesetround(directions[direction]);
      _mm_setcsr(_mm_getcsr() | flushes[flush]);
      before = _mm_getcsr();
      evaluate(archive, engine, &found);
      EXPECT(fegetround() == directions[direction]);
      EXPECT(_mm_getcsr() == before);
      fesetenv(FE_DFL_ENV);
      EXPECT(memcmp(&found, &expected, sizeof(found)) == 0);
    }
}

int main(int n_argument, char **arguments) {
  if (n_argument != 2) return 2;
  check(arguments[1], "torchscript");
  check(arguments[1], "native");
  return failures != 0;
}
