// Vectors of numbers by the compiler's vector extensions; the widths of an instruction set.
//
// For kernels.cpp alone: all that is here and in the headers like it is of its file alone, so that
// nothing is shared between instruction sets.
#pragma once

#include "code.hpp"

namespace hybrid_native {

namespace {

#if defined(HYBRID_KERNELS_V4)
constexpr int lanes = 16, vectors = 3, outputs = 8, short_lanes = 8;
#elif defined(HYBRID_KERNELS_V3)
constexpr int lanes = 8, vectors = 3, outputs = 4, short_lanes = 8;
#elif defined(__aarch64__)
constexpr int lanes = 4, vectors = 3, outputs = 8, short_lanes = 4;
#else
constexpr int lanes = 4, vectors = 2, outputs = 4, short_lanes = 4;
#endif

#define HYBRID_INLINE static inline __attribute__((always_inline))

template <int n>
struct Vector {
  typedef float Real __attribute__((vector_size(n * 4)));
  typedef int32_t Whole __attribute__((vector_size(n * 4)));
  // Hosts and parts of values give addresses of any number.
  typedef float Anywhere __attribute__((vector_size(n * 4), aligned(4), may_alias));
};

// The same of float64: half as many lanes fill a register.
template <int n>
struct DoubleVector {
  typedef double Real __attribute__((vector_size(n * 8)));
  typedef int64_t Whole __attribute__((vector_size(n * 8)));
  typedef double Anywhere __attribute__((vector_size(n * 8), aligned(8), may_alias));
};
constexpr int double_lanes = lanes / 2;

template <class Number, int n>
struct VectorOf;
template <int n>
struct VectorOf<float, n> : Vector<n> {};
template <int n>
struct VectorOf<double, n> : DoubleVector<n> {};

template <int n>
using Real = typename Vector<n>::Real;
template <int n>
using Whole = typename Vector<n>::Whole;
template <int n>
using Double = typename DoubleVector<n>::Real;
template <int n>
using WholeDouble = typename DoubleVector<n>::Whole;
template <class Number, int n>
using Lanes = typename VectorOf<Number, n>::Real;

template <int n, class Number>
HYBRID_INLINE Lanes<Number, n> load(const Number *from) {
  return *reinterpret_cast<const typename VectorOf<Number, n>::Anywhere *>(from);
}

template <int n, class Number>
HYBRID_INLINE void store(Number *to, Lanes<Number, n> value) {
  *reinterpret_cast<typename VectorOf<Number, n>::Anywhere *>(to) = value;
}

// The same number in all lanes; subtracted from, not added to zero, which would lose the sign of
// -0.
template <int n, class Number>
HYBRID_INLINE Lanes<Number, n> all(Number value) {
  return value - Lanes<Number, n>{};
}

}  // namespace

}  // namespace hybrid_native
