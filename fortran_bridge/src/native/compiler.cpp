#include "compiler.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "bf16_weights.hpp"
#include "regions.hpp"
#include "storage.hpp"

namespace hybrid_native {

namespace {

constexpr int64_t none = -1;

// One instruction before its rows are known, and the operations that follow it.
struct Group {
  Instruction instruction{};
  int64_t value = none;    // step of the result; none for a store
  int64_t from = none;     // step of the operand
  int64_t to_feature = 0;  // where in the result it begins: parts of a concatenation
  int64_t order = 0;       // place among the others: its last step
  std::vector<Elementwise> after;
  std::vector<int64_t> choices = {};  // steps between which a select chooses
  std::vector<int64_t> with;          // step of the second operand of each of these, or none
  const Region *region = nullptr;     // of a gate
  std::shared_ptr<CompiledGate> gate = {};
};

// The same of operands in the other order.
Operation swapped(Operation operation) {
  switch (operation) {
    case Operation::subtract:
      return Operation::subtract_from;
    case Operation::divide:
      return Operation::divide_into;
    case Operation::less:
      return Operation::greater;
    case Operation::less_equal:
      return Operation::greater_equal;
    default:
      return operation;
  }
}

// A value that is a part of another one.
struct View {
  int64_t of = none;
  int64_t first = 0;
};

class Compiler {
 public:
  Compiler(const Program &program, std::vector<Region> regions, bool is_reduced)
      : program_(program),
        is_reduced_(is_reduced),
        regions_(std::move(regions)),
        constants_(program),
        uses_(program.steps.size(), 0),
        producer_(program.steps.size(), none),
        views_(program.steps.size()) {}

  Compiled run() {
    count_uses();
    std::vector<bool> is_inside(program_.steps.size(), false);
    std::multimap<size_t, const Region *> gate_behind;
    for (const auto &region : regions_) {
      for (const auto i : region.steps) is_inside[static_cast<size_t>(i)] = true;
      gate_behind.emplace(static_cast<size_t>(region.place), &region);
    }
    for (size_t i = 0; i < program_.steps.size(); ++i) {
      if (uses_[i] > 0 && !is_inside[i]) translate(static_cast<int64_t>(i));
      const auto [first, last] = gate_behind.equal_range(i);
      for (auto found = first; found != last; ++found) add_gate(*found->second);
    }
    for (size_t i = 0; i < program_.results.size(); ++i) add_store(static_cast<int64_t>(i));
    // Stable: parts of a concatenation stay in order, stores come behind what they store.
    std::stable_sort(groups_.begin(), groups_.end(),
                     [](const Group &a, const Group &b) { return a.order < b.order; });
    place_rows();
    return finish();
  }

 private:
  const Step &step(int64_t i) const { return program_.steps[static_cast<size_t>(i)]; }

  void count_uses() {
    for (const auto result : program_.results) ++uses_[static_cast<size_t>(result)];
    for (size_t i = program_.steps.size(); i-- > 0;)
      if (uses_[i] > 0)
        for (const auto operand : program_.steps[i].operands) ++uses_[static_cast<size_t>(operand)];
  }

  // Rows of a feature.
  int64_t width(int64_t i) const { return step(i).type == Type::float64 ? 2 : 1; }

  bool is_constant(int64_t i) const { return step(i).kind == Step::Kind::constant; }

  // Begins a group whose result is the value of step i.
  Group &begin(int64_t i, Instruction::Kind kind, int64_t from) {
    Group group;
    group.instruction.kind = kind;
    group.instruction.type = step(i).type;
    group.instruction.size = step(i).size;
    group.value = group.order = i;
    group.from = from;
    producer_[static_cast<size_t>(i)] = static_cast<int64_t>(groups_.size());
    groups_.push_back(std::move(group));
    return groups_.back();
  }

  // A constant that is needed as rows gets some.
  void materialise(int64_t i) {
    if (!is_constant(i) || producer_[static_cast<size_t>(i)] != none) return;
    begin(i, Instruction::Kind::fill, none).instruction.weight = constants_.plain(step(i).tensor);
  }

