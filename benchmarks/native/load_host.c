/* A host in C that loads a closure and evaluates one column. Arguments: an archive whose input
 * `temperature` and output `temperature_tendency` are a profile each, and an engine. Prints the
 * processor's seconds from load to the first result, and the memory that is resident then [kB]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hybrid.h"

static double processor_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void require(int status) {
  if (status == 0) return;
  fprintf(stderr, "%s\n", hybrid_last_error());
  exit(1);
}

static double *bound(hybrid_binding *binding, const hybrid_closure *closure, const char *name,
                     const char *dims) {
  const int64_t size = hybrid_closure_field_size(closure, name);
  const int64_t shape[2] = {1, size};
  const int64_t stride[2] = {size * (int64_t)sizeof(double), (int64_t)sizeof(double)};
  double *values = malloc((size_t)size * sizeof(double));
  if (!values) exit(1);
  /* Within the envelope of a temperature. */
  for (int64_t i = 0; i < size; ++i) values[i] = 250.0;
  require(hybrid_binding_bind(binding, name, values, HYBRID_FLOAT64, 2, shape, stride,
                              dims, hybrid_closure_field_units(closure, name), 0));
  return values;
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

int main(int argc, char **argv) {
  const double start = processor_time();
  hybrid_closure *closure = NULL;
  hybrid_binding *binding = NULL;
  if (argc != 3) return 2;
  require(hybrid_closure_load(argv[1], argv[2], "cpu", 1, &closure));
  require(hybrid_binding_create(closure, 1, NULL, 0, 1, "flag", &binding));
  double *x = bound(binding, closure, "temperature", "column,level");
  double *y = bound(binding, closure, "temperature_tendency", "column,layer");
  require(hybrid_binding_run(binding, 1));
  printf("%.9f %ld\n", processor_time() - start, resident_kb());
  hybrid_binding_free(binding);
  hybrid_closure_free(closure);
  free(x);
  free(y);
  return 0;
}
