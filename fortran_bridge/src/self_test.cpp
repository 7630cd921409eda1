#include "self_test.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "closure.hpp"
#include "error.hpp"
#include "kinds.hpp"
#include "noise.hpp"

namespace hybrid {

namespace {

// All sizes are compared with this one: matrix products use their general kernels for it, and
// vector instructions, of which the widest take 16 numbers twice, leave no rest in an array of it.
constexpr int64_t reference_block = 32;
constexpr int warm_up_runs = 3;  // TorchScript profiles, then optimises, then is steady

// Other sizes leave a rest, the last numbers of an array, to other instructions. For sigmoid, SiLU
// and ELU these round 4 % of the numbers in another way, for softplus, Mish and powers more. Taken
// that a quarter of it shows in a result, it must not stay unseen with a chance of more than
// exp(-14), one in a million. Only small sizes are worth that many runs.
constexpr std::initializer_list<int64_t> sizes_with_rest = {4, 8, 16};
constexpr std::initializer_list<int64_t> sizes_without_rest = {64, 128, 256, 512};
constexpr double shown = 0.01;
constexpr double surely = 14.0;
constexpr int64_t fewest_blocks = 4;
// Where a network hides most of its roundings, more columns see more.
constexpr double seconds_to_spare = 0.01;
constexpr int64_t most_columns_to_spare = 4096;
// What a test may hold: arguments and results of its columns up to three times, for what is
// compared and for the block it runs in.
constexpr int64_t most_bytes = int64_t{1} << 27;
constexpr int64_t most_copies = 3;
constexpr double most_seconds = 1.0;

// Distance from zero, or from the one bound, of the values of an argument without two bounds: in
// one column of the first magnitude, in the next of the second, and so on.
using Magnitudes = std::vector<double>;
const Magnitudes one_magnitude = {1.0};
const Magnitudes several_magnitudes = {1.0, 10.0, 100.0, 1000.0};

double inside(const Field &field, int64_t element, double magnitude, double normal) {
  const auto bound = [&](const std::vector<double> &values, double fallback) {
    if (values.empty()) return fallback;
    return values.size() == 1 ? values[0] : values[static_cast<size_t>(element)];
  };
  const double width = 2.0 * magnitude;
  const double low = bound(field.valid_min, bound(field.valid_max, magnitude) - width);
  const double high = bound(field.valid_max, low + width);
  return low + (high - low) * (0.5 + 0.5 * std::clamp(normal / 3.0, -1.0, 1.0));
}

template <class Real>
void fill_random(const Field &field, int64_t number, int64_t n, const Buffers &buffers,
                 bool is_noise, const Magnitudes &magnitudes) {
  auto *values = reinterpret_cast<Real *>(buffers.row(static_cast<size_t>(number), 0));
  std::vector<int64_t> ids(static_cast<size_t>(n));
  std::iota(ids.begin(), ids.end(), 0);
  fill_noise(uint64_t{0}, number, 0, n, ids.data(), field.size(), values);
  if (is_noise) return;
  const int64_t size = field.size();
  for (int64_t i = 0; i < n * size; ++i) {
    const double magnitude = magnitudes[static_cast<size_t>(i / size) % magnitudes.size()];
    values[i] = static_cast<Real>(inside(field, i % size, magnitude, values[i]));
  }
}

Buffers random_arguments(const Spec &spec, int64_t n, const Magnitudes &magnitudes) {
  const auto fields = spec.arguments();
  Buffers buffers(fields, n);
  const size_t first_noise = fields.size() - spec.noise.size();
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto number = static_cast<int64_t>(i);
    with_kind(fields[i].kind, [&]<class Real>(Real) {
      fill_random<Real>(fields[i], number, n, buffers, i >= first_noise, magnitudes);
    });
  }
  return buffers;
}

Buffers reversed(const Buffers &rows, const std::vector<Field> &fields, int64_t n) {
  Buffers turned(fields, n);
  for (size_t field = 0; field < rows.count(); ++field)
    for (int64_t i = 0; i < n; ++i)
      std::memcpy(turned.row(field, i), rows.row(field, n - 1 - i),
                  static_cast<size_t>(rows.row_bytes(field)));
  return turned;
}

// Bit for bit, but for the bits of a NaN, which never reach a host.
bool same(const std::vector<Field> &fields, const Buffers &a, const Buffers &b, int64_t first,
          int64_t n) {
  for (size_t i = 0; i < fields.size(); ++i) {
    const bool is_same = with_kind(fields[i].kind, [&]<class Real>(Real) {
      const auto *values = reinterpret_cast<const Real *>(a.row(i, first));
      return std::equal(values, values + n * fields[i].size(),
                        reinterpret_cast<const Real *>(b.row(i, first)), [](Real one, Real other) {
                          return std::memcmp(&one, &other, sizeof one) == 0 ||
                                 (std::isnan(one) && std::isnan(other));
                        });
    });
    if (!is_same) return false;
  }
  return true;
}

struct Outcome {
  Buffers results;
  double seconds;  // of one block
};

// Evaluates rows of `arguments` block by block, as a binding does.
Outcome run_in_blocks(const Closure &closure, const Buffers &arguments, int64_t n, int64_t size) {
  const auto &spec = closure.spec();
  auto fields = spec.arguments();
  const Buffers block(fields, size);
  for (const auto &field : spec.results()) fields.push_back(field);
  const auto session = closure.prepare(size, Shapes(fields), block);
  Outcome outcome{Buffers(spec.results(), n), std::numeric_limits<double>::infinity()};
  for (int64_t first = 0; first < n; first += size) {
    for (size_t field = 0; field < block.count(); ++field)
      std::memcpy(block.row(field, 0), arguments.row(field, first),
                  static_cast<size_t>(size * block.row_bytes(field)));
    for (int i = 0; first == 0 && i < warm_up_runs; ++i) session.run(outcome.results, 0);
    const auto start = std::chrono::steady_clock::now();
    session.run(outcome.results, first);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    // The least, not the mean: what else the machine does only ever adds.
    outcome.seconds = std::min(outcome.seconds, elapsed.count());
  }
  return outcome;
}

int64_t bytes_a_column(const Spec &spec) {
  int64_t bytes = 0;
  for (const auto &fields : {spec.arguments(), spec.results()})
    for (const auto &field : fields) bytes += field.size() * static_cast<int64_t>(field.kind);
  return bytes;
}

bool fits(const Spec &spec, int64_t n) {
  return n <= most_bytes / most_copies / bytes_a_column(spec);
}

// A column must not feel its place in the block either.
bool rounds_alike_in_any_order(const Closure &closure, const Buffers &arguments,
                               const Buffers &results, int64_t n, int64_t size) {
  const auto &spec = closure.spec();
  const auto turned = reversed(arguments, spec.arguments(), n);
  const auto backwards = run_in_blocks(closure, turned, n, size).results;
  return same(spec.results(), results, reversed(backwards, spec.results(), n), 0, n);
}

// Whether the closure rounds so that it shows: of columns that are run alone, where nearly every
// instruction is another one, as many must differ as a test of other sizes counts on. Far from
// where it bends, a closure shows nothing, and that sizes agree there proves nothing.
bool shows_rounding(const Closure &closure, const Buffers &arguments, const Buffers &results,
                    int64_t n) {
  const auto fields = closure.spec().results();
  const auto alone = run_in_blocks(closure, arguments, n, 1).results;
  int64_t differing = 0;
  for (int64_t column = 0; column < n; ++column)
    differing += !same(fields, results, alone, column, 1);
  return static_cast<double>(differing) >= shown * static_cast<double>(n);
}

// How many blocks show that a size rounds alike.
int64_t blocks_to_run(int64_t size, double seconds_a_column) {
  const int64_t rest = size % reference_block;
  const int64_t needed =
      rest == 0 ? fewest_blocks
                : static_cast<int64_t>(std::ceil(surely / (shown * static_cast<double>(rest))));
  const double columns = std::min(seconds_to_spare / std::max(seconds_a_column, 1e-9),
                                  static_cast<double>(most_columns_to_spare));
  return std::max(needed, static_cast<int64_t>(columns) / size);
}

}  // namespace

