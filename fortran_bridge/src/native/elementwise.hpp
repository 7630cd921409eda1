// Operations on each number of a value: one pass over memory that is in the first cache.
//
// For kernels.cpp alone: see vectors.hpp.
#pragma once

#include "activations.hpp"

namespace hybrid_native {

namespace {

// to[i] = function(from[i]) for whole vectors; in place too.
template <int n, class Function>
HYBRID_INLINE void map(float *to, const float *from, int64_t count, Function function) {
  for (int64_t i = 0; i < count; i += n) store<n>(to + i, function(load<n>(from + i)));
}

// to[i] = function(from[i], with[i]).
template <int n, class Function>
HYBRID_INLINE void map(float *to, const float *from, const float *with, int64_t count,
                       Function function) {
  for (int64_t i = 0; i < count; i += n)
    store<n>(to + i, function(load<n>(from + i), load<n>(with + i)));
}

HYBRID_INLINE void square_roots(float *to, const float *from, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = __builtin_sqrtf(from[i]);
}

template <int n>
HYBRID_INLINE Real<n> power(Real<n> x, int32_t exponent) {
  Real<n> product = x;
  for (int32_t i = 1; i < exponent; ++i) product *= x;
  return product;
}

// Operations without a second operand.
template <int n>
static void apply(const Elementwise &step, float *to, const float *from, int64_t count) {
  using R = Real<n>;
  const float number = step.number;
  switch (step.operation) {
    case Operation::relu:
      return map<n>(to, from, count, [](R x) { return x < 0.0f ? R{} : x; });
    case Operation::leaky_relu:
      return map<n>(to, from, count, [=](R x) { return x > 0.0f ? x : x * number; });
    case Operation::elu:
      return map<n>(to, from, count,
                    [=](R x) { return x > 0.0f ? x : exp_less_one<n>(x) * number; });
    case Operation::sigmoid:
      return map<n>(to, from, count, [](R x) { return Sigmoid::of<n>(x); });
    case Operation::silu:
      return map<n>(to, from, count, [](R x) { return Silu::of<n>(x); });
    case Operation::tanh:
      return map<n>(to, from, count, [](R x) { return Tanh::of<n>(x); });
    case Operation::gelu:
      return map<n>(to, from, count, [](R x) { return Gelu::of<n>(x); });
    case Operation::gelu_tanh:
      return map<n>(to, from, count, [](R x) { return GeluTanh::of<n>(x); });
    case Operation::exp:
      return map<n>(to, from, count, [](R x) { return Exp::of<n>(x); });
    case Operation::log:
      return map<n>(to, from, count, [](R x) { return Log::of<n>(x); });
    case Operation::sqrt:
      return square_roots(to, from, count);
    case Operation::negative:
      return map<n>(to, from, count, [](R x) { return -x; });
    case Operation::absolute:
      return map<n>(to, from, count, [](R x) { return magnitude<n>(x); });
    case Operation::reciprocal:
      return map<n>(to, from, count, [](R x) { return 1.0f / x; });
    case Operation::square:
      return map<n>(to, from, count, [](R x) { return x * x; });
    case Operation::clamp_low:  // NaN is neither below nor above
      return map<n>(to, from, count, [=](R x) { return x < number ? all<n>(number) : x; });
    case Operation::clamp_high:
      return map<n>(to, from, count, [=](R x) { return x > number ? all<n>(number) : x; });
    case Operation::power:
      return map<n>(to, from, count, [&](R x) { return power<n>(x, step.exponent); });
    default:
      return;
  }
}

// The lesser, or the greater; NaN if either is.
template <int n>
HYBRID_INLINE Real<n> lesser(Real<n> a, Real<n> b) {
  return (a < b) | (a != a) ? a : b;
}

template <int n>
HYBRID_INLINE Real<n> greater(Real<n> a, Real<n> b) {
  return (a > b) | (a != a) ? a : b;
}

template <int n>
HYBRID_INLINE Real<n> truth(Whole<n> is_true) {
  return is_true ? all<n>(1.0f) : Real<n>{};
}

// Operations with a second operand: `visit(function)`.
template <int n, class Visit>
HYBRID_INLINE void with_function(Operation operation, Visit visit) {
  using R = Real<n>;
  switch (operation) {
    case Operation::add:
      return visit([](R x, R y) { return x + y; });
    case Operation::subtract:
      return visit([](R x, R y) { return x - y; });
    case Operation::subtract_from:
      return visit([](R x, R y) { return y - x; });
    case Operation::multiply:
      return visit([](R x, R y) { return x * y; });
    case Operation::divide:
      return visit([](R x, R y) { return x / y; });
    case Operation::divide_into:
      return visit([](R x, R y) { return y / x; });
    case Operation::minimum:
      return visit([](R x, R y) { return lesser<n>(x, y); });
    case Operation::maximum:
      return visit([](R x, R y) { return greater<n>(x, y); });
    case Operation::less:
      return visit([](R x, R y) { return truth<n>(x < y); });
    case Operation::greater:
      return visit([](R x, R y) { return truth<n>(x > y); });
    case Operation::less_equal:
      return visit([](R x, R y) { return truth<n>(x <= y); });
    case Operation::greater_equal:
      return visit([](R x, R y) { return truth<n>(x >= y); });
    case Operation::equal:
      return visit([](R x, R y) { return truth<n>(x == y); });
    default:
      return;
  }
}

// The second operand is as long as the first.
template <int n>
static void apply_values(Operation operation, float *to, const float *from, const float *with,
                         int64_t count) {
  with_function<n>(operation, [=](auto function) { map<n>(to, from, with, count, function); });
}

// It is one row of numbers for all features.
template <int n>
static void apply_row(Operation operation, float *to, const float *from, const float *with,
                      int64_t n_row, int64_t stride) {
  with_function<n>(operation, [=](auto function) {
    for (int64_t row = 0; row < n_row; ++row)
      map<n>(to + row * stride, from + row * stride, with, stride, function);
  });
}

// It is one number for each feature, or for all.
template <int n>
static void apply_numbers(Operation operation, float *to, const float *from, const float *with,
                          int64_t step, int64_t n_row, int64_t stride) {
  with_function<n>(operation, [=](auto function) {
    for (int64_t row = 0; row < n_row; ++row) {
      const Real<n> number = all<n>(with[row * step]);
      map<n>(to + row * stride, from + row * stride, stride,
             [=](Real<n> x) { return function(x, number); });
    }
  });
}

}  // namespace

}  // namespace hybrid_native
