/* A host of three columns that asks a closure for the tendency of its temperature. */
#include <hybrid.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int status) {
  if (status == HYBRID_OK) return;
  fprintf(stderr, "%s\n", hybrid_last_error());
  exit(EXIT_FAILURE);
}

int main(int count, char **arguments) {
  const double t[3] = {0.0, 10.0, 20.0};
  double tendency[3];
  const int64_t shape = 3, stride = sizeof(double);
  hybrid_closure *closure;
  hybrid_binding *columns;
  if (count != 2) return EXIT_FAILURE;

  check(hybrid_closure_load(arguments[1], "auto", "cpu", 1, &closure));
  check(hybrid_binding_create(closure, 3, NULL, 0, 1, "error", &columns));
  check(hybrid_binding_put(columns, "t", t, HYBRID_FLOAT64, 1, &shape, &stride, "column", "degC"));
  check(hybrid_binding_apply(columns, 1));
  check(hybrid_binding_get(columns, "t_tendency", tendency, HYBRID_FLOAT64, 1, &shape, &stride,
                           "column", "K day-1", 0));
  printf("sum of the tendencies [K day-1]: %7.3f\n", tendency[0] + tendency[1] + tendency[2]);
  hybrid_binding_free(columns);
  hybrid_closure_free(closure);
  return EXIT_SUCCESS;
}
