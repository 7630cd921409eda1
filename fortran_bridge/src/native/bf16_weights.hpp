// Which weights are rounded to bf16, and how they are kept.
#pragma once

#include <cstdint>

namespace hybrid_native {

// Matrices of fewer weights stay float32: they cost little, and among them are the sums and
// selections that hard layers are made of.
constexpr int64_t least_reduced = 256;

// Words of two numbers each that hold so many; the last one is filled up with zero.
constexpr int64_t pairs_of(int64_t n) { return (n + 1) / 2; }

}  // namespace hybrid_native
