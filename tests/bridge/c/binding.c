/* Bound arrays: run, commit, state, timers, and the function that a solver calls. */
#include "expect.h"

enum { n = 3, n_memory = 15 };

static const int64_t ids[n] = {1, 2, 3}, shape = n, stride = sizeof(double);

static void bind(hybrid_binding *binding, double *x, double *tendency) {
  EXPECT_REFUSED(
      hybrid_binding_bind(binding, "x", x, HYBRID_FLOAT64, 0, &shape, &stride, "column", "1", 0),
      HYBRID_ERROR_SHAPE, "x: expected a rank from 1 to 15, got 0");
  EXPECT_REFUSED(
      hybrid_binding_bind(binding, "x", NULL, HYBRID_FLOAT64, 1, &shape, &stride, "column", "1", 0),
      HYBRID_ERROR_ARGUMENT, "x: expected an array with elements, got none");
  EXPECT_REFUSED(
      hybrid_binding_bind(binding, "x", x, HYBRID_FLOAT64, 1, NULL, &stride, "column", "1", 0),
      HYBRID_ERROR_ARGUMENT, "expected a shape, got null");
  EXPECT_REFUSED(hybrid_binding_bind(binding, "x", x, 16, 1, &shape, &stride, "column", "1", 0),
                 HYBRID_ERROR_KIND, "got 16-byte numbers");
  EXPECT_OK(
      hybrid_binding_bind(binding, "x", x, HYBRID_FLOAT64, 1, &shape, &stride, "column", "1", 0));
  EXPECT_OK(hybrid_binding_bind(binding, "x_tendency", tendency, HYBRID_FLOAT64, 1, &shape, &stride,
                                "column", "s-1", 0));
}

static void state(hybrid_binding *binding, double *memory) {
  EXPECT_OK(hybrid_binding_run(binding, 1));
  EXPECT_OK(hybrid_binding_state_get(binding, "memory", memory, n_memory));
  EXPECT(memory[0] == 0.0);
  EXPECT_OK(hybrid_binding_commit(binding));
  EXPECT_REFUSED(hybrid_binding_commit(binding), HYBRID_ERROR_ORDER, "expected a run before");
  EXPECT_OK(hybrid_binding_state_get(binding, "memory", memory, n_memory));
  EXPECT(memory[0] != 0.0);
  EXPECT_REFUSED(hybrid_binding_state_get(binding, "memory", memory, 3), HYBRID_ERROR_SHAPE,
                 "memory: expected 15 values (columns times elements), got 3");
  EXPECT_OK(hybrid_binding_state_set(binding, "memory", memory, n_memory));
  EXPECT_REFUSED(hybrid_binding_state_set(binding, "memory", NULL, n_memory), HYBRID_ERROR_ARGUMENT,
                 "expected an array, got null");
}

static void tendency_of(hybrid_binding *binding, double *x, double *tendency, double *memory) {
  const hybrid_tendency_function solver_calls = hybrid_binding_tendency;
  const int64_t stages[HYBRID_TENDENCY_SIZES] = {8, 2, 1, 1, 1, 1, n};
  double later[n_memory];
  EXPECT(hybrid_binding_error(NULL) == NULL);
  EXPECT(strlen(hybrid_binding_error(binding)) == 0);
  EXPECT_REFUSED(solver_calls(NULL, 2, 0, x, tendency, stages), HYBRID_ERROR_ARGUMENT,
                 "expected a binding");
  EXPECT_REFUSED(solver_calls(binding, 2, 0, x, tendency, NULL), HYBRID_ERROR_ARGUMENT,
                 "expected sizes, got null");
  EXPECT_REFUSED(solver_calls(binding, 2, 2, x, tendency, stages), HYBRID_ERROR_ARGUMENT,
                 "stage: expected a number from 0 to 1, the last stage of a step, got 2");
  EXPECT(strcmp(hybrid_binding_error(binding), hybrid_last_error()) == 0);
  EXPECT_OK(hybrid_binding_tendency(binding, 2, 0, x, tendency, stages));
  EXPECT_OK(hybrid_binding_state_get(binding, "memory", later, n_memory));
  EXPECT(memcmp(memory, later, sizeof(later)) == 0);
  EXPECT_OK(hybrid_binding_tendency(binding, 2, 1, x, tendency, stages));
  EXPECT_OK(hybrid_binding_state_get(binding, "memory", later, n_memory));
  EXPECT(memcmp(memory, later, sizeof(later)) != 0);
}

