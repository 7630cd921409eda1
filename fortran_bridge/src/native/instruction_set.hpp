// Which of the compiled kernels run on this processor.
#pragma once

#include <string>

#include "code.hpp"

namespace hybrid_native {

// The best ones, or those that HYBRID_ISA asks for ("v4", "v3" or "base"); chosen once. Throws
// std::runtime_error if the processor lacks them.
const Kernels &chosen_kernels();

// The same without exceptions: null if HYBRID_ISA cannot be had.
const Kernels *kernels_or_null() noexcept;

// Those that know products of bf16; null with the reason where there are none: the processor lacks
// them, or HYBRID_ISA asks for others.
const Kernels *bf16_kernels(std::string &why_not);

}  // namespace hybrid_native
