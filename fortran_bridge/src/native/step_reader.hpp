// Steps of a program, read one by one.
#pragma once

#include <string>

#include "program_json.hpp"

namespace hybrid_native {

// Adds steps to a program, each checked against those before it.
class StepReader {
 public:
  // The program has its tensors.
  StepReader(Program &program, const Forms &fields, int64_t major);

  void add(const Json &json);

  // The number of a step that is there.
  int64_t step_number(const Json &json, const std::string &what) const;

 private:
  void read_operands(const Json &json, int n_operand, Step &step);
  int64_t size_of(const Step &step, size_t operand) const;
  int64_t tensor_number(const Json &json) const;
  const Tensor &tensor(int64_t number) const;
  // A tensor of this many numbers, or none.
  int64_t vector_or_null(const Json &json, const char *key, int64_t size) const;
  void read_rest(const Json &json, Step &step);
  void read_input(const Json &json, Step &step);
  void read_linear(const Json &json, Step &step);
  // A value has the type of all that it is made of.
  void read_type_of(Step &step) const;
  // Of operands that have one size, or one number for all features.
  int64_t common_size(const Step &step) const;
  void read_elementwise(const Json &json, Step &step);
  void read_group(const Json &json, Step &step);

  Program &program_;
  const Forms &fields_;
  int64_t major_;
  std::string what_;
  int64_t n_value_ = 0;
  int64_t n_weight_ = 0;
};

}  // namespace hybrid_native
