// W x + b with weights and operands of bf16: products of pairs are added to float32 sums.
//
// One accumulator an output, which begins with the bias and takes the pairs of inputs in order, as
// in matrix.hpp. Vector extensions have no such operation, hence the intrinsics, here alone. For
// kernels.cpp alone: see vectors.hpp.
#pragma once

#include <immintrin.h>

#include "vectors.hpp"

namespace hybrid_native {

namespace {

// Words of two numbers of bf16 each, the first in the lower half.
template <int n>
struct WordVector {
  typedef int32_t Anywhere __attribute__((vector_size(n * 4), aligned(4), may_alias));
  typedef uint16_t Halves __attribute__((vector_size(n * 2)));
};

template <int n>
HYBRID_INLINE Whole<n> load_words(const float *from) {
  return *reinterpret_cast<const typename WordVector<n>::Anywhere *>(from);
}

template <int n>
HYBRID_INLINE void store_words(float *to, Whole<n> words) {
  *reinterpret_cast<typename WordVector<n>::Anywhere *>(to) = words;
}

typedef int32_t Word __attribute__((may_alias));

// The same word in all lanes.
template <int n>
HYBRID_INLINE Whole<n> all_words(const float *from) {
  return *reinterpret_cast<const Word *>(from) - Whole<n>{};
}

// The bits of rounded numbers.
template <int n>
HYBRID_INLINE typename WordVector<n>::Halves rounded(Real<n> x) {
  if constexpr (n == 16)
    return (typename WordVector<n>::Halves)_mm512_cvtneps_pbh(x);
  else
    return (typename WordVector<n>::Halves)_mm256_cvtneps_pbh(x);
}

template <int n>
HYBRID_INLINE Whole<n> paired(Real<n> low, Real<n> high) {
  return __builtin_convertvector(rounded<n>(high), Whole<n>) << 16 |
         __builtin_convertvector(rounded<n>(low), Whole<n>);
}

template <int n>
HYBRID_INLINE Real<n> add_products(Real<n> sum, Whole<n> a, Whole<n> b) {
  if constexpr (n == 16)
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
  else
    return _mm256_dpbf16_ps(sum, (__m256bh)a, (__m256bh)b);
}

// Rows of features as rows of words.
template <int n>
static void round_rows(const float *from, int64_t n_row, int64_t stride, float *to) {
  for (int64_t row = 0; row < n_row; row += 2)
    for (int64_t column = 0; column < stride; column += n) {
      const float *low = from + row * stride + column;
      const Real<n> high = row + 1 < n_row ? load<n>(low + stride) : Real<n>{};
      store_words<n>(to + row / 2 * stride + column, paired<n>(load<n>(low), high));
    }
}

// Some outputs of a panel for `n_vector` vectors of columns.
template <int n, int n_vector, int n_output>
static void multiply_pairs(const float *panel, const float *in, int64_t n_pair, int64_t stride,
                           float *out, int64_t n_out) {
  Real<n> sum[n_output][n_vector];
#pragma GCC unroll 8
  for (int output = 0; output < n_output; ++output)
    for (int v = 0; v < n_vector; ++v) sum[output][v] = all<n>(panel[output]);
  const float *weight = panel + panel_height;
  for (int64_t k = 0; k < n_pair; ++k, weight += panel_height, in += stride) {
    Whole<n> x[n_vector];
    for (int v = 0; v < n_vector; ++v) x[v] = load_words<n>(in + v * n);
#pragma GCC unroll 8
    for (int output = 0; output < n_output; ++output) {
      const Whole<n> w = all_words<n>(weight + output);
      for (int v = 0; v < n_vector; ++v) sum[output][v] = add_products<n>(sum[output][v], x[v], w);
    }
  }
#pragma GCC unroll 8  // else the sums also go through memory
  for (int output = 0; output < n_output; ++output)
    if (output < n_out)
      for (int v = 0; v < n_vector; ++v) store<n>(out + output * stride + v * n, sum[output][v]);
}

// A panel for all columns, `stride` of them with padding.
HYBRID_INLINE void multiply_pairs(const float *panel, const float *in, int64_t n_pair,
                                  int64_t stride, float *out, int64_t n_out) {
  if (stride == short_lanes)
    return multiply_pairs<short_lanes, 1, panel_height>(panel, in, n_pair, stride, out, n_out);
  int64_t left = stride / lanes;
  const auto take = [&](auto multiply, int n_vector) {
    multiply(panel, in, n_pair, stride, out, n_out);
    in += n_vector * lanes;
    out += n_vector * lanes;
    left -= n_vector;
  };
  while (left >= 3) take(multiply_pairs<lanes, 3, panel_height>, 3);
  if (left >= 2) take(multiply_pairs<lanes, 2, panel_height>, 2);
  if (left > 0) take(multiply_pairs<lanes, 1, panel_height>, 1);
}

// One column: features that lie side by side are words as they are.
static void round_one(const float *from, int64_t n_in, float *to) {
  constexpr int n = short_lanes;
  auto *bf16 = reinterpret_cast<char *>(to);
  int64_t first = 0;
  for (; first + n <= n_in; first += n) {
    const auto bits = rounded<n>(load<n>(from + first));
    __builtin_memcpy(bf16 + 2 * first, &bits, sizeof bits);
  }
  if (first == n_in) return;
  Real<n> rest = {};
  for (int i = 0; first + i < n_in; ++i) rest[i] = from[first + i];
  const auto bits = rounded<n>(rest);
  __builtin_memcpy(bf16 + 2 * first, &bits, sizeof bits);
}

// One column: outputs are lanes, and several panels go at once.
template <int n_panel>
static void multiply_one_pairs(const float *panel, const float *in, int64_t n_pair, float *out) {
  constexpr int n = panel_height;
  const int64_t panel_size = panel_height * (n_pair + 1);
  Real<n> sum[n_panel];
  for (int p = 0; p < n_panel; ++p) sum[p] = load<n>(panel + p * panel_size);
  const float *weight = panel + panel_height;
  for (int64_t k = 0; k < n_pair; ++k, weight += panel_height) {
    const Whole<n> x = all_words<n>(in + k);
    for (int p = 0; p < n_panel; ++p)
      sum[p] = add_products<n>(sum[p], x, load_words<n>(weight + p * panel_size));
  }
  for (int p = 0; p < n_panel; ++p) store<n>(out + p * panel_height, sum[p]);
}

HYBRID_INLINE void multiply_one_pairs(const float *panel, const float *in, int64_t n_pair,
                                      float *out, int64_t n_out) {
  int64_t left = (n_out + panel_height - 1) / panel_height;
  const auto take = [&](auto multiply, int n_panel) {
    multiply(panel, in, n_pair, out);
    panel += n_panel * panel_height * (n_pair + 1);
    out += n_panel * panel_height;
    left -= n_panel;
  };
  while (left >= 8) take(multiply_one_pairs<8>, 8);
  if (left >= 4) take(multiply_one_pairs<4>, 4);
  if (left >= 2) take(multiply_one_pairs<2>, 2);
  if (left > 0) take(multiply_one_pairs<1>, 1);
}

}  // namespace

}  // namespace hybrid_native
