// Sums over features, in an order that does not depend on how many columns there are.
//
// For kernels.cpp alone: see vectors.hpp.
#pragma once

#include "movement.hpp"

namespace hybrid_native {

namespace {

// A sum goes to eight partial sums in turn: vectors of columns, or the lanes of a single column.
constexpr int parts = 8;

template <class Number>
HYBRID_INLINE Number together(const Number *part) {
  return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

// Sum of term(i) for i < count.
template <class Number, class Term>
HYBRID_INLINE Number sum_of(int64_t count, Term term) {
  Number part[parts] = {};
  int64_t i = 0;
  for (; i + parts <= count; i += parts)
    for (int j = 0; j < parts; ++j) part[j] = term(part[j], i + j);
  for (int j = 0; i < count; ++i, ++j) part[j] = term(part[j], i);
  return together(part);
}

HYBRID_INLINE float root(float x) { return __builtin_sqrtf(x); }

template <int n>
HYBRID_INLINE Real<n> roots(Real<n> x) {
  for (int i = 0; i < n; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
}

// Features of a group with mean 0 and variance 1, times weight, plus bias. `at(i)` is feature i,
// `put(i, value)` takes the result.
template <class Number, class At, class Root, class Put>
HYBRID_INLINE void normalise_group(int64_t count, float epsilon, At at, Root root, Put put) {
  const Number mean = sum_of<Number>(count, [&](Number sum, int64_t i) { return sum + at(i); }) /
                      static_cast<float>(count);
  const Number variance = sum_of<Number>(count,
                                         [&](Number sum, int64_t i) {
                                           const Number difference = at(i) - mean;
                                           return sum + difference * difference;
                                         }) /
                          static_cast<float>(count);
  const Number scale = 1.0f / root(variance + epsilon);
  for (int64_t i = 0; i < count; ++i) put(i, (at(i) - mean) * scale);
}

// Weight and bias of feature i, as far as there are some.
template <class Number>
HYBRID_INLINE Number affine(const Instruction &step, int64_t i, Number x) {
  if (step.weight && step.bias) return x * step.weight[i] + step.bias[i];
  if (step.weight) return x * step.weight[i];
  return step.bias ? x + step.bias[i] : x;
}

template <int n>
static void normalise_columns(const Instruction &step, const float *from, float *to,
                              int64_t stride) {
  for (int64_t first = 0; first < step.size; first += step.n_group)
    for (int64_t column = 0; column < stride; column += n) {
      const int64_t at = first * stride + column;
      normalise_group<Real<n>>(
          step.n_group, step.epsilon, [=](int64_t i) { return load<n>(from + at + i * stride); },
          [](Real<n> x) { return roots<n>(x); },
          [=, &step](int64_t i, Real<n> x) { store<n>(to + at + i * stride, affine(step, i, x)); });
    }
}

static void normalise_one(const Instruction &step, const float *from, float *to) {
  for (int64_t first = 0; first < step.size; first += step.n_group)
    normalise_group<float>(
        step.n_group, step.epsilon, [=](int64_t i) { return from[first + i]; }, root,
        [=, &step](int64_t i, float x) { to[first + i] = affine(step, i, x); });
}

// In order, one sum a group.
static void sum_columns(const Instruction &step, const float *from, float *to, int64_t stride) {
  for (int64_t group = 0; group < step.size; ++group, from += step.n_group * stride, to += stride) {
    copy(to, from, stride);
    for (int64_t i = 1; i < step.n_group; ++i)
      for (int64_t column = 0; column < stride; ++column) to[column] += from[i * stride + column];
  }
}

}  // namespace

}  // namespace hybrid_native
