// A network of dense layers with LeakyReLU between, as it comes from Python.

#pragma once

#include <cstdint>

extern "C" {

// Layer i has weights (widths[i + 1], widths[i]) and biases (widths[i + 1]), rows contiguous.
// Features are (n_column, widths[0]), results (n_column, widths[n_layer]).
struct dense_layers {
  int64_t n_layer;
  const int64_t *widths;
  const float *const *weights;
  const float *const *biases;
  float slope;
  int64_t n_column;
  const float *features;
  float *results;
};

}  // extern "C"
