// Exponentials, logarithms and what is made of them, by polynomials of our own.
//
// Every sum has one product at most, so that it is one fused multiply-add wherever there is one
// and cannot be another: bits do not depend on the width of the vectors. Polynomials are minimax
// fits in the norm of relative error; tests/bridge/test_native_activations.py measures the error
// of each function in units in the last place against double precision or better.
//
// For kernels.cpp alone: see vectors.hpp.
#pragma once

#include "vectors.hpp"

namespace hybrid_native {

namespace {

template <int n>
HYBRID_INLINE Whole<n> bits_of(Real<n> x) {
  return (Whole<n>)x;
}

template <int n>
HYBRID_INLINE Real<n> from_bits(Whole<n> bits) {
  return (Real<n>)bits;
}

template <int n>
HYBRID_INLINE Real<n> magnitude(Real<n> x) {
  return from_bits<n>(bits_of<n>(x) & 0x7fffffff);
}

// 2^k for exponents of normal numbers.
template <int n>
HYBRID_INLINE Real<n> power_of_two(Whole<n> k) {
  return from_bits<n>((k + 127) << 23);
}

// x = k ln 2 + r with |r| <= ln 2 / 2; exp(r) = 1 + small.
template <int n>
struct Reduced {
  Whole<n> k;
  Real<n> small;
};

// Of x + rest, where the rest is far below x.
template <int n>
HYBRID_INLINE Reduced<n> reduced(Real<n> x, Real<n> rest) {
  constexpr float shift = 0x1.8p23f;  // beyond it, floats are whole numbers
  constexpr float inverse_ln_2 = 0x1.715476p0f;
  constexpr float ln_2_high = 0x1.63p-1f;  // few bits: its multiples are exact
  constexpr float ln_2_low = -0x1.bd0106p-13f;
  const Real<n> shifted = x * inverse_ln_2 + shift;
  const Real<n> whole = shifted - shift;
  Real<n> r = x - whole * ln_2_high;
  r = r - whole * ln_2_low;
  r = r + rest;
  Real<n> q = all<n>(0x1.6a2352p-10f);
  q = q * r + 0x1.123a6ap-7f;
  q = q * r + 0x1.5558f4p-5f;
  q = q * r + 0x1.555490p-3f;
  q = q * r + 0x1.fffffcp-2f;
  const Real<n> squared = r * r;
  return {bits_of<n>(shifted) - bits_of<n>(all<n>(shift)), q * squared + r};
}

// exp(x + rest); in two factors, because 2^k itself may be beyond the range of floats.
template <int n>
HYBRID_INLINE Real<n> exp_of(Real<n> x, Real<n> rest) {
  // Comparisons leave NaN as it is.
  x = x > 89.0f ? all<n>(89.0f) : x;
  x = x < -104.0f ? all<n>(-104.0f) : x;
  const Reduced<n> of = reduced<n>(x, rest);
  const Whole<n> half = of.k >> 1;
  return (of.small + 1.0f) * power_of_two<n>(half) * power_of_two<n>(of.k - half);
}

struct Exp {
  template <int n>
  HYBRID_INLINE Real<n> of(Real<n> x) {
    return exp_of<n>(x, Real<n>{});
  }
};

// exp(x) - 1 for x <= 0, where nothing cancels.
struct ExpLessOne {
  template <int n>
  HYBRID_INLINE Real<n> of(Real<n> x) {
    x = x < -60.0f ? all<n>(-60.0f) : x;
    x = x > 0.0f ? Real<n>{} : x;
    const Reduced<n> of = reduced<n>(x, Real<n>{});
    const Real<n> scale = power_of_two<n>(of.k);
    return of.small * scale + (scale - 1.0f);
  }
};

struct Log {
  template <int n>
  HYBRID_INLINE Real<n> of(Real<n> x) {
    constexpr float ln_2_high = 0x1.63p-1f, ln_2_low = -0x1.bd0106p-13f;
    constexpr float infinity = __builtin_inff();
    const Whole<n> is_subnormal = x < 0x1p-126f;
    const Real<n> normal = is_subnormal ? x * 0x1p25f : x;
    // x = 2^k (1 + f) with 1 + f between the roots of 1/2 and 2.
    const Whole<n> bits = bits_of<n>(normal);
    const Whole<n> exponent = (bits - 0x3f3504f3) >> 23;
    const Real<n> f = from_bits<n>(bits - (exponent << 23)) - 1.0f;
    const Real<n> k =
        __builtin_convertvector(exponent - (is_subnormal & 25), typename Vector<n>::Real);
    Real<n> p = all<n>(0x1.1457c4p-4f);
    p = p * f - 0x1.de3c1cp-4f;
    p = p * f + 0x1.e6f062p-4f;
    p = p * f - 0x1.fc2206p-4f;
    p = p * f + 0x1.233768p-3f;
    p = p * f - 0x1.555c4ep-3f;
    p = p * f + 0x1.99a4b6p-3f;
    p = p * f - 0x1.000006p-2f;
    p = p * f + 0x1.555548p-2f;
    p = p * f - 0.5f;
    const Real<n> squared = f * f;
    Real<n> value = p * squared + f;
    value = k * ln_2_low + value;
    value = k * ln_2_high + value;
    value = x == 0.0f ? all<n>(-infinity) : value;
    value = x < 0.0f ? all<n>(__builtin_nanf("")) : value;
    return ((x == infinity) | (x != x)) ? x : value;
  }
};

// 1 / (1 + exp(-x)), by exp(-|x|), which keeps small results.
struct Sigmoid {
  template <int n>
  HYBRID_INLINE Real<n> of(Real<n> x) {
    const Real<n> e = Exp::of<n>(-magnitude<n>(x));
    return (x < 0.0f ? e : all<n>(1.0f)) / (e + 1.0f);
  }
};

struct Silu {
  template <int n>
  HYBRID_INLINE Real<n> of(Real<n> x) {
    return x * Sigmoid::of<n>(x);
  }
};

struct Tanh {
  template <int n>
  HYBRID_INLINE Real<n> of(Real<n> x) {
    const Real<n> squared = x * x;
    Real<n> p = all<n>(0x1.0df40ep-9f);
    p = p * squared - 0x1.08f326p-7f;
    p = p * squared + 0x1.62eee6p-6f;
    p = p * squared - 0x1.b9e042p-5f;
    p = p * squared + 0x1.11101ep-3f;
    p = p * squared - 0x1.555552p-2f;
    p = p * squared;
    const Real<n> near_zero = p * x + x;
    const Real<n> size = magnitude<n>(x);
    const Real<n> e = Exp::of<n>(size + size);
    const Real<n> far = 1.0f - 2.0f / (e + 1.0f);
    const Real<n> signed_far = x < 0.0f ? -far : far;
    return size < 0.65f ? near_zero : signed_far;
  }
};

// x times the normal distribution function, of whose tail exp(-x^2 / 2) is taken out: what is
// left, times 1 + 2 |x|, is a polynomial of (|x| - 4) / (|x| + 4) up to |x| = 16, where the tail
// is zero.
struct Gelu {
  template <int n>
  HYBRID_INLINE Real<n> of(Real<n> x) {
    Real<n> size = magnitude<n>(x);
    size = size > 16.0f ? all<n>(16.0f) : size;
    const Real<n> t = (size - 4.0f) / (size + 4.0f);
    Real<n> p = all<n>(-0x1.3af9c0p-13f);
    p = p * t - 0x1.17545ep-14f;
    p = p * t + 0x1.97ac36p-10f;
    p = p * t - 0x1.49e848p-10f;
    p = p * t - 0x1.587154p-7f;
    p = p * t + 0x1.6b88eep-5f;
    p = p * t - 0x1.862f1ap-4f;
    p = p * t + 0x1.08004ep-3f;
    p = p * t - 0x1.8ac5d0p-4f;
    p = p * t - 0x1.78fb8ep-6f;
    p = p * t + 0x1.b30b54p-1f;
    // The square in two parts, of which the first is exact.
    const Real<n> high = from_bits<n>(bits_of<n>(size) & ~0xfff);
    const Real<n> low = size - high;
    const Real<n> first = high * high;
    const Real<n> e = exp_of<n>(first * -0.5f, (size + high) * low * -0.5f);
    const Real<n> tail = p * e / (size * 2.0f + 1.0f);
    return x * (x < 0.0f ? tail : 1.0f - tail);
  }
};

// The same with tanh in the place of the normal distribution: x sigmoid(2 u).
struct GeluTanh {
  template <int n>
  HYBRID_INLINE Real<n> of(Real<n> x) {
    constexpr float linear = 0x1.988454p0f;  // 2 sqrt(2 / pi)
    constexpr float cubic = 0x1.2444f2p-4f;  // 0.044715 times that
    return x * Sigmoid::of<n>(x * (x * x * cubic + linear));
  }
};

// The functions of each type of numbers.
template <class Number>
struct Functions;

template <>
struct Functions<float> {
  using Exp = hybrid_native::Exp;
  using ExpLessOne = hybrid_native::ExpLessOne;
  using Log = hybrid_native::Log;
  using Sigmoid = hybrid_native::Sigmoid;
  using Silu = hybrid_native::Silu;
  using Tanh = hybrid_native::Tanh;
  using GeluTanh = hybrid_native::GeluTanh;
};

}  // namespace

}  // namespace hybrid_native
