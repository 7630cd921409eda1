// The functions of activations.hpp for float64, as far as there are any: all but gelu, whose error
// function would need another polynomial.
//
// By the same rules: one product in a sum at most, bits that do not depend on the width of the
// vectors, and errors that tests/bridge/test_native_doubles.py measures. Polynomials interpolate at
// Chebyshev points, below half a unit in the last place by far.
//
// For kernels.cpp alone: see vectors.hpp.
#pragma once

#include "activations.hpp"

namespace hybrid_native {

namespace {

template <int n>
HYBRID_INLINE WholeDouble<n> bits_of(Double<n> x) {
  return (WholeDouble<n>)x;
}

template <int n>
HYBRID_INLINE Double<n> from_bits(WholeDouble<n> bits) {
  return (Double<n>)bits;
}

template <int n>
HYBRID_INLINE Double<n> magnitude(Double<n> x) {
  return from_bits<n>(bits_of<n>(x) & 0x7fffffffffffffff);
}

template <>
struct Functions<double> {
  // 2^k for exponents of normal numbers.
  template <int n>
  HYBRID_INLINE Double<n> power_of_two(WholeDouble<n> k) {
    return from_bits<n>((k + 1023) << 52);
  }

  // x = k ln 2 + r with |r| <= ln 2 / 2; exp(r) = 1 + small.
  template <int n>
  struct Reduced {
    WholeDouble<n> k;
    Double<n> small;
  };

  template <int n>
  HYBRID_INLINE Reduced<n> reduced(Double<n> x) {
    constexpr double shift = 0x1.8p52;  // beyond it, doubles are whole numbers
    constexpr double inverse_ln_2 = 0x1.71547652b82fep+0;
    constexpr double ln_2_high = 0x1.62e42fefp-1;  // few bits: its multiples are exact
    constexpr double ln_2_low = 0x1.473de6af278edp-34;
    const Double<n> shifted = x * inverse_ln_2 + shift;
    const Double<n> whole = shifted - shift;
    Double<n> r = x - whole * ln_2_high;
    r = r - whole * ln_2_low;
    Double<n> q = all<n>(0x1.1f730349868cep-29);
    q = q * r + 0x1.af4de97ca4194p-26;
    q = q * r + 0x1.27e4db646b17ep-22;
    q = q * r + 0x1.71de0231960ebp-19;
    q = q * r + 0x1.a01a01a6d889cp-16;
    q = q * r + 0x1.a01a01abe7fe1p-13;
    q = q * r + 0x1.6c16c16c162d4p-10;
    q = q * r + 0x1.11111111100dcp-7;
    q = q * r + 0x1.5555555555556p-5;
    q = q * r + 0x1.5555555555557p-3;
    q = q * r + 0.5;
    const Double<n> squared = r * r;
    return {bits_of<n>(shifted) - bits_of<n>(all<n>(shift)), q * squared + r};
  }

  // In two factors, because 2^k itself may be beyond the range of doubles.
  struct Exp {
    template <int n>
    HYBRID_INLINE Double<n> of(Double<n> x) {
      // Comparisons leave NaN as it is.
      x = x > 710.0 ? all<n>(710.0) : x;
      x = x < -746.0 ? all<n>(-746.0) : x;
      const Reduced<n> of = reduced<n>(x);
      const WholeDouble<n> half = of.k >> 1;
      return (of.small + 1.0) * power_of_two<n>(half) * power_of_two<n>(of.k - half);
    }
  };

  // exp(x) - 1 for x <= 0, where nothing cancels.
  struct ExpLessOne {
    template <int n>
    HYBRID_INLINE Double<n> of(Double<n> x) {
      x = x < -60.0 ? all<n>(-60.0) : x;
      x = x > 0.0 ? Double<n>{} : x;
      const Reduced<n> of = reduced<n>(x);
      const Double<n> scale = power_of_two<n>(of.k);
      return of.small * scale + (scale - 1.0);
    }
  };

  struct Log {
    template <int n>
    HYBRID_INLINE Double<n> of(Double<n> x) {
      constexpr double ln_2_high = 0x1.62e42fefp-1, ln_2_low = 0x1.473de6af278edp-34;
      constexpr double infinity = __builtin_inf();
      const WholeDouble<n> is_subnormal = x < 0x1p-1022;
      const Double<n> normal = is_subnormal ? x * 0x1p54 : x;
      // x = 2^k (1 + f) with 1 + f between the roots of 1/2 and 2.
      const WholeDouble<n> bits = bits_of<n>(normal);
      const WholeDouble<n> exponent = (bits - 0x3fe6a09e667f3bcd) >> 52;
      const Double<n> f = from_bits<n>(bits - (exponent << 52)) - 1.0;
      const Double<n> k =
          __builtin_convertvector(exponent - (is_subnormal & 54), typename DoubleVector<n>::Real);
      // log(1 + f) = 2 artanh(s) with s = f / (2 + f), of which 2 s = f - s f is known better
      // than s.
      const Double<n> s = f / (f + 2.0);
      const Double<n> z = s * s;
      Double<n> p = all<n>(0x1.2b5900de53b32p-3);
      p = p * z + 0x1.39fe51a7c18f9p-3;
      p = p * z + 0x1.7462b51cb66b1p-3;
      p = p * z + 0x1.c71c62e3f11e6p-3;
      p = p * z + 0x1.2492492df281ap-2;
      p = p * z + 0x1.99999999952d7p-2;
      p = p * z + 0x1.5555555555558p-1;
      const Double<n> rest = f - z * p;
      Double<n> value = f - s * rest;
      value = k * ln_2_low + value;
      value = k * ln_2_high + value;
      value = x == 0.0 ? all<n>(-infinity) : value;
      value = x < 0.0 ? all<n>(__builtin_nan("")) : value;
      return ((x == infinity) | (x != x)) ? x : value;
    }
  };

  // 1 / (1 + exp(-x)), by exp(-|x|), which keeps small results.
  struct Sigmoid {
    template <int n>
    HYBRID_INLINE Double<n> of(Double<n> x) {
      const Double<n> e = Exp::template of<n>(-magnitude<n>(x));
      return (x < 0.0 ? e : all<n>(1.0)) / (e + 1.0);
    }
  };

  struct Silu {
    template <int n>
    HYBRID_INLINE Double<n> of(Double<n> x) {
      return x * Sigmoid::template of<n>(x);
    }
  };

  // By t = exp(-2 |x|) - 1, which keeps small results too.
  struct Tanh {
    template <int n>
    HYBRID_INLINE Double<n> of(Double<n> x) {
      const Double<n> size = magnitude<n>(x);
      const Double<n> t = ExpLessOne::template of<n>(-(size + size));
      const Double<n> found = -t / (t + 2.0);
      const Double<n> signed_found = x < 0.0 ? -found : found;
      return x == 0.0 ? x : signed_found;
    }
  };

  // x sigmoid(2 u).
  struct GeluTanh {
    template <int n>
    HYBRID_INLINE Double<n> of(Double<n> x) {
      constexpr double linear = 0x1.9884533d43651p+0;  // 2 sqrt(2 / pi)
      constexpr double cubic = 0x1.2444f2a4d8b4bp-4;   // 0.044715 times that
      return x * Sigmoid::template of<n>(x * (x * x * cubic + linear));
    }
  };
};

}  // namespace

}  // namespace hybrid_native
