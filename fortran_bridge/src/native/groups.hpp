// Sums over features, in an order that does not depend on how many columns there are.
//
// For kernels.cpp alone: see vectors.hpp.
#pragma once

#include "elementwise.hpp"
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

template <int n, class Lane>
HYBRID_INLINE Lane roots(Lane x) {
  for (int i = 0; i < n; ++i) x[i] = root(x[i]);
  return x;
}

// Features of a group with mean 0 and variance 1, times weight, plus bias. `at(i)` is feature i,
// `put(i, value)` takes the result; a `Lane` is a number or a vector of them.
template <class Number, class Lane, class At, class Root, class Put>
HYBRID_INLINE void normalise_group(int64_t count, Number epsilon, At at, Root root, Put put) {
  const Lane mean = sum_of<Lane>(count, [&](Lane sum, int64_t i) { return sum + at(i); }) /
                    static_cast<Number>(count);
  const Lane variance = sum_of<Lane>(count,
                                     [&](Lane sum, int64_t i) {
                                       const Lane difference = at(i) - mean;
                                       return sum + difference * difference;
                                     }) /
                        static_cast<Number>(count);
  const Lane scale = Number{1} / root(variance + epsilon);
  for (int64_t i = 0; i < count; ++i) put(i, (at(i) - mean) * scale);
}

// Weight and bias of feature i, as far as there are some.
template <class Number, class Lane>
HYBRID_INLINE Lane affine(const Instruction &step, int64_t i, Lane x) {
  const auto *weight = static_cast<const Number *>(step.weight);
  const auto *bias = static_cast<const Number *>(step.bias);
  if (weight && bias) return x * weight[i] + bias[i];
  if (weight) return x * weight[i];
  return bias ? x + bias[i] : x;
}

template <int n, class Number>
static void normalise_columns(const Instruction &step, const Number *from, Number *to,
                              int64_t stride) {
  using Lane = Lanes<Number, n>;
  for (int64_t first = 0; first < step.size; first += step.n_group)
    for (int64_t column = 0; column < stride; column += n) {
      const int64_t at = first * stride + column;
      normalise_group<Number, Lane>(
          step.n_group, static_cast<Number>(step.epsilon),
          [=](int64_t i) { return load<n>(from + at + i * stride); },
          [](Lane x) { return roots<n>(x); },
          [=, &step](int64_t i, Lane x) {
            store<n>(to + at + i * stride, affine<Number>(step, i, x));
          });
    }
}

template <class Number>
static void normalise_one(const Instruction &step, const Number *from, Number *to) {
  for (int64_t first = 0; first < step.size; first += step.n_group)
    normalise_group<Number, Number>(
        step.n_group, static_cast<Number>(step.epsilon), [=](int64_t i) { return from[first + i]; },
        [](Number x) { return root(x); },
        [=, &step](int64_t i, Number x) { to[first + i] = affine<Number>(step, i, x); });
}

// In order, one sum a group.
template <class Number>
static void sum_columns(const Instruction &step, const Number *from, Number *to, int64_t stride) {
  for (int64_t group = 0; group < step.size; ++group, from += step.n_group * stride, to += stride) {
    copy(to, from, stride);
    for (int64_t i = 1; i < step.n_group; ++i)
      for (int64_t column = 0; column < stride; ++column) to[column] += from[i * stride + column];
  }
}

}  // namespace

}  // namespace hybrid_native
