// The interpreter of instructions and its arithmetic; compiled once for each instruction set.
//
// Nothing is included that brings functions with it: see code.hpp.

#include "code.hpp"
#include "elementwise.hpp"
#include "groups.hpp"
#include "matrix.hpp"
#include "movement.hpp"
#if defined(HYBRID_KERNELS_BF16)
#include "matrix_bf16.hpp"
#endif

#if defined(HYBRID_KERNELS_BF16)
#define HYBRID_KERNELS kernels_v4bf16
#define HYBRID_KERNELS_NAME "x86-64-v4 with bf16"
#elif defined(HYBRID_KERNELS_V4)
#define HYBRID_KERNELS kernels_v4
#define HYBRID_KERNELS_NAME "x86-64-v4"
#elif defined(HYBRID_KERNELS_V3)
#define HYBRID_KERNELS kernels_v3
#define HYBRID_KERNELS_NAME "x86-64-v3"
#elif defined(__x86_64__)
#define HYBRID_KERNELS kernels_base
#define HYBRID_KERNELS_NAME "x86-64"
#elif defined(__aarch64__)
#define HYBRID_KERNELS kernels_base
#define HYBRID_KERNELS_NAME "aarch64"
#else
#define HYBRID_KERNELS kernels_base
#define HYBRID_KERNELS_NAME "generic"
#endif

