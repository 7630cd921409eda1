// A network by one product of matrices a layer, of a matrix and a vector where there is but one
// column, then one pass for the activation.

#include <algorithm>
#include <vector>

#include "dense_layers.hpp"

namespace {

// BLAS's functions as Fortran calls them, without the lengths of their characters.
using sgemm_t = void(const char *transa, const char *transb, const int *m, const int *n,
                     const int *k, const float *alpha, const float *a, const int *lda,
                     const float *b, const int *ldb, const float *beta, float *c, const int *ldc);
using sgemv_t = void(const char *trans, const int *m, const int *n, const float *alpha,
                     const float *a, const int *lda, const float *x, const int *incx,
                     const float *beta, float *y, const int *incy);

struct SgemmNet {
  dense_layers layers;
  sgemm_t *sgemm;
  sgemv_t *sgemv;
  std::vector<float> values[2];

  void operator()() {
    const int n_column = static_cast<int>(layers.n_column);
    const float one = 1.0f;
    const int side_by_side = 1;
    const float *input = layers.features;
    for (int64_t i = 0; i < layers.n_layer; ++i) {
      const int n_input = static_cast<int>(layers.widths[i]);
      const int n_output = static_cast<int>(layers.widths[i + 1]);
      const bool is_last = i + 1 == layers.n_layer;
      float *output = is_last ? layers.results : values[i % 2].data();
      const float *bias = layers.biases[i];
      for (int column = 0; column < n_column; ++column)
        std::copy(bias, bias + n_output, output + static_cast<int64_t>(column) * n_output);
      const float *weights = layers.weights[i];
      if (n_column == 1)
        sgemv("T", &n_input, &n_output, &one, weights, &n_input, input, &side_by_side, &one, output,
              &side_by_side);
      else
        sgemm("T", "N", &n_output, &n_column, &n_input, &one, weights, &n_input, input, &n_input,
              &one, output, &n_output);
      const int64_t n = static_cast<int64_t>(n_column) * n_output;
      if (!is_last)
        for (int64_t j = 0; j < n; ++j) output[j] = std::max(output[j], layers.slope * output[j]);
      input = output;
    }
  }
};

}  // namespace

extern "C" {

// What `layers` points to, and what that points to, must outlive the call that is made of it.
void *sgemm_open(const dense_layers *layers, sgemm_t *sgemm, sgemv_t *sgemv) {
  const auto *widths = layers->widths;
  const int64_t widest = *std::max_element(widths, widths + layers->n_layer + 1);
  auto *net = new SgemmNet{*layers, sgemm, sgemv, {}};
  for (auto &values : net->values) values.resize(static_cast<size_t>(widest * layers->n_column));
  return net;
}

int sgemm_call(void *net) {
  (*static_cast<SgemmNet *>(net))();
  return 0;
}

void sgemm_close(void *net) { delete static_cast<SgemmNet *>(net); }

}  // extern "C"