SelfTest::SelfTest(const Closure &closure) {
  const auto &spec = closure.spec();
  if (spec.locality == "grid") return;
  const int64_t n = fewest_blocks * reference_block;
  if (!fits(spec, n)) {
    run_in_blocks(closure, random_arguments(spec, 1, one_magnitude), 1, 1);
    return;
  }
  const auto arguments = random_arguments(spec, n, one_magnitude);
  const auto reference = run_in_blocks(closure, arguments, n, reference_block);
  if (!rounds_alike_in_any_order(closure, arguments, reference.results, n, reference_block)) return;
  seconds_of_reference_ = reference.seconds;
  alike_ = {{reference_block, reference.seconds}};
  tried_.insert(reference_block);
  const auto try_all = [&](std::initializer_list<int64_t> sizes) {
    for (const int64_t size : sizes) {
      tried_.insert(size);
      try_size(closure, size);
    }
  };
  if (fields_without_bounds(spec).empty() &&
      shows_rounding(closure, arguments, reference.results, n))
    try_all(sizes_with_rest);
  try_all(sizes_without_rest);
}

void SelfTest::consider(const Closure &closure, std::initializer_list<int64_t> numbers) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const int64_t n : numbers) {
    const int64_t size = (n + reference_block - 1) / reference_block * reference_block;
    if (!tried_.count(reference_block) || size < 1 || !tried_.insert(size).second) continue;
    try_size(closure, size);
  }
}

void SelfTest::try_size(const Closure &closure, int64_t size) {
  const auto &spec = closure.spec();
  const double seconds_a_column = seconds_of_reference_ / static_cast<double>(reference_block);
  // Several blocks, and what they hold once more in blocks of the reference.
  const int64_t n_block = blocks_to_run(size, seconds_a_column) * size;
  const int64_t n = (n_block + reference_block - 1) / reference_block * reference_block;
  // A costly closure gains nothing from larger blocks that would pay for testing them.
  const double cost = seconds_a_column * static_cast<double>(n);
  if (cost > most_seconds || !fits(spec, n)) return;
  const auto arguments = random_arguments(spec, n, several_magnitudes);
  double seconds = 0.0;
  try {
    const auto reference = run_in_blocks(closure, arguments, n, reference_block);
    const auto outcome = run_in_blocks(closure, arguments, n_block, size);
    if (!same(spec.results(), reference.results, outcome.results, 0, n_block)) return;
    seconds = outcome.seconds;
  } catch (const Error &) {
    // A closure need not bear values of any magnitude; then the size is not tested.
    return;
  }
  const Block block{size, seconds};
  alike_.insert(std::upper_bound(alike_.begin(), alike_.end(), block,
                                 [](const Block &a, const Block &b) { return a.size < b.size; }),
                block);
}

std::vector<Block> SelfTest::alike() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto blocks = alike_;
  // More columns never take less time: where a clock says so, the machine was busy.
  for (size_t i = blocks.size() - 1; i > 0; --i)
    blocks[i - 1].seconds = std::min(blocks[i - 1].seconds, blocks[i].seconds);
  return blocks;
}

}  // namespace hybrid
