/* The header is plain C, and every function takes what no caller should give it. */
#include <hybrid.h>
#include <stdio.h>
#include <string.h>

static int failures = 0;

static void expect(int condition, const char *what) {
  if (condition) return;
  printf("failed: %s (%s)\n", what, hybrid_last_error());
  ++failures;
}

static void expect_refused(int status, int expected, const char *part) {
  expect(status == expected && strstr(hybrid_last_error(), part) != NULL, part);
}

int main(int count, char **arguments) {
  hybrid_closure *closure = NULL;
  hybrid_binding *binding = NULL;
  double x[3] = {0.5, -0.5, 0.25}, tendency[3], memory[15], later[15];
  unsigned char mask[3];
  int64_t shape = 3, stride = sizeof(double), sizes[8], ids[3] = {1, 2, 3};
  const hybrid_tendency_function solver_calls = hybrid_binding_tendency;
  const int64_t stages[HYBRID_TENDENCY_SIZES] = {8, 2, 1, 1, 1, 1, 3};
  if (count != 2) return 2;

  expect(strlen(hybrid_version()) > 0, "a version");
  expect_refused(hybrid_closure_load(arguments[1], "auto", NULL), HYBRID_ERROR_ARGUMENT,
                 "expected an address for the closure, got null");
  expect_refused(hybrid_closure_load(NULL, "auto", &closure), HYBRID_ERROR_ARGUMENT,
                 "expected a path, got null");
  expect_refused(hybrid_closure_load(arguments[1], NULL, &closure), HYBRID_ERROR_ARGUMENT,
                 "expected an engine name, got null");
  expect_refused(hybrid_closure_retain(NULL), HYBRID_ERROR_ARGUMENT, "expected a loaded closure");
  expect_refused(hybrid_binding_retain(NULL), HYBRID_ERROR_ARGUMENT, "expected a binding");
  expect(hybrid_closure_manifest(NULL) == NULL, "no manifest of nothing");
  expect(hybrid_closure_blocks(NULL, sizes, 8) == 0, "no blocks of nothing");
  hybrid_closure_free(NULL);
  hybrid_binding_free(NULL);

  expect(hybrid_closure_load(arguments[1], "auto", &closure) == HYBRID_OK, "load");
  expect(strstr(hybrid_closure_manifest(closure), "\"persistence\"") != NULL, "manifest");
  expect(hybrid_closure_blocks(closure, sizes, 8) >= 1, "blocks");
  expect_refused(hybrid_binding_create(NULL, 3, ids, 7, 1, "error", &binding),
                 HYBRID_ERROR_ARGUMENT, "expected a loaded closure");
  expect(hybrid_binding_create(closure, 3, ids, 7, 1, "error", &binding) == HYBRID_OK, "create");
  expect(hybrid_binding_retain(binding) == HYBRID_OK, "retain");
  hybrid_binding_free(binding);
  expect_refused(
      hybrid_binding_bind(binding, "x", x, HYBRID_FLOAT64, 0, &shape, &stride, "column", "1", 0),
      HYBRID_ERROR_SHAPE, "x: expected a rank from 1 to 15, got 0");
  expect_refused(
      hybrid_binding_bind(binding, "x", NULL, HYBRID_FLOAT64, 1, &shape, &stride, "column", "1", 0),
      HYBRID_ERROR_ARGUMENT, "x: expected an array with elements, got none");
  expect_refused(hybrid_binding_bind(binding, "x", x, 16, 1, &shape, &stride, "column", "1", 0),
                 HYBRID_ERROR_KIND, "got 16-byte numbers");
  expect(hybrid_binding_bind(binding, "x", x, HYBRID_FLOAT64, 1, &shape, &stride, "column", "1",
                             0) == HYBRID_OK,
         "bind x");
  expect(hybrid_binding_bind(binding, "x_tendency", tendency, HYBRID_FLOAT64, 1, &shape, &stride,
                             "column", "s-1", 0) == HYBRID_OK,
         "bind x_tendency");
  expect(hybrid_binding_run(binding, 1) == HYBRID_OK, "run");
  expect(hybrid_binding_commit(binding) == HYBRID_OK, "commit");
  expect(hybrid_binding_mask(binding, mask, 3) == HYBRID_OK && mask[0] == 0, "mask");
  expect_refused(hybrid_binding_mask(binding, mask, 2), HYBRID_ERROR_SHAPE,
                 "mask: expected 3 columns, got 2");
  expect(hybrid_binding_state_get(binding, "memory", memory, 15) == HYBRID_OK, "state_get");
  expect_refused(hybrid_binding_state_get(binding, "memory", memory, 3), HYBRID_ERROR_SHAPE,
                 "memory: expected 15 values (columns times elements), got 3");
  expect(hybrid_binding_state_set(binding, "memory", memory, 15) == HYBRID_OK, "state_set");

  expect(hybrid_binding_error(NULL) == NULL, "no error of nothing");
  expect(strlen(hybrid_binding_error(binding)) == 0, "no error yet");
  expect_refused(hybrid_binding_tendency(NULL, 2, 0, x, tendency, stages), HYBRID_ERROR_ARGUMENT,
                 "expected a binding");
  expect_refused(hybrid_binding_tendency(binding, 2, 0, x, tendency, NULL), HYBRID_ERROR_ARGUMENT,
                 "expected sizes, got null");
  expect_refused(solver_calls(binding, 2, 2, x, tendency, stages), HYBRID_ERROR_ARGUMENT,
                 "stage: expected a number from 0 to 1, the last stage of a step, got 2");
  expect(strcmp(hybrid_binding_error(binding), hybrid_last_error()) == 0, "the same message");
  expect(solver_calls(binding, 2, 0, x, tendency, stages) == HYBRID_OK, "first stage");
  expect(hybrid_binding_state_get(binding, "memory", later, 15) == HYBRID_OK, "state_get");
  expect(memcmp(memory, later, sizeof(memory)) == 0, "no new state before the last stage");
  expect(solver_calls(binding, 2, 1, x, tendency, stages) == HYBRID_OK, "last stage");
  expect(hybrid_binding_state_get(binding, "memory", later, 15) == HYBRID_OK, "state_get");
  expect(memcmp(memory, later, sizeof(memory)) != 0, "a new state after the last stage");

  hybrid_closure_free(closure);
  expect(hybrid_binding_run(binding, 2) == HYBRID_OK, "run after the closure was freed");
  hybrid_binding_free(binding);
  expect(hybrid_noise(7, 0, 1, 3, ids, 5, memory) == HYBRID_OK, "noise");
  expect_refused(hybrid_noise(7, 0, 1, 3, ids, 0, memory), HYBRID_ERROR_ARGUMENT,
                 "noise: expected positive sizes");
  return failures != 0;
}
