/* A grid closure, a circular mean of neighbours, on a grid whose sizes the archive leaves open. */
#include <math.h>

#include "expect.h"

enum { n_member = 2, ny = 8, nx = 12 };

static double q[n_member][ny][nx], tendency[n_member][ny][nx];
static const int64_t sizes[2] = {ny, nx}, ids[n_member] = {3, 4};
static const double spacing[2] = {2.0, 1.0}, coarse[2] = {4.0, 1.0};

static int create(const hybrid_closure *closure, const int64_t *points, const double *distance,
                  const char *boundary, hybrid_binding **binding) {
  return hybrid_binding_create_grid(closure, n_member, ids, "y,x", points, distance, boundary, 0, 1,
                                    "error", binding);
}

int main(int n_argument, char **arguments) {
  hybrid_closure *closure = NULL;
  hybrid_binding *binding = NULL;
  const int64_t shape[3] = {n_member, ny, nx};
  const int64_t stride[3] = {sizeof(q[0]), sizeof(q[0][0]), sizeof(double)};
  const char *periodic = "periodic,periodic";
  double expected;
  if (n_argument != 2) return 2;
  EXPECT_OK(hybrid_closure_load(arguments[1], "auto", "cpu", 1, &closure));
  EXPECT(hybrid_closure_field_size(closure, "q") == 1);
  EXPECT_REFUSED(create(closure, NULL, spacing, periodic, &binding), HYBRID_ERROR_ARGUMENT,
                 "expected the sizes of the grid, got null");
  EXPECT_REFUSED(create(closure, sizes, NULL, periodic, &binding), HYBRID_ERROR_ARGUMENT,
                 "expected the spacing of the grid, got null");
  EXPECT_REFUSED(create(closure, sizes, coarse, periodic, &binding), HYBRID_ERROR_SHAPE,
                 "expected a grid with spacing 2 along 'y'");
  EXPECT_REFUSED(create(closure, sizes, spacing, "periodic,wall", &binding), HYBRID_ERROR_SHAPE,
                 "expected boundary 'periodic' along 'x', got 'wall'");
  EXPECT_REFUSED(hybrid_binding_create(closure, n_member, ids, 0, 1, "error", &binding),
                 HYBRID_ERROR_SHAPE, "create the binding with create_grid");
  EXPECT(binding == NULL);
  EXPECT_OK(create(closure, sizes, spacing, periodic, &binding));
  hybrid_closure_free(closure);

  for (int y = 0; y < ny; ++y)
    for (int x = 0; x < nx; ++x) {
      q[0][y][x] = 0.01 * (y * nx + x);
      q[1][y][x] = 1.0;
    }
  EXPECT_OK(hybrid_binding_bind(binding, "q", q, HYBRID_FLOAT64, 3, shape, stride, "member,y,x",
                                "s-1", 0));
  EXPECT_OK(hybrid_binding_bind(binding, "q_tendency", tendency, HYBRID_FLOAT64, 3, shape, stride,
                                "member,y,x", "s-2", 0));
  EXPECT_OK(hybrid_binding_run(binding, 0));
  expected = 0.25 * (q[0][0][1] + q[0][0][nx - 1] + q[0][1][0] + q[0][ny - 1][0]) - q[0][0][0];
  EXPECT(fabs(tendency[0][0][0] - expected) < 1e-12);
  EXPECT(fabs(tendency[1][3][5]) < 1e-12);
  hybrid_binding_free(binding);
  return failures != 0;
}
