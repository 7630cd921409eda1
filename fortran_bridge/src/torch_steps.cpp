#include "torch_steps.hpp"

#include <ATen/ScalarOps.h>
#include <ATen/ops/add_cpu_dispatch.h>
#include <ATen/ops/addcmul_cpu_dispatch.h>
#include <ATen/ops/addmm_cpu_dispatch.h>
#include <ATen/ops/cat_cpu_dispatch.h>
#include <ATen/ops/clamp_cpu_dispatch.h>
#include <ATen/ops/clamp_min_cpu_dispatch.h>
#include <ATen/ops/div_cpu_dispatch.h>
#include <ATen/ops/exp_cpu_dispatch.h>
#include <ATen/ops/leaky_relu_cpu_dispatch.h>
#include <ATen/ops/mul_cpu_dispatch.h>
#include <ATen/ops/sigmoid_cpu_dispatch.h>
#include <ATen/ops/silu_cpu_dispatch.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/sub_cpu_dispatch.h>
#include <ATen/ops/tanh_cpu_dispatch.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

namespace hybrid_torch {

namespace {

using Operands = std::vector<c10::IValue>;
using Maker = Step (*)(const Operands &, const at::Tensor &);

bool are_tensors(const Operands &operands, size_t n) {
  return operands.size() >= n &&
         std::all_of(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(n),
                     [](const auto &operand) { return operand.isTensor(); });
}

bool is_scalar(const Operands &operands, size_t i) {
  return operands.size() > i && operands[i].isScalar();
}

bool is_plain(const at::Tensor &from, const at::Tensor &result) {
  return from.is_contiguous() && !from.is_neg() && from.sizes() == result.sizes() &&
         from.scalar_type() == result.scalar_type();
}

// One number for each place in the last dimension.
bool is_row(const at::Tensor &with, const at::Tensor &result) {
  return with.dim() > 0 && with.dim() <= result.dim() && with.numel() > 0 &&
         with.size(-1) == with.numel() && with.numel() == result.size(-1) && with.is_contiguous() &&
         !with.is_neg() && with.scalar_type() == result.scalar_type();
}

// Functions of their own, all arguments by value: nothing that is written can be one of them.
template <class Real, class Function>
void along(int64_t n, const Real *in, Real *out, Function function) {
#pragma GCC ivdep  // in place at most
  for (int64_t i = 0; i < n; ++i) out[i] = function(in[i]);
}

template <class Real, class Function>
void along(int64_t n, const Real *in, const Real *operand, Real *out, Function function) {
#pragma GCC ivdep  // in place at most
  for (int64_t i = 0; i < n; ++i) out[i] = function(in[i], operand[i]);
}

// Each is one rounding, so the bits are those of torch's kernels, which take longer to start than
// the loop to run. The copied tensors keep the memory.
template <class Real, class Function>
Step loop_over_rows(const at::Tensor &from, const at::Tensor &with, const at::Tensor &result,
                    Function function) {
  return [=, in = from.const_data_ptr<Real>(), operand = with.const_data_ptr<Real>(),
          out = static_cast<Real *>(result.data_ptr()), width = with.numel(), n = result.numel(),
          kept = std::vector<at::Tensor>{from, with, result}] {
    for (int64_t first = 0; first < n; first += width)
      along(width, in + first, operand, out + first, function);
  };
}

template <class Real, class Function>
Step loop_over_numbers(const at::Tensor &from, const at::Tensor &result, Function function) {
  return [=, in = from.const_data_ptr<Real>(), out = static_cast<Real *>(result.data_ptr()),
          n = result.numel(),
          kept = std::vector<at::Tensor>{from, result}] { along(n, in, out, function); };
}

// The loop where the operands allow it, otherwise torch's kernel.
template <class Function, class Kernel>
Step binary(const Operands &operands, const at::Tensor &result, Function function, Kernel kernel) {
  if (!are_tensors(operands, 1) || !(are_tensors(operands, 2) || is_scalar(operands, 1))) return {};
  const auto a = operands[0].toTensor();
  const auto b = operands[1].isTensor() ? operands[1].toTensor()
                                        : at::native::wrapped_scalar_tensor(operands[1].toScalar());
  if (is_plain(a, result) && is_row(b, result)) {
    if (a.scalar_type() == at::kFloat) return loop_over_rows<float>(a, b, result, function);
    if (a.scalar_type() == at::kDouble) return loop_over_rows<double>(a, b, result, function);
  }
  return [=, out = result]() mutable { kernel(out, a, b); };
}

// Of a + alpha*b only alpha = 1 is known.
bool has_no_factor(const Operands &operands) {
  return operands.size() == 3 && operands[2].isInt() && operands[2].toInt() == 1;
}

Step add(const Operands &operands, const at::Tensor &result) {
  if (!has_no_factor(operands)) return {};
  return binary(
      operands, result, [](auto a, auto b) { return a + b; },
      [](auto &out, const auto &a, const auto &b) { at::cpu::add_out(out, a, b); });
}

Step subtract(const Operands &operands, const at::Tensor &result) {
  if (!has_no_factor(operands)) return {};
  return binary(
      operands, result, [](auto a, auto b) { return a - b; },
      [](auto &out, const auto &a, const auto &b) { at::cpu::sub_out(out, a, b); });
}

Step multiply(const Operands &operands, const at::Tensor &result) {
  if (operands.size() != 2) return {};
  return binary(
      operands, result, [](auto a, auto b) { return a * b; },
      [](auto &out, const auto &a, const auto &b) { at::cpu::mul_out(out, a, b); });
}

Step divide(const Operands &operands, const at::Tensor &result) {
  if (operands.size() != 2) return {};
  return binary(
      operands, result, [](auto a, auto b) { return a / b; },
      [](auto &out, const auto &a, const auto &b) { at::cpu::div_out(out, a, b); });
}

Step add_product(const Operands &operands, const at::Tensor &result) {
  if (!are_tensors(operands, 3) || !is_scalar(operands, 3)) return {};
  return [out = result, a = operands[0].toTensor(), b = operands[1].toTensor(),
          c = operands[2].toTensor(), factor = operands[3].toScalar()]() mutable {
    at::cpu::addcmul_out(out, a, b, c, factor);
  };
}

// bias + x W^T, as torch evaluates it for matrices.
Step linear(const Operands &operands, const at::Tensor &result) {
  if (!are_tensors(operands, 3) || operands[0].toTensor().dim() != 2) return {};
  return [out = result, x = operands[0].toTensor(), weight = operands[1].toTensor().t(),
          bias = operands[2].toTensor()]() mutable { at::cpu::addmm_out(out, bias, x, weight); };
}

Step leaky_relu(const Operands &operands, const at::Tensor &result) {
  if (!are_tensors(operands, 1) || !is_scalar(operands, 1)) return {};
  const auto from = operands[0].toTensor();
  const auto slope = operands[1].toScalar();
  if (is_plain(from, result) && from.scalar_type() == at::kFloat)
    return loop_over_numbers<float>(from, result, [slope = slope.to<float>()](float x) {
      return x * (x > 0.0F ? 1.0F : slope);
    });
  return [=, out = result]() mutable { at::cpu::leaky_relu_out(out, from, slope); };
}

Step relu(const Operands &operands, const at::Tensor &result) {
  if (operands.size() != 1 || !are_tensors(operands, 1)) return {};
  return [out = result, from = operands[0].toTensor()]() mutable {
    at::cpu::clamp_min_out(out, from, 0);
  };
}

Step clamp(const Operands &operands, const at::Tensor &result) {
  if (operands.size() != 3 || !are_tensors(operands, 1)) return {};
  std::optional<at::Scalar> bounds[2];
  for (size_t i = 0; i < 2; ++i) {
    if (is_scalar(operands, i + 1))
      bounds[i] = operands[i + 1].toScalar();
    else if (!operands[i + 1].isNone())
      return {};
  }
  return [out = result, from = operands[0].toTensor(), low = bounds[0],
          high = bounds[1]]() mutable { at::cpu::clamp_out(out, from, low, high); };
}

using Unary = at::Tensor &(at::Tensor &, const at::Tensor &);

template <Unary kernel>
Step unary(const Operands &operands, const at::Tensor &result) {
  if (operands.size() != 1 || !are_tensors(operands, 1)) return {};
  return [out = result, from = operands[0].toTensor()]() mutable { kernel(out, from); };
}

Step concatenate(const Operands &operands, const at::Tensor &result) {
  if (operands.size() != 2 || !operands[0].isTensorList() || !operands[1].isInt()) return {};
  return [out = result, from = operands[0].toTensorVector(), dim = operands[1].toInt()]() mutable {
    at::cpu::cat_out(out, from, dim);
  };
}

Step stack(const Operands &operands, const at::Tensor &result) {
  if (operands.size() != 2 || !operands[0].isTensorList() || !operands[1].isInt()) return {};
  return [out = result, from = operands[0].toTensorVector(), dim = operands[1].toInt()]() mutable {
    at::stack_out(out, from, dim);
  };
}

const std::unordered_map<std::string, Maker> elementwise = {
    {"aten::add", add},
    {"aten::sub", subtract},
    {"aten::mul", multiply},
    {"aten::div", divide},
    {"aten::addcmul", add_product},
    {"aten::leaky_relu", leaky_relu},
    {"aten::relu", relu},
    {"aten::clamp", clamp},
    {"aten::tanh", unary<at::cpu::tanh_out>},
    {"aten::sigmoid", unary<at::cpu::sigmoid_out>},
    {"aten::silu", unary<at::cpu::silu_out>},
    {"aten::exp", unary<at::cpu::exp_out>}};

const std::unordered_map<std::string, Maker> others = {
    {"aten::linear", linear}, {"aten::cat", concatenate}, {"aten::stack", stack}};

}  // namespace

bool is_view(const std::string &operation) {
  static const std::set<std::string> views = {"aten::flatten", "aten::narrow",    "aten::reshape",
                                              "aten::select",  "aten::slice",     "aten::split",
                                              "aten::squeeze", "aten::transpose", "aten::unbind",
                                              "aten::view",    "aten::unsqueeze", "aten::chunk"};
  return views.count(operation) > 0;
}

bool is_gathering(const std::string &operation) {
  static const std::set<std::string> gathering = {"prim::ListConstruct", "prim::ListUnpack",
                                                  "prim::TupleConstruct", "prim::TupleUnpack"};
  return gathering.count(operation) > 0;
}

bool is_known(const std::string &operation) {
  return is_view(operation) || is_gathering(operation) || is_elementwise(operation) ||
         others.count(operation) > 0;
}

bool is_elementwise(const std::string &operation) { return elementwise.count(operation) > 0; }

Step make_step(const std::string &operation, const Operands &operands, const at::Tensor &result) {
  for (const auto *known : {&elementwise, &others})
    if (const auto found = known->find(operation); found != known->end())
      return found->second(operands, result);
  return {};
}

}  // namespace hybrid_torch
