#include "program.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "../json_text.hpp"

namespace hybrid_native {

namespace {

using Json = nlohmann::json;
using hybrid::printable;

constexpr const char *program_entry = "extra/native.json";
constexpr int64_t first_major = 1, transposed_major = 2, last_major = 3;
constexpr int64_t most_extents = 16;

static_assert(std::endian::native == std::endian::little,
              "tensors of an archive are little-endian");

[[noreturn]] void refuse(const std::string &message) {
  throw std::runtime_error("native.json: " + message + "; export the closure again");
}

std::string shown(const Json &json) { return printable(json.dump()); }

int64_t whole(const Json &json, const std::string &what, int64_t least, int64_t most) {
  const bool fits = json.is_number_unsigned()
                        ? json.get<uint64_t>() <= static_cast<uint64_t>(most)
                        : json.is_number_integer() && json.get<int64_t>() <= most;
  if (!fits || json.get<int64_t>() < least)
    refuse(what + ": expected a whole number from " + std::to_string(least) + " to " +
           std::to_string(most) + ", got " + shown(json));
  return json.get<int64_t>();
}

double number(const Json &json, const std::string &what) {
  if (!json.is_number()) refuse(what + ": expected a number, got " + shown(json));
  return json.get<double>();
}

const char *name_of(Type type) { return type == Type::float64 ? "float64" : "float32"; }

// The type of a tensor or an argument; before format 3 there was one alone.
Type read_type(const Json &json, const std::string &what, int64_t major) {
  if (major < last_major) {
    if (json.contains("dtype")) refuse(what + ": expected no key 'dtype' before format 3");
    return Type::float32;
  }
  const auto &found = json.at("dtype");
  for (const auto type : {Type::float32, Type::float64})
    if (found == name_of(type)) return type;
  refuse(what + ": expected dtype \"float32\" or \"float64\", got " + shown(found));
}

const Json &list(const Json &json, const std::string &what, int64_t most) {
  if (!json.is_array() || static_cast<int64_t>(json.size()) > most)
    refuse(what + ": expected a list of at most " + std::to_string(most) + ", got " +
           json.type_name() + " of " + std::to_string(json.size()));
  return json;
}

// Whether a tensor is kept column by column; before format 2 there was none of this kind.
bool read_transposed(const Json &json, const std::string &what, size_t rank, int64_t major) {
  if (major < transposed_major) {
    if (json.contains("transposed")) refuse(what + ": expected no key 'transposed' in format 1.x");
    return false;
  }
  const auto &found = json.at("transposed");
  if (!found.is_boolean() || (found.get<bool>() && rank != 2))
    refuse(what + ": expected transposed to be false, or true of a matrix, got " + shown(found));
  return found.get<bool>();
}

Tensor read_tensor(const Json &json, const std::string &what, const Entries &entries,
                   int64_t major) {
  Tensor tensor{};
  int64_t size = 1;
  for (const auto &extent : list(json.at("shape"), what + ": shape", most_extents)) {
    tensor.shape.push_back(whole(extent, what + ": shape", 1, most_weights));
    if (tensor.shape.back() > most_weights / size)
      refuse(what + ": expected at most " + std::to_string(most_weights) + " numbers");
    size *= tensor.shape.back();
  }
  const auto name = json.at("entry").get<std::string>();
  const auto content = entries(name);
  if (!content)
    refuse(what + ": expected entry '" + printable(name) + "', got none in the archive");
  tensor.type = read_type(json, what, major);
  const auto held = static_cast<int64_t>(content->size() / tensor.item());
  const int64_t first = whole(json.at("first"), what + ": first", 0, held);
  if (size > held - first)
    refuse(what + ": expected " + std::to_string(size) + " numbers from number " +
           std::to_string(first) + " on in entry '" + printable(name) + "', got " +
           std::to_string(held - first));
  tensor.bytes = reinterpret_cast<const unsigned char *>(content->data()) +
                 static_cast<size_t>(first) * tensor.item();
  tensor.is_transposed = read_transposed(json, what, tensor.shape.size(), major);
  return tensor;
}

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

// Reads steps one by one, each against those before it.
class Reader {
 public:
  Reader(Program &program, const Forms &fields, int64_t major)
      : program_(program), fields_(fields), major_(major) {}