  void translate(int64_t i) {
    const auto &of = step(i);
    if (of.kind != Step::Kind::elementwise)
      for (const auto operand : of.operands) materialise(operand);
    const int64_t x = of.operands.empty() ? none : of.operands[0];
    switch (of.kind) {
      case Step::Kind::constant:
        return;
      case Step::Kind::input:
        begin(i, Instruction::Kind::load, none).instruction.n_in = of.argument;
        return;
      case Step::Kind::linear: {
        auto &instruction = begin(i, Instruction::Kind::linear, x).instruction;
        instruction.n_in = step(x).size;
        const auto &weight = program_.tensors[static_cast<size_t>(of.tensor)];
        instruction.is_reduced =
            is_reduced_ && of.type == Type::float32 && weight.size() >= least_reduced;
        instruction.weight = instruction.is_reduced ? constants_.pair_panels(of.tensor, of.bias)
                                                    : constants_.panels(of.tensor, of.bias);
        ++matrices_.all;
        matrices_.reduced += instruction.is_reduced ? 1 : 0;
        return;
      }
      case Step::Kind::gather:
        return gather(i);
      case Step::Kind::concatenate:
        return concatenate(i);
      case Step::Kind::layer_norm: {
        auto &instruction = begin(i, Instruction::Kind::layer_norm, x).instruction;
        instruction.n_group = of.n_group;
        instruction.weight = constants_.plain(of.tensor);
        instruction.bias = constants_.plain(of.bias);
        instruction.epsilon = of.epsilon;
        return;
      }
      case Step::Kind::sum:
        begin(i, Instruction::Kind::sum, x).instruction.n_group = of.n_group;
        return;
      case Step::Kind::cast:
        if (step(x).type == of.type)
          views_[static_cast<size_t>(i)] = {x, 0};
        else
          begin(i, Instruction::Kind::cast, x);
        return;
      case Step::Kind::select: {
        auto &group = begin(i, Instruction::Kind::select, x);
        group.choices = {of.operands[1], of.operands[2]};
        for (size_t k = 0; k < 3; ++k)
          group.instruction.step[k] = step(of.operands[k]).size == of.size ? 1 : 0;
        return;
      }
      case Step::Kind::elementwise:
        return elementwise(i);
    }
  }

  void gather(int64_t i) {
    const auto &of = step(i);
    bool is_slice = true;
    for (size_t k = 1; k < of.index.size(); ++k) is_slice &= of.index[k] == of.index[k - 1] + 1;
    if (is_slice) {
      views_[static_cast<size_t>(i)] = {of.operands[0], of.index[0]};
      return;
    }
    indices_.push_back(of.index);
    begin(i, Instruction::Kind::gather, of.operands[0]).instruction.index = indices_.back().data();
  }

  // Moves of the parts; operations that follow belong to the last instruction, in place.
  void concatenate(int64_t i) {
    int64_t feature = 0;
    for (const auto operand : step(i).operands) {
      auto &part = begin(i, Instruction::Kind::move, operand);
      part.instruction.size = step(operand).size;
      part.to_feature = feature;
      feature += step(operand).size;
    }
    begin(i, Instruction::Kind::move, i);
  }

  // Whether operations may follow the group that makes the value of step i: nobody else needs it.
  bool is_open(int64_t i) const {
    return uses_[static_cast<size_t>(i)] == 1 && producer_[static_cast<size_t>(i)] != none;
  }

