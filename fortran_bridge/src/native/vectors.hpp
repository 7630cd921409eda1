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

template <int n>
using Real = typename Vector<n>::Real;
template <int n>
using Whole = typename Vector<n>::Whole;

template <int n>
HYBRID_INLINE Real<n> load(const float *from) {
  return *reinterpret_cast<const typename Vector<n>::Anywhere *>(from);
}

template <int n>
HYBRID_INLINE void store(float *to, Real<n> value) {
  *reinterpret_cast<typename Vector<n>::Anywhere *>(to) = value;
}

// The same number in all lanes; subtracted from, not added to zero, which would lose the sign of
// -0.
template <int n>
HYBRID_INLINE Real<n> all(float value) {
  return value - Real<n>{};
}

}  // namespace

}  // namespace hybrid_native
