#include "regions.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace hybrid_native {

namespace {

// Products a number that is moved: moving one takes about as long as 64 products of AVX-512.
constexpr int64_t least_products = 128;

constexpr int64_t unused = -2, outside = -1;

// Of each step the condition of the select for whose first choice alone it is needed, `outside` if
// it is needed for something else.
std::vector<int64_t> conditions(const Program &program) {
  std::vector<int64_t> of(program.steps.size(), unused);
  for (const auto result : program.results) of[static_cast<size_t>(result)] = outside;
  for (size_t i = program.steps.size(); i-- > 0;) {
    const auto &step = program.steps[i];
    if (of[i] == unused) continue;
    if (step.kind == Step::Kind::input || step.kind == Step::Kind::constant) of[i] = outside;
    for (size_t k = 0; k < step.operands.size(); ++k) {
      int64_t wanted = of[i];
      if (wanted == outside && step.kind == Step::Kind::select && k == 1) {
        const auto &condition = program.steps[static_cast<size_t>(step.operands[0])];
        if (condition.size == 1 && condition.kind != Step::Kind::constant)
          wanted = step.operands[0];
      }
      auto &operand = of[static_cast<size_t>(step.operands[k])];
      operand = operand == unused || operand == wanted ? wanted : outside;
    }
  }
  return of;
}

// Columns are moved in float32 alone.
bool is_single(const Program &program, const Region &region) {
  for (const auto *steps : {&region.steps, &region.inputs})
    for (const auto i : *steps)
      if (program.steps[static_cast<size_t>(i)].type != Type::float32) return false;
  return program.steps[static_cast<size_t>(region.condition)].type == Type::float32;
}

int64_t products(const Program &program, const Region &region) {
  int64_t count = 0;
  for (const auto i : region.steps) {
    const auto &step = program.steps[static_cast<size_t>(i)];
    if (step.kind == Step::Kind::linear)
      count += program.tensors[static_cast<size_t>(step.tensor)].size();
  }
  return count;
}

}  // namespace

int64_t total_size(const Program &program, const std::vector<int64_t> &steps) {
  return std::accumulate(steps.begin(), steps.end(), int64_t{0}, [&](int64_t sum, int64_t i) {
    return sum + program.steps[static_cast<size_t>(i)].size;
  });
}

std::vector<Region> find_regions(const Program &program) {
  const auto of = conditions(program);
  std::map<int64_t, Region> regions;
  std::map<int64_t, std::set<int64_t>> inputs, outputs;
  std::map<int64_t, int64_t> first_use;
  for (size_t i = 0; i < program.steps.size(); ++i) {
    if (of[i] >= 0) regions[of[i]].steps.push_back(static_cast<int64_t>(i));
    for (const auto operand : program.steps[i].operands) {
      const int64_t theirs = of[static_cast<size_t>(operand)];
      if (of[i] == theirs || of[i] == unused) continue;
      const bool is_constant =
          program.steps[static_cast<size_t>(operand)].kind == Step::Kind::constant;
      if (of[i] >= 0 && !is_constant) inputs[of[i]].insert(operand);
      if (theirs >= 0) {
        outputs[theirs].insert(operand);
        first_use.try_emplace(theirs, static_cast<int64_t>(i));
      }
    }
  }
  std::vector<Region> found;
  for (auto &[condition, region] : regions) {
    region.condition = condition;
    region.inputs.assign(inputs[condition].begin(), inputs[condition].end());
    region.outputs.assign(outputs[condition].begin(), outputs[condition].end());
    region.place = std::max(condition, region.inputs.empty() ? 0 : region.inputs.back());
    const int64_t moved = total_size(program, region.inputs) + total_size(program, region.outputs);
    const bool is_ready =
        !region.inputs.empty() && region.place < first_use[condition] && is_single(program, region);
    if (is_ready && products(program, region) >= least_products * moved)
      found.push_back(std::move(region));
  }
  return found;
}

Program region_program(const Program &program, const Region &region) {
  Program made;
  made.tensors = program.tensors;
  std::map<int64_t, int64_t> number;
  const auto add = [&](Step step) {
    made.steps.push_back(std::move(step));
    return static_cast<int64_t>(made.steps.size()) - 1;
  };
  const int64_t n_in = total_size(program, region.inputs);
  add({.kind = Step::Kind::input, .op = "input", .size = n_in, .argument = 0});
  int32_t first = 0;
  for (const auto i : region.inputs) {
    const int64_t size = program.steps[static_cast<size_t>(i)].size;
    Step part{.kind = Step::Kind::gather, .op = "gather", .size = size, .operands = {0}};
    part.index.resize(static_cast<size_t>(size));
    std::iota(part.index.begin(), part.index.end(), first);
    first += static_cast<int32_t>(size);
    number[i] = add(std::move(part));
  }
  for (const auto i : region.steps) {
    Step step = program.steps[static_cast<size_t>(i)];
    for (auto &operand : step.operands) {
      // What is outside and no input is a constant.
      if (!number.count(operand))
        number[operand] = add(program.steps[static_cast<size_t>(operand)]);
      operand = number.at(operand);
    }
    number[i] = add(std::move(step));
  }
  Step joined{.kind = Step::Kind::concatenate, .op = "concatenate"};
  joined.size = total_size(program, region.outputs);
  for (const auto i : region.outputs) joined.operands.push_back(number.at(i));
  made.results = {add(std::move(joined))};
  return made;
}

}  // namespace hybrid_native
