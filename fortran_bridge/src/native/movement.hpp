// Values into, out of and inside the workspace.
//
// For kernels.cpp alone: see vectors.hpp.
#pragma once

#include "vectors.hpp"

namespace hybrid_native {

namespace {

// to[j * to_stride + i] = from[i * from_stride + j] for four by four numbers.
template <class Number>
HYBRID_INLINE void transpose_four(const Number *from, int64_t from_stride, Number *to,
                                  int64_t to_stride) {
  using Lane = Lanes<Number, 4>;
  const Lane a = load<4>(from), b = load<4>(from + from_stride);
  const Lane c = load<4>(from + 2 * from_stride), d = load<4>(from + 3 * from_stride);
  const Lane ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Lane ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Lane cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Lane cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  store<4>(to, __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5));
  store<4>(to + to_stride, __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7));
  store<4>(to + 2 * to_stride, __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5));
  store<4>(to + 3 * to_stride, __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7));
}

// The same for `n_row` rows i of `n_number` numbers j.
template <class Number>
static void transpose(const Number *from, int64_t from_stride, Number *to, int64_t to_stride,
                      int64_t n_row, int64_t n_number) {
  // Four numbers are a vector, but for float64 of the oldest processors.
  constexpr bool by_fours = 4 * sizeof(Number) <= lanes * sizeof(float);
  const int64_t rows = by_fours ? n_row & ~int64_t{3} : 0, numbers = n_number & ~int64_t{3};
  for (int64_t i = 0; i < rows; i += 4) {
    for (int64_t j = 0; j < numbers; j += 4)
      if constexpr (by_fours)
        transpose_four(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
    for (int64_t j = numbers; j < n_number; ++j)
      for (int64_t k = i; k < i + 4; ++k) to[j * to_stride + k] = from[k * from_stride + j];
  }
  for (int64_t i = rows; i < n_row; ++i)
    for (int64_t j = 0; j < n_number; ++j) to[j * to_stride + i] = from[i * from_stride + j];
}

// Features of the caller's columns as rows; what pads them is zero.
template <class Number>
static void load_features(const Number *argument, int64_t n_feature, int64_t first, int64_t count,
                          const Columns &columns, Number *to) {
  transpose(argument + first, n_feature, to, columns.stride, columns.n, count);
  for (int64_t row = 0; columns.n < columns.stride && row < count; ++row)
    for (int64_t column = columns.n; column < columns.stride; ++column)
      to[row * columns.stride + column] = 0;
}

// Where a value begins in the workspace.
template <class Number>
HYBRID_INLINE Number *value_at(const Columns &columns, int64_t row) {
  return reinterpret_cast<Number *>(columns.rows + row * columns.stride);
}

// Features of the one choice where the operand is not 0, else of the other; `stride`, that of the
// columns, is known to be 1 of a single one.
template <class Number>
static void select(const Instruction &step, const Columns &columns, int64_t stride, Number *to) {
  const auto *condition = value_at<const Number>(columns, step.from);
  const auto *one = value_at<const Number>(columns, step.choice[0]);
  const auto *other = value_at<const Number>(columns, step.choice[1]);
  const bool is_one_run = step.step[0] && step.step[1] && step.step[2];
  const int64_t count = is_one_run ? step.size * stride : stride;
  for (int64_t done = 0; done < step.size * stride; done += count) {
    for (int64_t i = 0; i < count; ++i) to[i] = condition[i] != 0 ? one[i] : other[i];
    condition += step.step[0] * count;
    one += step.step[1] * count;
    other += step.step[2] * count;
    to += count;
  }
}

// Numbers of one type in another.
template <class To, class From>
static void cast(To *to, const From *from, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<To>(from[i]);
}

// Some columns of several values as features of each, and back.
static void take_columns(const Rows *values, int64_t n_value, const float *rows, int64_t stride,
                         const int64_t *column, int64_t n, float *to, int64_t n_feature) {
  for (const Rows *value = values; value != values + n_value; ++value)
    for (int64_t feature = 0; feature < value->n; ++feature, ++to) {
      const float *from = rows + (value->first + feature) * stride;
      for (int64_t i = 0; i < n; ++i) to[i * n_feature] = from[column[i]];
    }
}

static void put_columns(const Rows *values, int64_t n_value, float *rows, int64_t stride,
                        const int64_t *column, int64_t n, const float *from, int64_t n_feature) {
  for (const Rows *value = values; value != values + n_value; ++value)
    for (int64_t feature = 0; feature < value->n; ++feature, ++from) {
      float *to = rows + (value->first + feature) * stride;
      for (int64_t i = 0; i < n; ++i) to[column[i]] = from[i * n_feature];
    }
}

template <class Number>
HYBRID_INLINE void copy(Number *to, const Number *from, int64_t count) {
  __builtin_memcpy(to, from, static_cast<uint64_t>(count) * sizeof(Number));
}

}  // namespace

}  // namespace hybrid_native
