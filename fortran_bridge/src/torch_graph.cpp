#include "torch_graph.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/accumulate.h>
#include <torch/csrc/jit/runtime/operator.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_map>

namespace hybrid_torch {

namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

std::string name_of(const Node &node) { return node.kind().toQualString(); }

bool shares_memory(const std::string &operation) {
  return is_view(operation) || is_gathering(operation);
}

// Lists and tuples, which torch's interpreter treats itself; false for lists of another type.
bool gather(const std::string &name, torch::jit::Stack &stack) {
  const auto all = [&stack](auto &&is_it) {
    return std::all_of(stack.begin(), stack.end(), is_it);
  };
  if (name == "prim::TupleConstruct") {
    stack = {c10::ivalue::Tuple::create(std::move(stack))};
  } else if (name == "prim::TupleUnpack") {
    stack = stack[0].toTuple()->elements().vec();
  } else if (name == "prim::ListUnpack") {
    stack = stack[0].toListRef().vec();
  } else if (all([](const auto &value) { return value.isTensor(); })) {
    std::vector<at::Tensor> list;
    for (const auto &value : stack) list.push_back(value.toTensor());
    stack = {std::move(list)};
  } else if (all([](const auto &value) { return value.isInt(); })) {
    std::vector<int64_t> list;
    for (const auto &value : stack) list.push_back(value.toInt());
    stack = {std::move(list)};
  } else {
    return false;
  }
  return true;
}

// Which results a value shares memory with, and until when each is needed.
class Lifetimes {
 public:
  explicit Lifetimes(const Graph &graph) {
    int64_t place = 0;
    for (const auto *node : graph.nodes()) {
      const bool shares = shares_memory(name_of(*node));
      for (const auto *input : node->inputs())
        for (const auto *owner : owners(input)) last_[owner] = place;
      for (const auto *output : node->outputs()) {
        auto &of_output = owners_[output];
        if (!shares) of_output.push_back(output);
        for (const auto *input : node->inputs())
          if (const auto found = owners(input); shares)
            of_output.insert(of_output.end(), found.begin(), found.end());
      }
      ++place;
    }
    for (const auto *output : graph.outputs())
      for (const auto *owner : owners(output)) last_[owner] = std::numeric_limits<int64_t>::max();
  }

  bool ends(const Value *owner, int64_t place) const {
    const auto found = last_.find(owner);
    return found != last_.end() && found->second == place;
  }

  // Whether `value` is all or part of what `owner` holds.
  bool shares(const Value *value, const Value *owner) const {
    const auto all = owners(value);
    return std::count(all.begin(), all.end(), owner) > 0;
  }

 private:
  std::vector<const Value *> owners(const Value *value) const {
    const auto found = owners_.find(value);
    return found == owners_.end() ? std::vector<const Value *>{} : found->second;
  }

  std::unordered_map<const Value *, std::vector<const Value *>> owners_;
  std::unordered_map<const Value *, int64_t> last_;
};

// Memory for results; what nobody needs any more serves later ones.
class Memory {
 public:
  explicit Memory(const Graph &graph) : lifetimes_(graph) {}

  // For the result of the node at `place`, which has the shape and type of `like`.
  at::Tensor result(const Node &node, int64_t place, const c10::IValue &operand,
                    const at::Tensor &like) {
    const auto bytes = static_cast<int64_t>(like.nbytes());
    const auto block =
        is_replaced(node, place, operand, like) ? taken_from(node.input(0)) : smallest_free(bytes);
    used_[node.output()] = block;
    return block.narrow(0, 0, bytes).view(like.scalar_type()).view(like.sizes());
  }

  void release(int64_t place) {
    for (auto it = used_.begin(); it != used_.end();) {
      if (lifetimes_.ends(it->first, place)) {
        free_.push_back(it->second);
        it = used_.erase(it);
      } else {
        ++it;
      }
    }
  }

 private:
  // Whether the result may take the place of the first operand, number by number: that is as
  // large, needed for the last time, and read as nothing else here.
  bool is_replaced(const Node &node, int64_t place, const c10::IValue &operand,
                   const at::Tensor &like) const {
    if (!is_elementwise(name_of(node)) || !operand.isTensor()) return false;
    const auto *value = node.input(0);
    if (!used_.count(value) || !lifetimes_.ends(value, place)) return false;
    for (const auto *other : node.inputs().slice(1))
      if (lifetimes_.shares(other, value)) return false;
    return operand.toTensor().sizes() == like.sizes() &&
           operand.toTensor().scalar_type() == like.scalar_type();
  }

  at::Tensor taken_from(const Value *value) {
    const auto found = used_.find(value);
    const auto block = found->second;
    used_.erase(found);
    return block;
  }

  at::Tensor smallest_free(int64_t bytes) {
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it)
      if (it->numel() >= bytes && (best == free_.end() || it->numel() < best->numel())) best = it;
    if (best == free_.end()) return at::zeros({bytes}, at::TensorOptions(at::kByte));
    const auto block = *best;
    free_.erase(best);
    return block;
  }