  void add(const Json &json) {
    const auto op = json.at("op").get<std::string>();
    what_ = "step " + std::to_string(program_.steps.size()) + " (" + printable(op) + ")";
    const auto form = forms().find(op);
    if (form == forms().end() || (form->second.kind == Step::Kind::cast && major_ < last_major))
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

  int64_t step_number(const Json &json, const std::string &what) const {
    return whole(json, what, 0, static_cast<int64_t>(program_.steps.size()) - 1);
  }

 private:
  void read_operands(const Json &json, int n_operand, Step &step) {
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

  int64_t size_of(const Step &step, size_t operand) const {
    return program_.steps[static_cast<size_t>(step.operands[operand])].size;
  }

  int64_t tensor_number(const Json &json) const {
    return whole(json, what_ + ": tensor", 0, static_cast<int64_t>(program_.tensors.size()) - 1);
  }

  const Tensor &tensor(int64_t number) const {
    return program_.tensors[static_cast<size_t>(number)];
  }

  // A tensor of this many numbers, or none.
  int64_t vector_or_null(const Json &json, const char *key, int64_t size) const {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return -1;
    const int64_t found_number = tensor_number(*found);
    if (tensor(found_number).size() != size)
      refuse(what_ + ": expected " + key + " of " + std::to_string(size) + " numbers, got " +
             std::to_string(tensor(found_number).size()));
    return found_number;
  }

  void read_rest(const Json &json, Step &step) {
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

  void read_input(const Json &json, Step &step) {
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

  void read_linear(const Json &json, Step &step) {
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

  // A value has the type of all that it is made of.
  void read_type_of(Step &step) const {
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

  // Of operands that have one size, or one number for all features.
  int64_t common_size(const Step &step) const {
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

  void read_elementwise(const Json &json, Step &step) {
    step.size = common_size(step);
    if (step.operation == Operation::leaky_relu)
      step.number = number(json.at("slope"), what_ + ": slope");
    if (step.operation == Operation::elu) step.number = number(json.at("alpha"), what_ + ": alpha");
    if (step.operation == Operation::power)
      step.exponent = static_cast<int32_t>(
          whole(json.at("exponent"), what_ + ": exponent", 1, largest_exponent));
    if (step.op != "clamp") return;
    if (!json.at("low").is_null()) step.low = number(json.at("low"), what_ + ": low");
    if (!json.at("high").is_null()) step.high = number(json.at("high"), what_ + ": high");
  }

  void read_group(const Json &json, Step &step) {
    const int64_t size = size_of(step, 0);
    step.n_group = whole(json.at("n"), what_ + ": n", 1, size);
    if (size % step.n_group != 0)
      refuse(what_ + ": expected groups that divide the " + std::to_string(size) +
             " numbers of the operand, got groups of " + std::to_string(step.n_group));
  }

  Program &program_;
  const Forms &fields_;
  int64_t major_;
  std::string what_;
  int64_t n_value_ = 0;
  int64_t n_weight_ = 0;
};

void read_results(const Json &json, const Reader &reader, const Forms &fields, Program &program) {
  const auto n_result = static_cast<int64_t>(fields.results.size());
  if (!json.is_array() || static_cast<int64_t>(json.size()) != n_result)
    refuse("expected the " + std::to_string(n_result) +
           " results (outputs, new state) of the specification, got " + shown(json));
  for (const auto &entry : json) {
    const std::string what = "result " + std::to_string(program.results.size());
    const int64_t step = reader.step_number(entry, what);
    const auto &expected = fields.results[program.results.size()];
    const int64_t size = program.steps[static_cast<size_t>(step)].size;
    const Type type = program.steps[static_cast<size_t>(step)].type;
    if (size != expected.size)
      refuse(what + ": expected the " + std::to_string(expected.size) +
             " numbers of the specification, got " + std::to_string(size));
    if (type != expected.type)
      refuse(what + ": expected the " + name_of(expected.type) + " of the specification, got " +
             name_of(type));
    program.results.push_back(step);
  }
}

}  // namespace

int64_t Tensor::size() const {
  int64_t total = 1;
  for (const auto extent : shape) total *= extent;
  return total;
}

void Tensor::copy(int64_t first, int64_t count, void *to) const {
  if (is_transposed) {
    auto *next = static_cast<unsigned char *>(to);
    for (int64_t i = first; i < first + count; ++i, next += item()) {
      const int64_t kept = i % shape[1] * shape[0] + i / shape[1];
      std::memcpy(next, bytes + static_cast<size_t>(kept) * item(), item());
    }
    return;
  }
  std::memcpy(to, bytes + static_cast<size_t>(first) * item(), static_cast<size_t>(count) * item());
}

Program read_program(const Entries &entries, const Forms &fields) {
  const auto text = entries(program_entry);
  if (!text)
    throw std::runtime_error(
        "expected a native program in the archive, got none; load it with "
        "engine 'torchscript', or export the closure again");
  if (text->size() > hybrid::largest_json)
    refuse("expected at most " + std::to_string(hybrid::largest_json >> 20) + " MiB, got more");
  try {
    const auto json = hybrid::parse_json(std::string(*text));
    const auto &format = json.at("format");
    const auto &major = format.at("major");
    if (!major.is_number_integer() || major < first_major || major > last_major)
      refuse("expected native program format " + std::to_string(first_major) + ".x to " +
             std::to_string(last_major) + ".x, got " + shown(format) +
             "; install a hybrid-closures that reads it");
    Program program;
    for (const auto &entry : list(json.at("tensors"), "tensors", most_tensors))
      program.tensors.push_back(read_tensor(entry,
                                            "tensor " + std::to_string(program.tensors.size()),
                                            entries, major.get<int64_t>()));
    Reader reader(program, fields, major.get<int64_t>());
    for (const auto &entry : list(json.at("steps"), "steps", most_steps)) reader.add(entry);
    read_results(json.at("results"), reader, fields, program);
    return program;
  } catch (const Json::exception &error) {
    refuse(std::string("expected a native program, got text that does not read as one (") +
           printable(error.what()) + ")");
  }
}

}  // namespace hybrid_native
