// A network by one product of matrices a layer, then one pass for the activation.

#include <algorithm>
#include <vector>

#include "dense_layers.hpp"

namespace {

// BLAS's sgemm as Fortran calls it, without the lengths of its characters.
using sgemm_t = void(const char *transa, const char *transb, const int *m, const int *n,
                     const int *k, const float *alpha, const float *a, const int *lda,
                     const float *b, const int *ldb, const float *beta, float *c, const int *ldc);

struct SgemmNet {
  dense_layers layers;
  sgemm_t *sgemm;
  std::vector<float> values[2];

  void operator()() {
    const int n_column = static_cast<int>(layers.n_column);
    const float one = 1.0f;
    const float *input = layers.features;
    for (int64_t i = 0; i < layers.n_layer; ++i) {
      const int n_input = static_cast<int>(layers.widths[i]);
      const int n_output = static_cast<int>(layers.widths[i + 1]);
      const bool is_last = i + 1 == layers.n_layer;
      float *output = is_last ? layers.results : values[i % 2].data();
      const float *bias = layers.biases[i];
      for (int column = 0; column < n_column; ++column)
        std::copy(bias, bias + n_output, output + static_cast<int64_t>(column) * n_output);
      sgemm("T", "N", &n_output, &n_column, &n_input, &one, layers.weights[i], &n_input, input,
            &n_input, &one, output, &n_output);
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
void *sgemm_open(const dense_layers *layers, sgemm_t *sgemm) {
  const auto *widths = layers->widths;
  const int64_t widest = *std::max_element(widths, widths + layers->n_layer + 1);
  auto *net = new SgemmNet{*layers, sgemm, {}};
  for (auto &values : net->values) values.resize(static_cast<size_t>(widest * layers->n_column));
  return net;
}

int sgemm_call(void *net) {
  (*static_cast<SgemmNet *>(net))();
  return 0;
}

void sgemm_close(void *net) { delete static_cast<SgemmNet *>(net); }

}  // extern "C"
