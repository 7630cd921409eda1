#include "step_reader.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "../json_text.hpp"

namespace hybrid_native {

namespace {

using hybrid::printable;

// What a step needs beside its operands.
struct Form {
  Step::Kind kind;
  Operation operation = {};
  int n_operand = 1;
};

const std::map<std::string, Form> &forms() {
  using Kind = Step::Kind;
  using O = Operation;
  constexpr auto each = Kind::elementwise;
  static const std::map<std::string, Form> known = {
      {"input", {Kind::input, {}, 0}},
      {"constant", {Kind::constant, {}, 0}},
      {"linear", {Kind::linear}},
      {"gather", {Kind::gather}},
      {"concatenate", {Kind::concatenate, {}, 0}},
      {"layer_norm", {Kind::layer_norm}},
      {"sum", {Kind::sum}},
      {"float32", {Kind::cast}},
      {"float64", {Kind::cast}},
      {"add", {each, O::add, 2}},
      {"subtract", {each, O::subtract, 2}},
      {"multiply", {each, O::multiply, 2}},
      {"divide", {each, O::divide, 2}},
      {"minimum", {each, O::minimum, 2}},
      {"maximum", {each, O::maximum, 2}},
      {"less", {each, O::less, 2}},
      {"less_equal", {each, O::less_equal, 2}},
      {"equal", {each, O::equal, 2}},
      {"select", {Kind::select, {}, 3}},
      {"relu", {each, O::relu}},
      {"leaky_relu", {each, O::leaky_relu}},
      {"elu", {each, O::elu}},
      {"sigmoid", {each, O::sigmoid}},
      {"silu", {each, O::silu}},
      {"tanh", {each, O::tanh}},
      {"gelu", {each, O::gelu}},
      {"gelu_tanh", {each, O::gelu_tanh}},
      {"exp", {each, O::exp}},
      {"log", {each, O::log}},
      {"sqrt", {each, O::sqrt}},
      {"negative", {each, O::negative}},
      {"absolute", {each, O::absolute}},
      {"reciprocal", {each, O::reciprocal}},
      {"square", {each, O::square}},
      {"clamp", {each, O::clamp_low}},
      {"power", {each, O::power}},
  };
  return known;
}

}  // namespace

StepReader::StepReader(Program &program, const Forms &fields, int64_t major)
    : program_(program), fields_(fields), major_(major) {}

void StepReader::add(const Json &json) {
  const auto op = json.at("op").get<std::string>();
  what_ = "step " + std::to_string(program_.steps.size()) + " (" + printable(op) + ")";
  const auto form = forms().find(op);
  if (form == forms().end() || (form->second.kind == Step::Kind::cast && major_ < float64_major))
    refuse(what_ + ": expected an operation that this engine knows");
  Step step{.kind = form->second.kind, .op = op, .operation = form->second.operation};
  read_operands(json, form->second.n_operand, step);
  read_rest(json, step);
  read_type_of(step);
  if (step.size < 1 || step.size > largest_value)
    refuse(what_ + ": expected a value of 1 to " + std::to_string(largest_value) +
           " numbers, got " + std::to_string(step.size));
  n_value_ += step.size;
  if (n_value_ > largest_values)
    refuse(what_ + ": expected values of at most " + std::to_string(largest_values) +
           " numbers together");
  program_.steps.push_back(std::move(step));
}

int64_t StepReader::step_number(const Json &json, const std::string &what) const {
  return whole(json, what, 0, static_cast<int64_t>(program_.steps.size()) - 1);
}

void StepReader::read_operands(const Json &json, int n_operand, Step &step) {
  const auto take = [&](const Json &operand) {
    step.operands.push_back(step_number(operand, what_ + ": operand"));
  };
  if (n_operand == 1) take(json.at("x"));
  for (const char *key : {"a", "b"})
    if (n_operand == 2) take(json.at(key));
  for (const char *key : {"condition", "a", "b"})
    if (n_operand == 3) take(json.at(key));
  if (step.kind == Step::Kind::concatenate)
    for (const auto &operand : list(json.at("xs"), what_ + ": xs", most_steps)) take(operand);
}

int64_t StepReader::size_of(const Step &step, size_t operand) const {
  return program_.steps[static_cast<size_t>(step.operands[operand])].size;
}

int64_t StepReader::tensor_number(const Json &json) const {
  return whole(json, what_ + ": tensor", 0, static_cast<int64_t>(program_.tensors.size()) - 1);
}

const Tensor &StepReader::tensor(int64_t number) const {
  return program_.tensors[static_cast<size_t>(number)];
}

int64_t StepReader::vector_or_null(const Json &json, const char *key, int64_t size) const {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return -1;
  const int64_t found_number = tensor_number(*found);
  if (tensor(found_number).size() != size)
    refuse(what_ + ": expected " + key + " of " + std::to_string(size) + " numbers, got " +
           std::to_string(tensor(found_number).size()));
  return found_number;
}

void StepReader::read_rest(const Json &json, Step &step) {
  switch (step.kind) {
    case Step::Kind::input:
      return read_input(json, step);
    case Step::Kind::constant:
      step.tensor = tensor_number(json.at("tensor"));
      step.size = tensor(step.tensor).size();
      return;
    case Step::Kind::linear:
      return read_linear(json, step);
    case Step::Kind::elementwise:
      return read_elementwise(json, step);
    case Step::Kind::cast:
    case Step::Kind::select:
      step.size = common_size(step);
      return;
    case Step::Kind::gather:
      for (const auto &index : list(json.at("index"), what_ + ": index", largest_value))
        step.index.push_back(
            static_cast<int32_t>(whole(index, what_ + ": index", 0, size_of(step, 0) - 1)));
      step.size = static_cast<int64_t>(step.index.size());
      return;
    case Step::Kind::concatenate:
      for (size_t i = 0; i < step.operands.size(); ++i) step.size += size_of(step, i);
      return;
    case Step::Kind::layer_norm:
      read_group(json, step);
      step.size = size_of(step, 0);
      step.tensor = vector_or_null(json, "weight", step.n_group);
      step.bias = vector_or_null(json, "bias", step.n_group);
      step.epsilon = number(json.at("eps"), what_ + ": eps");
      return;
    case Step::Kind::sum:
      read_group(json, step);
      step.size = size_of(step, 0) / step.n_group;
      return;
  }
}

void StepReader::read_input(const Json &json, Step &step) {
  const auto n_argument = static_cast<int64_t>(fields_.arguments.size());
  step.argument = whole(json.at("argument"), what_ + ": argument", 0, n_argument - 1);
  step.size = whole(json.at("size"), what_ + ": size", 1, largest_value);
  const auto &expected = fields_.arguments[static_cast<size_t>(step.argument)];
  if (step.size != expected.size)
    refuse(what_ + ": expected the " + std::to_string(expected.size) + " numbers of argument " +
           std::to_string(step.argument) + " in the specification, got " +
           std::to_string(step.size));
  step.type = read_type(json, what_, major_);
  if (step.type != expected.type)
    refuse(what_ + ": expected argument " + std::to_string(step.argument) + " in the " +
           name_of(expected.type) + " of the specification, got " + name_of(step.type));
}

void StepReader::read_linear(const Json &json, Step &step) {
  step.tensor = tensor_number(json.at("weight"));
  const auto &shape = tensor(step.tensor).shape;
  if (shape.size() != 2 || shape[1] != size_of(step, 0))
    refuse(what_ + ": expected a weight of shape [outputs, " + std::to_string(size_of(step, 0)) +
           "], got " + shown(shape));
  step.size = shape[0];
  step.bias = vector_or_null(json, "bias", step.size);
  n_weight_ += tensor(step.tensor).size();
  if (n_weight_ > most_weights)
    refuse(what_ + ": expected at most " + std::to_string(most_weights) +
           " weights of all linear steps together");
}

void StepReader::read_type_of(Step &step) const {
  if (step.kind == Step::Kind::input) return;
  if (step.kind == Step::Kind::cast) {
    step.type = step.op == name_of(Type::float64) ? Type::float64 : Type::float32;
    return;
  }
  std::vector<Type> read;
  for (const auto operand : step.operands)
    read.push_back(program_.steps[static_cast<size_t>(operand)].type);
  for (const auto number : {step.tensor, step.bias})
    if (number >= 0) read.push_back(tensor(number).type);
  for (const auto type : read)
    if (type != read.front())
      refuse(what_ + ": expected operands of one type, got float32 and float64");
  if (!read.empty()) step.type = read.front();
  if (step.operation == Operation::gelu && step.type != Type::float32)
    refuse(what_ + ": expected an operand in float32, got float64");
}

int64_t StepReader::common_size(const Step &step) const {
  int64_t common = 1;
  for (size_t i = 0; i < step.operands.size(); ++i) {
    const int64_t size = size_of(step, i);
    if (size != 1 && common != 1 && size != common)
      refuse(what_ + ": expected operands of one size, or of size 1, got " +
             std::to_string(common) + " and " + std::to_string(size));
    common = std::max(common, size);
  }
  return common;
}

void StepReader::read_elementwise(const Json &json, Step &step) {
  step.size = common_size(step);
  if (step.operation == Operation::leaky_relu)
    step.number = number(json.at("slope"), what_ + ": slope");
  if (step.operation == Operation::elu) step.number = number(json.at("alpha"), what_ + ": alpha");
  if (step.operation == Operation::power)
    step.exponent =
        static_cast<int32_t>(whole(json.at("exponent"), what_ + ": exponent", 1, largest_exponent));
  if (step.op != "clamp") return;
  if (!json.at("low").is_null()) step.low = number(json.at("low"), what_ + ": low");
  if (!json.at("high").is_null()) step.high = number(json.at("high"), what_ + ": high");
}

void StepReader::read_group(const Json &json, Step &step) {
  const int64_t size = size_of(step, 0);
  step.n_group = whole(json.at("n"), what_ + ": n", 1, size);
  if (size % step.n_group != 0)
    refuse(what_ + ": expected groups that divide the " + std::to_string(size) +
           " numbers of the operand, got groups of " + std::to_string(step.n_group));
}

}  // namespace hybrid_native
