/* However large a column is, the self-test at load keeps to 128 MiB, and columns it cannot test in
 * blocks are evaluated one at a time. Arguments: the archive of a closure of two fields with as many
 * elements, x and y; those elements; the one block size expected. */
#include <stdlib.h>

#include "expect.h"

enum { n = 3 };

static const long most = 128 * 1024, few = 16 * 1024; /* kB */

/* Most memory [kB] this program has held at once. */
static long peak(void) {
  char line[256];
  long kilobytes = -1;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (sscanf(line, "VmHWM: %ld", &kilobytes) == 1) break;
  if (status) fclose(status);
  return kilobytes;
}

static void evaluate(const hybrid_closure *closure, const float *x, float *y, int64_t columns,
                     int64_t elements) {
  hybrid_binding *binding = NULL;
  const int64_t shape[2] = {columns, elements};
  const int64_t stride[2] = {elements * (int64_t)sizeof(float), sizeof(float)};
  EXPECT_OK(hybrid_binding_create(closure, columns, NULL, 0, 1, "error", &binding));
  EXPECT_OK(hybrid_binding_put(binding, "x", x, HYBRID_FLOAT32, 2, shape, stride, "column,level",
                               "K"));
  EXPECT_OK(hybrid_binding_apply(binding, 0));
  EXPECT_OK(hybrid_binding_get(binding, "y", y, HYBRID_FLOAT32, 2, shape, stride, "column,level",
                               "K", 0));
  hybrid_binding_free(binding);
}

int main(int n_argument, char **arguments) {
  hybrid_closure *closure = NULL;
  int64_t sizes[1];
  if (n_argument != 4) return 2;
  const int64_t elements = atol(arguments[2]);
  const size_t total = (size_t)(n * elements);
  const long before = peak();
  EXPECT_OK(hybrid_closure_load(arguments[1], "auto", "cpu", 1, &closure));
  EXPECT(before > 0 && peak() - before < most + few);
  EXPECT(hybrid_closure_blocks(closure, sizes, 1) == 1);
  EXPECT(sizes[0] == atol(arguments[3]));

  float *x = malloc(total * sizeof *x), *together = malloc(total * sizeof *x);
  float *alone = malloc(total * sizeof *x);
  if (!x || !together || !alone) return 2;
  for (size_t i = 0; i < total; ++i) x[i] = (float)(i % 1013) / 7.0f;
  evaluate(closure, x, together, n, elements);
  for (int64_t i = 0; i < n; ++i)
    evaluate(closure, x + i * elements, alone + i * elements, 1, elements);
  EXPECT(memcmp(together, alone, total * sizeof *x) == 0);
  EXPECT(together[0] != together[elements]);
  free(x);
  free(together);
  free(alone);
  hybrid_closure_free(closure);
  return failures != 0;
}
