// Tensors of a program, as the archive describes them.
#pragma once

#include "program_json.hpp"

namespace hybrid_native {

// The tensor that `json` describes; `what` names it in messages.
Tensor read_tensor(const Json &json, const std::string &what, const Entries &entries,
                   int64_t major);

}  // namespace hybrid_native
