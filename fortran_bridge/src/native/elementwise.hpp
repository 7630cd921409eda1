// Operations on each number of a value: one pass over memory that is in the first cache.
//
// For kernels.cpp alone: see vectors.hpp.
#pragma once

#include "double_activations.hpp"

namespace hybrid_native {

namespace {

// to[i] = function(from[i]) for whole vectors; in place too.
template <int n, class Number, class Function>
HYBRID_INLINE void map(Number *to, const Number *from, int64_t count, Function function) {
  for (int64_t i = 0; i < count; i += n) store<n>(to + i, function(load<n>(from + i)));
}

// to[i] = function(from[i], with[i]).
template <int n, class Number, class Function>
HYBRID_INLINE void map(Number *to, const Number *from, const Number *with, int64_t count,
                       Function function) {
  for (int64_t i = 0; i < count; i += n)
    store<n>(to + i, function(load<n>(from + i), load<n>(with + i)));
}

HYBRID_INLINE float root(float x) { return __builtin_sqrtf(x); }
HYBRID_INLINE double root(double x) { return __builtin_sqrt(x); }

template <class Number>
HYBRID_INLINE void square_roots(Number *to, const Number *from, int64_t count) {
  for (int64_t i = 0; i < count; ++i) to[i] = root(from[i]);
}

template <class Lane>
HYBRID_INLINE Lane power(Lane x, int32_t exponent) {
  Lane product = x;
  for (int32_t i = 1; i < exponent; ++i) product *= x;
  return product;
}

// Operations without a second operand.
template <class Number, int n>
static void apply(const Elementwise &step, Number *to, const Number *from, int64_t count) {
  using R = Lanes<Number, n>;
  using Of = Functions<Number>;
  constexpr Number zero = 0, one = 1;
  const auto number = static_cast<Number>(step.number);
  switch (step.operation) {
    case Operation::relu:
      return map<n>(to, from, count, [](R x) { return x < zero ? R{} : x; });
    case Operation::leaky_relu:
      return map<n>(to, from, count, [=](R x) { return x > zero ? x : x * number; });
    case Operation::elu:
      return map<n>(to, from, count,
                    [=](R x) { return x > zero ? x : Of::ExpLessOne::template of<n>(x) * number; });
    case Operation::sigmoid:
      return map<n>(to, from, count, [](R x) { return Of::Sigmoid::template of<n>(x); });
    case Operation::silu:
      return map<n>(to, from, count, [](R x) { return Of::Silu::template of<n>(x); });
    case Operation::tanh:
      return map<n>(to, from, count, [](R x) { return Of::Tanh::template of<n>(x); });
    case Operation::gelu:
      if constexpr (sizeof(Number) == sizeof(float))  // there is none of float64
        return map<n>(to, from, count, [](R x) { return Gelu::of<n>(x); });
      return;
    case Operation::gelu_tanh:
      return map<n>(to, from, count, [](R x) { return Of::GeluTanh::template of<n>(x); });
    case Operation::exp:
      return map<n>(to, from, count, [](R x) { return Of::Exp::template of<n>(x); });
    case Operation::log:
      return map<n>(to, from, count, [](R x) { return Of::Log::template of<n>(x); });
    case Operation::sqrt:
      return square_roots(to, from, count);
    case Operation::negative:
      return map<n>(to, from, count, [](R x) { return -x; });
    case Operation::absolute:
      return map<n>(to, from, count, [](R x) { return magnitude<n>(x); });
    case Operation::reciprocal:
      return map<n>(to, from, count, [](R x) { return one / x; });
    case Operation::square:
      return map<n>(to, from, count, [](R x) { return x * x; });
    case Operation::clamp_low:  // NaN is neither below nor above
      return map<n>(to, from, count, [=](R x) { return x < number ? all<n>(number) : x; });
    case Operation::clamp_high:
      return map<n>(to, from, count, [=](R x) { return x > number ? all<n>(number) : x; });
    case Operation::power:
      return map<n>(to, from, count, [&](R x) { return power(x, step.exponent); });
    default:
      return;
  }
}

// The lesser, or the greater; NaN if either is.
template <class Lane>
HYBRID_INLINE Lane lesser(Lane a, Lane b) {
  return ((a < b) | (a != a)) ? a : b;
}

template <class Lane>
HYBRID_INLINE Lane greater(Lane a, Lane b) {
  return ((a > b) | (a != a)) ? a : b;
}

template <class Number, int n, class Truth>
HYBRID_INLINE Lanes<Number, n> truth(Truth is_true) {
  return is_true ? all<n>(Number{1}) : Lanes<Number, n>{};
}

// Operations with a second operand: `visit(function)`.
template <class Number, int n, class Visit>
HYBRID_INLINE void with_function(Operation operation, Visit visit) {
  using R = Lanes<Number, n>;
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
      return visit([](R x, R y) { return lesser(x, y); });
    case Operation::maximum:
      return visit([](R x, R y) { return greater(x, y); });
    case Operation::less:
      return visit([](R x, R y) { return truth<Number, n>(x < y); });
    case Operation::greater:
      return visit([](R x, R y) { return truth<Number, n>(x > y); });
    case Operation::less_equal:
      return visit([](R x, R y) { return truth<Number, n>(x <= y); });
    case Operation::greater_equal:
      return visit([](R x, R y) { return truth<Number, n>(x >= y); });
    case Operation::equal:
      return visit([](R x, R y) { return truth<Number, n>(x == y); });
    default:
      return;
  }
}

// The second operand is as long as the first.
template <int n, class Number>
static void apply_values(Operation operation, Number *to, const Number *from, const Number *with,
                         int64_t count) {
  with_function<Number, n>(operation,
                           [=](auto function) { map<n>(to, from, with, count, function); });
}

// It is one row of numbers for all features.
template <int n, class Number>
static void apply_row(Operation operation, Number *to, const Number *from, const Number *with,
                      int64_t n_row, int64_t stride) {
  with_function<Number, n>(operation, [=](auto function) {
    for (int64_t row = 0; row < n_row; ++row)
      map<n>(to + row * stride, from + row * stride, with, stride, function);
  });
}

// It is one number for each feature, or for all.
template <int n, class Number>
static void apply_numbers(Operation operation, Number *to, const Number *from, const Number *with,
                          int64_t step, int64_t n_row, int64_t stride) {
  with_function<Number, n>(operation, [=](auto function) {
    for (int64_t row = 0; row < n_row; ++row) {
      const Lanes<Number, n> number = all<n>(with[row * step]);
      map<n>(to + row * stride, from + row * stride, stride,
             [=](Lanes<Number, n> x) { return function(x, number); });
    }
  });
}

}  // namespace

}  // namespace hybrid_native