namespace hybrid_native {

namespace {

// Features that are worked on while they are in the first cache.
constexpr int64_t slab = 8;

constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

void run(const Code *code, const Columns *columns);

// Numbers from feature to feature of some columns of a block: no more than of the whole block.
constexpr int64_t stride_of(int64_t n) {
  constexpr int64_t narrow = 8, wide = lanes > narrow ? lanes : narrow;
  if (n <= 1) return 1;
  return n <= narrow ? narrow : (n + wide - 1) / wide * wide;
}

// Runs the instructions of a gate for the columns whose condition is not 0; those of the others
// keep whatever was there.
void run_gate(const Instruction &step, const Columns &columns) {
  const Gate &gate = *step.gate;
  const float *condition = columns.rows + step.from * columns.stride;
  int64_t chosen[largest_block];
  int64_t n = 0;
  for (int64_t column = 0; column < columns.n; ++column)
    if (condition[column] != 0.0f) chosen[n++] = column;
  if (n == 0) return;
  float *rows = columns.rows + gate.scratch * columns.stride;
  float *features = rows + (gate.n_row + row_unit) * columns.stride;
  float *found = features + gate.n_feature_in * n;
  take_columns(gate.inputs, gate.n_input, columns.rows, columns.stride, chosen, n, features,
               gate.n_feature_in);
  const float *const argument = features;
  const Columns some{&argument, &found, n, stride_of(n), rows};
  run(&gate.code, &some);
  put_columns(gate.outputs, gate.n_output, columns.rows, columns.stride, chosen, n, found,
              gate.n_feature_out);
}

// All operations that follow an instruction, on some features of its result. The first may read
// from elsewhere.
template <int n>
void apply_after(const Instruction &step, const Columns &columns, const float *from, int64_t first,
                 int64_t count) {
  const int64_t stride = columns.stride;
  float *to = columns.rows + (step.to + first) * stride;
  for (int32_t i = 0; i < step.n_after; ++i, from = to) {
    const auto &after = step.after[i];
    const int64_t feature = first * after.step;
    if (after.with == Elementwise::With::nothing)
      apply<n>(after, to, from, count * stride);
    else if (after.with == Elementwise::With::constants)
      apply_numbers<n>(after.operation, to, from, after.constants + feature, after.step, count,
                       stride);
    else if (after.step == 1)
      apply_values<n>(after.operation, to, from, columns.rows + (after.row + feature) * stride,
                      count * stride);
    else
      apply_row<n>(after.operation, to, from, columns.rows + after.row * stride, count, stride);
  }
}

template <int n>
void apply_after(const Instruction &step, const Columns &columns) {
  const float *to = columns.rows + step.to * columns.stride;
  for (int64_t first = 0; step.n_after > 0 && first < step.size; first += slab)
    apply_after<n>(step, columns, to + first * columns.stride, first,
                   least(slab, step.size - first));
}

#if defined(HYBRID_KERNELS_BF16)
// A matrix of bf16: its operand is rounded once, not for each panel.
template <int n>
void run_reduced(const Instruction &step, const Columns &columns, const float *from, float *to) {
  const int64_t stride = columns.stride, n_pair = (step.n_in + 1) / 2;
  float *words = columns.rows + step.scratch * stride;
  round_rows<n>(from, step.n_in, stride, words);
  for (int64_t first = 0; first < step.size; first += panel_height) {
    const int64_t count = least(panel_height, step.size - first);
    multiply_pairs(step.weight + first * (n_pair + 1), words, n_pair, stride, to + first * stride,
                   count);
    apply_after<n>(step, columns, to + first * stride, first, count);
  }
}
#endif

template <int n>
void run_instruction(const Instruction &step, const Columns &columns) {
  const int64_t stride = columns.stride;
  const float *from = columns.rows + step.from * stride;
  float *to = columns.rows + step.to * stride;
  switch (step.kind) {
    case Instruction::Kind::load:
      for (int64_t first = 0; first < step.size; first += slab) {
        const int64_t count = least(slab, step.size - first);
        load_features(columns.arguments[step.n_in], step.size, first, count, columns,
                      to + first * stride);
        apply_after<n>(step, columns, to + first * stride, first, count);
      }
      return;
    case Instruction::Kind::linear:
#if defined(HYBRID_KERNELS_BF16)
      if (step.is_reduced) return run_reduced<n>(step, columns, from, to);
#endif
      for (int64_t first = 0; first < step.size; first += panel_height) {
        const int64_t count = least(panel_height, step.size - first);
        multiply_panel(step.weight + first * (step.n_in + 1), from, step.n_in, stride,
                       to + first * stride, count);
        apply_after<n>(step, columns, to + first * stride, first, count);
      }
      return;
    case Instruction::Kind::move:
      if (step.n_after == 0) return copy(to, from, step.size * stride);
      for (int64_t first = 0; first < step.size; first += slab)
        apply_after<n>(step, columns, from + first * stride, first, least(slab, step.size - first));
      return;
    case Instruction::Kind::fill:
      for (int64_t feature = 0; feature < step.size; ++feature)
        for (int64_t column = 0; column < stride; column += n)
          store<n>(to + feature * stride + column, all<n>(step.weight[feature]));
      break;
    case Instruction::Kind::gather:
      for (int64_t feature = 0; feature < step.size; ++feature)
        copy(to + feature * stride, from + step.index[feature] * stride, stride);
      break;
    case Instruction::Kind::select:
      select(step, columns.rows, stride, to);
      break;
    case Instruction::Kind::layer_norm:
      normalise_columns<n>(step, from, to, stride);
      break;
    case Instruction::Kind::sum:
      sum_columns(step, from, to, stride);
      break;
    case Instruction::Kind::gate:
      return run_gate(step, columns);
    case Instruction::Kind::store:
      transpose(from, stride, columns.results[step.n_in], step.size, step.size, columns.n);
      return;
  }
  apply_after<n>(step, columns);
}

// One column: features are lanes.
void apply_after_one(const Instruction &step, const Columns &columns, const float *from) {
  constexpr int n = short_lanes;
  float *to = columns.rows + step.to;
  const int64_t count = (step.size + panel_height - 1) & ~(panel_height - 1);
  for (int32_t i = 0; i < step.n_after; ++i, from = to) {
    const auto &after = step.after[i];
    const bool is_constant = after.with == Elementwise::With::constants;
    const float *with = is_constant ? after.constants : columns.rows + after.row;
    if (after.with == Elementwise::With::nothing)
      apply<n>(after, to, from, count);
    else if (after.step == 1)
      apply_values<n>(after.operation, to, from, with, count);
    else
      apply_numbers<n>(after.operation, to, from, with, 0, 1, count);
  }
}

void run_instruction_one(const Instruction &step, const Columns &columns) {
  const float *from = columns.rows + step.from;
  float *to = columns.rows + step.to;
  switch (step.kind) {
    case Instruction::Kind::load:
      copy(to, columns.arguments[step.n_in], step.size);
      break;
    case Instruction::Kind::linear:
#if defined(HYBRID_KERNELS_BF16)
      if (step.is_reduced) {
        float *words = columns.rows + step.scratch;
        round_one(from, step.n_in, words);
        multiply_one_pairs(step.weight, words, (step.n_in + 1) / 2, to, step.size);
        break;
      }
#endif
      multiply_one(step.weight, from, step.n_in, to, step.size);
      break;
    case Instruction::Kind::move:
      if (step.n_after == 0) return copy(to, from, step.size);
      return apply_after_one(step, columns, from);
    case Instruction::Kind::fill:
      copy(to, step.weight, step.size);
      break;
    case Instruction::Kind::gather:
      for (int64_t feature = 0; feature < step.size; ++feature)
        to[feature] = from[step.index[feature]];
      break;
    case Instruction::Kind::select:
      select(step, columns.rows, 1, to);
      break;
    case Instruction::Kind::layer_norm:
      normalise_one(step, from, to);
      break;
    case Instruction::Kind::sum:
      sum_columns(step, from, to, 1);
      break;
    case Instruction::Kind::gate:
      return run_gate(step, columns);
    case Instruction::Kind::store:
      return copy(columns.results[step.n_in], from, step.size);
  }
  apply_after_one(step, columns, to);
}

void run(const Code *code, const Columns *columns) {
  const Instruction *end = code->instructions + code->n_instruction;
  if (columns->stride == 1) {
    for (const auto *step = code->instructions; step != end; ++step)
      run_instruction_one(*step, *columns);
  } else if (columns->stride % lanes == 0) {
    for (const auto *step = code->instructions; step != end; ++step)
      run_instruction<lanes>(*step, *columns);
  } else {
    for (const auto *step = code->instructions; step != end; ++step)
      run_instruction<short_lanes>(*step, *columns);
  }
}

}  // namespace

extern const Kernels HYBRID_KERNELS = {HYBRID_KERNELS_NAME, lanes, largest_block,
                                       lanes == 16 ? largest_block : largest_block / 2, run};

}  // namespace hybrid_native
