// Weights rounded to bf16, in the order in which kernels read them.
#pragma once

#include <cstdint>

#include "constants.hpp"

namespace hybrid_native {

// Matrices of fewer weights stay float32: they cost little, and among them are the sums and
// selections that hard layers are made of.
constexpr int64_t least_reduced = 256;

// Words of two numbers each that hold so many; the last one is filled up with zero.
constexpr int64_t pairs_of(int64_t n) { return (n + 1) / 2; }

// A matrix [out, in] and its bias in panels as those of Constants::panels, but for each output a
// word of the weights of two inputs in place of one weight; the first of them in the lower half.
// Biases are float32.
const float *pair_panels(const Program &program, int64_t weight, int64_t bias,
                         Constants &constants);

}  // namespace hybrid_native