  Lifetimes lifetimes_;
  std::unordered_map<const Value *, at::Tensor> used_;
  std::vector<at::Tensor> free_;
};

bool is_part_of(const c10::IValue &value, const at::Tensor &whole) {
  if (value.isTensor()) return value.toTensor().is_alias_of(whole);
  if (!value.isTensorList()) return false;
  const auto parts = value.toTensorVector();
  return std::all_of(parts.begin(), parts.end(),
                     [&](const auto &part) { return part.is_alias_of(whole); });
}

// Numbers without a pattern, and in the last columns what arithmetic treats apart.
std::vector<at::Tensor> samples(const std::vector<at::Tensor> &arguments) {
  constexpr int64_t most_columns = 24;
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<at::Tensor> made;
  for (const auto &argument : arguments) {
    auto shape = argument.sizes().vec();
    shape[0] = std::min(shape[0], most_columns);
    std::vector<double> numbers(static_cast<size_t>(c10::multiply_integers(shape)));
    for (size_t i = 0; i < numbers.size(); ++i)
      numbers[i] = 3.0 * std::sin(static_cast<double>(i * i % 9973 + 7 * made.size()));
    const auto sample = at::empty(shape, argument.options());
    sample.copy_(at::from_blob(numbers.data(), shape, at::TensorOptions(at::kDouble)));
    int64_t column = shape[0];
    for (const double special : {std::nan(""), infinity, -infinity, -0.0, 1e-42})
      if (column > 1) sample[--column].fill_(special);
    made.push_back(sample);
  }
  return made;
}

bool same_bits(const at::Tensor &a, const at::Tensor &b) {
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) return false;
  const auto left = a.contiguous(), right = b.contiguous();
  return std::memcmp(left.const_data_ptr(), right.const_data_ptr(), left.nbytes()) == 0;
}

}  // namespace

std::unique_ptr<StraightGraph> StraightGraph::of(const Graph &graph,
                                                 const std::vector<at::Tensor> &arguments) {
  const auto inputs = graph.inputs();
  if (inputs.size() != arguments.size() + 1 || inputs[0]->hasUses()) return nullptr;
  std::unordered_map<const Value *, c10::IValue> values;
  for (size_t i = 0; i < arguments.size(); ++i) values[inputs[i + 1]] = arguments[i];

  std::unique_ptr<StraightGraph> made(new StraightGraph);
  Memory memory(graph);
  int64_t place = 0;
  for (auto *node : graph.nodes()) {
    const auto name = name_of(*node);
    if (name == "prim::Constant") {
      values[node->output()] = torch::jit::toIValue(node->output()).value();
    } else if (!is_known(name)) {
      return nullptr;
    } else {
      torch::jit::Stack operands;
      for (const auto *input : node->inputs()) operands.push_back(values.at(input));
      // Once as the interpreter does it: that shows shapes, types and what is part of what.
      auto stack = operands;
      if (is_gathering(name)) {
        if (!gather(name, stack)) return nullptr;
      } else {
        node->getOperation()(stack);
      }
      if (is_view(name)) {
        if (!operands[0].isTensor() || !is_part_of(stack[0], operands[0].toTensor()))
          return nullptr;
      } else if (!is_gathering(name)) {
        if (!stack[0].isTensor() || !stack[0].toTensor().is_contiguous()) return nullptr;
        const auto result = memory.result(*node, place, operands[0], stack[0].toTensor());
        auto step = make_step(name, operands, result);
        if (!step) return nullptr;
        made->steps_.push_back(std::move(step));
        stack[0] = result;
      }
      for (size_t i = 0; i < stack.size(); ++i) values[node->output(i)] = stack[i];
    }
    memory.release(place++);
  }
  const auto &output = values.at(graph.outputs()[0]);
  if (!output.isTuple()) return nullptr;
  for (const auto &element : output.toTupleRef().elements()) {
    if (!element.isTensor()) return nullptr;
    made->results_.push_back(element.toTensor());
  }
  return made;
}

bool StraightGraph::agrees(const torch::jit::Module &module,
                           const std::vector<at::Tensor> &arguments) {
  const auto forward = module.get_method("forward");
  const auto values = samples(arguments);
  std::vector<at::Tensor> inputs;
  for (const auto &value : values) inputs.push_back(at::zeros_like(value));
  const auto graph = of(*forward.graph(), inputs);
  if (!graph) return false;
  graph->run();  // must leave nothing that the next one sees
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i].copy_(values[i]);
  graph->run();
  torch::jit::Stack stack(inputs.begin(), inputs.end());
  const auto expected = forward(stack);
  if (!expected.isTuple()) return false;
  const auto &elements = expected.toTupleRef().elements();
  if (elements.size() != graph->results().size()) return false;
  for (size_t i = 0; i < elements.size(); ++i)
    if (!elements[i].isTensor() || !same_bits(elements[i].toTensor(), graph->results()[i]))
      return false;
  return true;
}

}  // namespace hybrid_torch