static void timers(const hybrid_binding *binding, int64_t expected) {
  int64_t n_run = -1;
  double packing = -1, engine = -1, unpacking = -1;
  EXPECT_OK(hybrid_binding_timers(binding, &n_run, &packing, &engine, &unpacking));
  EXPECT(n_run == expected && packing > 0 && engine > 0 && unpacking > 0);
  EXPECT_OK(hybrid_binding_timers(binding, NULL, NULL, NULL, NULL));
  EXPECT_REFUSED(hybrid_binding_timers(NULL, &n_run, NULL, NULL, NULL), HYBRID_ERROR_ARGUMENT,
                 "expected a binding");
}

/* A rank without columns has no arrays either. */
static void nothing(const hybrid_closure *closure) {
  hybrid_binding *binding = NULL;
  const int64_t none = 0, stages[HYBRID_TENDENCY_STAGES + 1] = {[HYBRID_TENDENCY_STAGES] = 1};
  EXPECT_REFUSED(hybrid_binding_create(closure, -1, NULL, 7, 1, "error", &binding),
                 HYBRID_ERROR_ARGUMENT, "expected a number of columns, got -1");
  EXPECT_OK(hybrid_binding_create(closure, 0, NULL, 7, 1, "error", &binding));
  EXPECT_OK(
      hybrid_binding_bind(binding, "x", NULL, HYBRID_FLOAT64, 1, &none, &stride, "column", "1", 0));
  EXPECT_OK(hybrid_binding_bind(binding, "x_tendency", NULL, HYBRID_FLOAT64, 1, &none, &stride,
                                "column", "s-1", 1));
  EXPECT_OK(hybrid_binding_run(binding, 1));
  EXPECT_OK(hybrid_binding_commit(binding));
  EXPECT_OK(hybrid_binding_tendency(binding, 2, 0, NULL, NULL, stages));
  EXPECT_OK(hybrid_binding_mask(binding, NULL, 0));
  EXPECT_OK(hybrid_binding_state_get(binding, "memory", NULL, 0));
  EXPECT_OK(hybrid_binding_state_set(binding, "memory", NULL, 0));
  hybrid_binding_free(binding);
}

int main(int n_argument, char **arguments) {
  hybrid_closure *closure = NULL;
  hybrid_binding *binding = NULL;
  double x[n] = {0.5, -0.5, 0.25}, tendency[n], memory[n_memory];
  if (n_argument != 2) return 2;
  EXPECT_OK(hybrid_closure_load(arguments[1], "auto", "cpu", 1, &closure));
  EXPECT_REFUSED(hybrid_binding_create(NULL, n, ids, 7, 1, "error", &binding),
                 HYBRID_ERROR_ARGUMENT, "expected a loaded closure");
  EXPECT_REFUSED(hybrid_binding_create(closure, n, ids, 7, 1, NULL, &binding),
                 HYBRID_ERROR_ARGUMENT, "expected a policy, got null");
  EXPECT_REFUSED(hybrid_binding_create(closure, n, ids, 7, 1, "error", NULL), HYBRID_ERROR_ARGUMENT,
                 "expected an address for the binding, got null");
  EXPECT_OK(hybrid_binding_create(closure, n, ids, 7, 1, "error", &binding));
  EXPECT_REFUSED(hybrid_binding_retain(NULL), HYBRID_ERROR_ARGUMENT, "expected a binding");
  EXPECT_OK(hybrid_binding_retain(binding));
  hybrid_binding_free(binding);
  hybrid_binding_free(NULL);

  bind(binding, x, tendency);
  state(binding, memory);
  tendency_of(binding, x, tendency, memory);
  timers(binding, 3);
  nothing(closure);
  hybrid_closure_free(closure);
  EXPECT_OK(hybrid_binding_run(binding, 2)); /* it keeps what it needs */
  timers(binding, 4);
  hybrid_binding_free(binding);
  return failures != 0;
}