  void elementwise(int64_t i) {
    const auto &of = step(i);
    // The operand that the operation goes on from: a whole one, the latest that is open.
    size_t first = 0;
    if (of.operands.size() == 2) {
      const auto rank = [&](size_t k) {
        const int64_t operand = of.operands[k];
        if (step(operand).size != of.size) return int64_t{-2};
        if (is_constant(operand)) return int64_t{-1};
        return is_open(operand) ? operand : int64_t{0};
      };
      first = rank(1) > rank(0) ? 1 : 0;
    }
    const int64_t x = of.operands[first];
    const int64_t other = of.operands.size() == 2 ? of.operands[1 - first] : none;
    materialise(x);
    if (!is_open(x)) begin(i, Instruction::Kind::move, x);
    const int64_t number = producer_[static_cast<size_t>(is_open(x) ? x : i)];
    auto &group = groups_[static_cast<size_t>(number)];
    group.value = group.order = i;
    producer_[static_cast<size_t>(i)] = number;
    if (group.instruction.kind == Instruction::Kind::move && group.from == x && is_open(x))
      group.from = i;  // the end of a concatenation works in place
    if (is_open(x)) rename(x, i, number);
    append(of, other, first == 1, group);
  }

  // Parts of a concatenation belong to the value that their group ends with.
  void rename(int64_t before, int64_t after, int64_t last) {
    for (auto number = last - 1; number >= 0; --number) {
      auto &part = groups_[static_cast<size_t>(number)];
      if (part.value != before) return;
      part.value = after;
    }
  }

  void append(const Step &of, int64_t other, bool is_swapped, Group &group) {
    const auto add = [&](Elementwise added) {
      group.after.push_back(added);
      group.with.push_back(added.with == Elementwise::With::values ? other : none);
    };
    Elementwise added{};
    added.operation = of.operation;
    added.number = of.number;
    added.exponent = of.exponent;
    if (of.op == "clamp") {
      if (of.low) add({.operation = Operation::clamp_low, .number = *of.low});
      if (of.high) add({.operation = Operation::clamp_high, .number = *of.high});
      return;
    }
    if (other != none) {
      added.with = is_constant(other) ? Elementwise::With::constants : Elementwise::With::values;
      if (is_constant(other)) added.constants = constants_.plain(step(other).tensor);
      added.step = step(other).size == of.size ? 1 : 0;
      if (is_swapped) added.operation = swapped(of.operation);
    }
    add(added);
  }

  void add_gate(const Region &region) {
    auto made = std::make_shared<CompiledGate>();
    made->compiled = Compiler(region_program(program_, region), {}, is_reduced_).run();
    matrices_.all += made->compiled.matrices.all;
    matrices_.reduced += made->compiled.matrices.reduced;
    auto &gate = made->gate;
    gate.code = made->compiled.code();
    gate.n_feature_in = total_size(program_, region.inputs);
    gate.n_feature_out = total_size(program_, region.outputs);
    gate.n_row = made->compiled.n_row;
    Group group;
    group.instruction.kind = Instruction::Kind::gate;
    group.from = region.condition;
    group.order = region.place;
    group.region = &region;
    group.gate = std::move(made);
    groups_.push_back(std::move(group));
  }

  void add_store(int64_t result) {
    const int64_t i = program_.results[static_cast<size_t>(result)];
    materialise(i);
    Group group;
    group.instruction.kind = Instruction::Kind::store;
    group.instruction.type = step(i).type;
    group.instruction.size = step(i).size;
    group.instruction.n_in = result;
    group.from = group.order = i;
    groups_.push_back(std::move(group));
  }

  // The value whose rows hold those of step i, and where they begin in it.
  View rows_of(int64_t i) const {
    View found{i, 0};
    while (views_[static_cast<size_t>(found.of)].of != none) {
      const auto &view = views_[static_cast<size_t>(found.of)];
      found = {view.of, found.first + view.first};
    }
    return found;
  }

