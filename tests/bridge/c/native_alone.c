/* A host that uses the native engine and nothing else: what it loads, holds, takes and allocates.
 * Arguments: an archive with one input x0 and one output y0, each (column, level), and the engine
 * to ask for. Prints seconds of processor time from load to the first result, resident kB after it,
 * and allocations in more runs; then the files that the process has mapped. */
#include <stdlib.h>
#include <time.h>

#include "counted_allocations.h"
#include "expect.h"

enum { n = 3, n_step = 20 };

static double processor_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int bind(hybrid_binding *binding, const hybrid_closure *closure, const char *name,
                double **values) {
  const int64_t size = hybrid_closure_field_size(closure, name);
  const int64_t shape[2] = {n, size};
  const int64_t stride[2] = {(int64_t)sizeof(double), n * (int64_t)sizeof(double)};
  *values = calloc((size_t)(n * size), sizeof(double));
  return hybrid_binding_bind(binding, name, *values, HYBRID_FLOAT64, 2, shape, stride,
                             "column,level", hybrid_closure_field_units(closure, name), 0);
}

static long resident_kb(void) {
  char line[256];
  long found = -1;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status))
    if (!strncmp(line, "VmRSS:", 6)) found = strtol(line + 6, NULL, 10);
  if (status) fclose(status);
  return found;
}

static void print_maps(void) {
  char line[4096];
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps))
    if (strchr(line, '/')) printf("%s", strchr(line, '/'));
  if (maps) fclose(maps);
}

int main(int argc, char **argv) {
  const double start = processor_time();
  hybrid_closure *closure = NULL;
  hybrid_binding *binding = NULL;
  double *x = NULL, *y = NULL;
  EXPECT(argc == 3);
  EXPECT_OK(hybrid_closure_load(argv[1], argv[2], "cpu", 1, &closure));
  EXPECT_OK(hybrid_binding_create(closure, n, NULL, 0, 1, "flag", &binding));
  EXPECT_OK(bind(binding, closure, "x0", &x));
  EXPECT_OK(bind(binding, closure, "y0", &y));
  EXPECT_OK(hybrid_binding_run(binding, 1));
  const double seconds = processor_time() - start;
  const long resident = resident_kb();
  EXPECT(y[0] != 0.0);
  const long before = n_allocation;
  for (int step = 2; step < n_step; ++step) EXPECT_OK(hybrid_binding_run(binding, step));
  printf("%.6f %ld %ld\n", seconds, resident, n_allocation - before);
  print_maps();
  hybrid_binding_free(binding);
  hybrid_closure_free(closure);
  free(x);
  free(y);
  return failures;
}
