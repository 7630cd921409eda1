// W x + b in float64, in the order of matrix.hpp: one accumulator an output, which begins with the
// bias and takes the inputs in order.
//
// For kernels.cpp alone: see vectors.hpp.
#pragma once

#include "vectors.hpp"

namespace hybrid_native {

namespace {

// Some outputs of a panel for `n_vector` vectors of columns.
template <int n_vector>
static void multiply_columns(const double *panel, const double *in, int64_t n_in, int64_t stride,
                             double *out, int64_t n_out) {
  constexpr int n = double_lanes;
  Double<n> sum[outputs][n_vector];
  for (int output = 0; output < outputs; ++output)
    for (int v = 0; v < n_vector; ++v) sum[output][v] = all<n>(panel[output]);
  const double *weight = panel + panel_height;
  for (int64_t k = 0; k < n_in; ++k, weight += panel_height, in += stride) {
    Double<n> x[n_vector];
    for (int v = 0; v < n_vector; ++v) x[v] = load<n>(in + v * n);
    for (int output = 0; output < outputs; ++output)
      for (int v = 0; v < n_vector; ++v) sum[output][v] += weight[output] * x[v];
  }
  for (int output = 0; output < outputs && output < n_out; ++output)
    for (int v = 0; v < n_vector; ++v) store<n>(out + output * stride + v * n, sum[output][v]);
}

// A panel for all columns, `stride` of them with padding.
HYBRID_INLINE void multiply_panel(const double *panel, const double *in, int64_t n_in,
                                  int64_t stride, double *out, int64_t n_out) {
  for (int64_t first = 0; first < n_out; first += outputs) {
    const auto take = [&](auto multiply, int64_t column) {
      multiply(panel + first, in + column, n_in, stride, out + first * stride + column,
               n_out - first);
    };
    int64_t column = 0;
    for (; column + 2 * double_lanes <= stride; column += 2 * double_lanes)
      take(multiply_columns<2>, column);
    if (column < stride) take(multiply_columns<1>, column);
  }
}

// One column: outputs are lanes.
HYBRID_INLINE void multiply_one(const double *panel, const double *in, int64_t n_in, double *out,
                                int64_t n_out) {
  constexpr int n = double_lanes, parts = panel_height / n;
  for (int64_t first = 0; first < n_out; first += panel_height) {
    Double<n> sum[parts];
    for (int part = 0; part < parts; ++part) sum[part] = load<n>(panel + part * n);
    panel += panel_height;
    for (int64_t k = 0; k < n_in; ++k, panel += panel_height)
      for (int part = 0; part < parts; ++part)
        sum[part] += load<n>(panel + part * n) * all<n>(in[k]);
    for (int part = 0; part < parts; ++part) store<n>(out + first + part * n, sum[part]);
  }
}

}  // namespace

}  // namespace hybrid_native