  void place_rows() {
    std::map<int64_t, size_t> last_use;
    const auto use = [&](int64_t i, size_t group) {
      if (i != none) last_use[rows_of(i).of] = group;
    };
    for (size_t g = 0; g < groups_.size(); ++g) {
      use(groups_[g].value, g);
      use(groups_[g].from, g);
      for (const auto with : groups_[g].with) use(with, g);
      for (const auto choice : groups_[g].choices) use(choice, g);
      if (!groups_[g].region) continue;
      for (const auto input : groups_[g].region->inputs) use(input, g);
      for (const auto output : groups_[g].region->outputs) use(output, g);
    }
    std::map<size_t, std::vector<int64_t>> ends;
    for (const auto &[value, group] : last_use) ends[group].push_back(value);
    RowAllocator allocator;
    std::map<int64_t, int64_t> first_row;
    const auto row = [&](int64_t i) {
      const auto view = rows_of(i);
      return first_row.at(view.of) + view.first * width(i);
    };
    for (size_t g = 0; g < groups_.size(); ++g) {
      auto &group = groups_[g];
      if (group.value != none) {
        if (!first_row.count(group.value))
          first_row[group.value] = allocator.take(step(group.value).size * width(group.value));
        group.instruction.to = first_row[group.value] + group.to_feature * width(group.value);
      }
      if (group.from != none) group.instruction.from = row(group.from);
      for (size_t k = 0; k < group.choices.size(); ++k)
        group.instruction.choice[k] = row(group.choices[k]);
      for (size_t k = 0; k < group.with.size(); ++k)
        if (group.with[k] != none) group.after[k].row = row(group.with[k]);
      if (group.instruction.is_reduced) {
        group.instruction.scratch = allocator.take(pairs_of(group.instruction.n_in));
        allocator.give_back(group.instruction.scratch);
      }
      if (group.region) {
        auto &made = *group.gate;
        for (const auto output : group.region->outputs)
          first_row[output] = allocator.take(step(output).size);
        const auto rows = [&](int64_t i) { return Rows{row(i), step(i).size}; };
        for (const auto input : group.region->inputs) made.inputs.push_back(rows(input));
        for (const auto output : group.region->outputs) made.outputs.push_back(rows(output));
        auto &gate = made.gate;
        gate.scratch =
            allocator.take(gate.n_row + row_unit + gate.n_feature_in + gate.n_feature_out);
        allocator.give_back(gate.scratch);
      }
      for (const auto value : ends[g]) allocator.give_back(first_row.at(value));
    }
    n_row_ = allocator.n_row();
  }

  Compiled finish() {
    Compiled compiled{{}, {}, std::move(indices_), constants_.take(), {}, n_row_, matrices_};
    size_t n_after = 0;
    for (const auto &group : groups_) n_after += group.after.size();
    compiled.elementwise.reserve(n_after);  // addresses are kept
    for (auto &group : groups_) {
      auto &instruction = group.instruction;
      const bool is_idle = instruction.kind == Instruction::Kind::move && group.after.empty() &&
                           instruction.from == instruction.to;
      if (is_idle) continue;
      if (group.gate) {
        auto &gate = group.gate->gate;
        gate.inputs = group.gate->inputs.data();
        gate.outputs = group.gate->outputs.data();
        gate.n_input = static_cast<int64_t>(group.gate->inputs.size());
        gate.n_output = static_cast<int64_t>(group.gate->outputs.size());
        instruction.gate = &gate;
        compiled.gates.push_back(std::move(group.gate));
      }
      instruction.n_after = static_cast<int32_t>(group.after.size());
      instruction.after = compiled.elementwise.data() + compiled.elementwise.size();
      compiled.elementwise.insert(compiled.elementwise.end(), group.after.begin(),
                                  group.after.end());
      compiled.instructions.push_back(instruction);
    }
    return compiled;
  }

  const Program &program_;
  bool is_reduced_;
  MatrixCount matrices_;
  std::vector<Region> regions_;
  Constants constants_;
  std::vector<int64_t> uses_;
  std::vector<int64_t> producer_;  // group of each step's value
  std::vector<View> views_;
  std::vector<Group> groups_;
  std::vector<std::vector<int32_t>> indices_;
  int64_t n_row_ = 0;
};

}  // namespace

Compiled compile(const Program &program, bool is_reduced) {
  return Compiler(program, find_regions(program), is_reduced).run();
}

}  // namespace hybrid_native
