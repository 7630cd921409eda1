// The operations of a closure's graph that can be repeated on tensors at fixed addresses.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <functional>
#include <string>
#include <vector>

namespace hybrid_torch {

using Step = std::function<void()>;

// Operations whose results are part of their operands' memory, or only gather values.
bool is_view(const std::string &operation);
bool is_gathering(const std::string &operation);
// These, and those that make_step knows for some operands.
bool is_known(const std::string &operation);
// Operations each of whose numbers depends on the number at the same place alone.
bool is_elementwise(const std::string &operation);

// A step that does `operation`, as "aten::add", into `result`, which is contiguous and has the
// right shape and type; empty where this is not known for these operands. The numbers are those
// of torch's own operation, bit for bit.
Step make_step(const std::string &operation, const std::vector<c10::IValue> &operands,
               const at::Tensor &result);

}  // namespace hybrid_torch
