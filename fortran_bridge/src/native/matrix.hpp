// W x + b: one accumulator an output, which begins with the bias and takes the inputs in order.
//
// For kernels.cpp alone: see vectors.hpp.
#pragma once

#include "vectors.hpp"

namespace hybrid_native {

namespace {

// Some outputs of a panel for `n_vector` vectors of columns.
template <int n, int n_vector, int n_output>
static void multiply_columns(const float *panel, const float *in, int64_t n_in, int64_t stride,
                             float *out, int64_t n_out) {
  Real<n> sum[n_output][n_vector];
#pragma GCC unroll 8
  for (int output = 0; output < n_output; ++output)
    for (int v = 0; v < n_vector; ++v) sum[output][v] = all<n>(panel[output]);
  const float *weight = panel + panel_height;
  for (int64_t k = 0; k < n_in; ++k, weight += panel_height, in += stride) {
    Real<n> x[n_vector];
    for (int v = 0; v < n_vector; ++v) x[v] = load<n>(in + v * n);
#pragma GCC unroll 8
    for (int output = 0; output < n_output; ++output)
      for (int v = 0; v < n_vector; ++v) sum[output][v] += weight[output] * x[v];
  }
#pragma GCC unroll 8  // else the sums go through memory
  for (int output = 0; output < n_output; ++output)
    if (output < n_out)
      for (int v = 0; v < n_vector; ++v) store<n>(out + output * stride + v * n, sum[output][v]);
}

template <int n, int n_vector, int n_output>
HYBRID_INLINE void multiply_panel(const float *panel, const float *in, int64_t n_in, int64_t stride,
                                  float *out, int64_t n_out) {
  for (int first = 0; first < panel_height && first < n_out; first += n_output)
    multiply_columns<n, n_vector, n_output>(panel + first, in, n_in, stride, out + first * stride,
                                            n_out - first);
}

// A panel for all columns, `stride` of them with padding.
HYBRID_INLINE void multiply_panel(const float *panel, const float *in, int64_t n_in, int64_t stride,
                                  float *out, int64_t n_out) {
  if (stride == short_lanes)
    return multiply_panel<short_lanes, 1, panel_height>(panel, in, n_in, stride, out, n_out);
  int64_t left = stride / lanes;
  const auto take = [&](auto multiply, int n_vector) {
    multiply(panel, in, n_in, stride, out, n_out);
    in += n_vector * lanes;
    out += n_vector * lanes;
    left -= n_vector;
  };
  if constexpr (vectors == 3)
    // Two and two, not three and one: a lone vector leaves the arithmetic waiting.
    while (left >= 3 && left != 4) take(multiply_panel<lanes, 3, outputs>, 3);
  while (left >= 2) take(multiply_panel<lanes, 2, outputs>, 2);
  if (left > 0) take(multiply_panel<lanes, 1, outputs>, 1);
}

// One column: outputs are lanes, and several panels go at once.
template <int n_panel>
static void multiply_one(const float *panel, const float *in, int64_t n_in, float *out) {
  constexpr int n = short_lanes, parts = panel_height / n;
  const int64_t panel_size = panel_height * (n_in + 1);
  Real<n> sum[n_panel][parts];
  for (int p = 0; p < n_panel; ++p)
    for (int part = 0; part < parts; ++part)
      sum[p][part] = load<n>(panel + p * panel_size + part * n);
  const float *weight = panel + panel_height;
  for (int64_t k = 0; k < n_in; ++k, weight += panel_height) {
    const Real<n> x = all<n>(in[k]);
    for (int p = 0; p < n_panel; ++p)
      for (int part = 0; part < parts; ++part)
        sum[p][part] += load<n>(weight + p * panel_size + part * n) * x;
  }
  for (int p = 0; p < n_panel; ++p)
    for (int part = 0; part < parts; ++part)
      store<n>(out + p * panel_height + part * n, sum[p][part]);
}

HYBRID_INLINE void multiply_one(const float *panel, const float *in, int64_t n_in, float *out,
                                int64_t n_out) {
  int64_t left = (n_out + panel_height - 1) / panel_height;
  const auto take = [&](auto multiply, int n_panel) {
    multiply(panel, in, n_in, out);
    panel += n_panel * panel_height * (n_in + 1);
    out += n_panel * panel_height;
    left -= n_panel;
  };
  if constexpr (short_lanes == panel_height)
    while (left >= 8) take(multiply_one<8>, 8);
  while (left >= 4) take(multiply_one<4>, 4);
  if (left >= 2) take(multiply_one<2>, 2);
  if (left > 0) take(multiply_one<1>, 1);
}

}  // namespace

}  // namespace hybrid_native
