#include "self_test.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>

#include "block_runner.hpp"
#include "closure.hpp"
#include "error.hpp"
#include "kinds.hpp"
#include "noise.hpp"

namespace hybrid {

namespace {

// All sizes are compared with this one: matrix products use their general kernels for it, and
// vector instructions, of which the widest take 16 numbers twice, leave no rest in an array of it.
constexpr int64_t reference_block = 32;

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
// What all tests of sizes at load may take together; those of a costly closure wait for a binding,
// which knows what sizes it has use for. And what the test of one size for a binding may take.
constexpr double seconds_at_load = 0.5;
// Of a closure whose blocks take longer, sizes that leave a rest are not worth a test.
constexpr double seconds_of_costly_block = 0.1;
constexpr double most_seconds = 2.0;

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
bool rounds_alike_in_any_order(const Closure &closure, BlockRunner &blocks,
                               const Buffers &arguments, const Buffers &results, int64_t n) {
  const auto &spec = closure.spec();
  const auto turned = reversed(arguments, spec.arguments(), n);
  const Buffers backwards(spec.results(), n);
  blocks.run(turned, backwards, 0, n);
  return same(spec.results(), results, reversed(backwards, spec.results(), n), 0, n);
}

// Whether the closure rounds so that it shows: of columns that are run alone, where nearly every
// instruction is another one, as many must differ as a test of other sizes counts on. Far from
// where it bends, a closure shows nothing, and that sizes agree there proves nothing.
bool shows_rounding(const Closure &closure, const Buffers &arguments, const Buffers &results,
                    int64_t n) {
  const auto fields = closure.spec().results();
  const Buffers alone(fields, n);
  BlockRunner one(closure, 1);
  const auto enough = static_cast<int64_t>(std::ceil(shown * static_cast<double>(n)));
  int64_t differing = 0;
  for (int64_t column = 0; column < n && differing < enough; ++column) {
    one.run(arguments, alone, column, 1);
    differing += !same(fields, results, alone, column, 1);
  }
  return differing >= enough;
}

int64_t whole_blocks(int64_t n) {
  return (n + reference_block - 1) / reference_block * reference_block;
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

// Columns of several magnitudes, and what blocks of the reference size make of them; as many as
// have been asked for.
struct SelfTest::Reference {
  const Closure &closure;
  int64_t n = 0;
  Buffers arguments = {};
  Buffers results = {};
  std::optional<BlockRunner> blocks = {};

  void reach(int64_t wanted) {
    if (wanted <= n) return;
    const auto &spec = closure.spec();
    // A column is the same however many follow.
    arguments = random_arguments(spec, wanted, several_magnitudes);
    Buffers more(spec.results(), wanted);
    for (size_t field = 0; n > 0 && field < more.count(); ++field)
      std::memcpy(more.row(field, 0), results.row(field, 0),
                  static_cast<size_t>(n * more.row_bytes(field)));
    results = std::move(more);
    if (!blocks) blocks.emplace(closure, reference_block);
    blocks->run(arguments, results, n, wanted - n);
    n = wanted;
  }
};

SelfTest::SelfTest(const Closure &closure) {
  const auto &spec = closure.spec();
  if (spec.locality == "grid" || closure.is_column_exact()) return;
  const int64_t n = fewest_blocks * reference_block;
  if (!fits(spec, n)) {
    const Buffers result(spec.results(), 1);
    BlockRunner(closure, 1).run(random_arguments(spec, 1, one_magnitude), result, 0, 1);
    return;
  }
  const auto arguments = random_arguments(spec, n, one_magnitude);
  const Buffers results(spec.results(), n);
  BlockRunner blocks(closure, reference_block);
  // Never fewer columns, whatever they cost: on a busy machine, one rank must not pass a closure
  // that another one would not.
  blocks.run(arguments, results, 0, n);
  if (!rounds_alike_in_any_order(closure, blocks, arguments, results, n)) return;
  seconds_of_reference_ = blocks.seconds();
  alike_ = {{reference_block, seconds_of_reference_}};
  tried_.insert(reference_block);
  takes_rest_ = seconds_of_reference_ <= seconds_of_costly_block &&
                fields_without_bounds(spec).empty() &&
                shows_rounding(closure, arguments, results, n);
  Reference reference{closure};
  double spare = seconds_at_load;
  for (const auto &sizes : {sizes_with_rest, sizes_without_rest})
    for (const int64_t size : sizes)
      if ((size % reference_block == 0 || takes_rest_) && cost(reference, size) <= spare)
        spare -= try_size(reference, size);
}

void SelfTest::consider(const Closure &closure, std::initializer_list<int64_t> numbers) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!tried_.count(reference_block)) return;
  const auto can_try = [&](int64_t size) {
    if (tried_.count(size)) return true;
    Reference reference{closure};
    if (cost(reference, size) > most_seconds) return false;
    try_size(reference, size);
    return true;
  };
  for (const int64_t n : numbers) {
    if (n < 1) continue;
    // Where one block for all is too costly to test, a smaller one may not be.
    int64_t size = whole_blocks(n);
    for (auto next = std::rbegin(sizes_without_rest); !can_try(size); ++next) {
      while (next != std::rend(sizes_without_rest) && *next >= size) ++next;
      if (next == std::rend(sizes_without_rest)) break;
      size = *next;
    }
    const int64_t rest = n % reference_block;
    for (const int64_t rest_size : sizes_with_rest)
      if (takes_rest_ && rest > 0 && rest <= rest_size) {
        can_try(rest_size);
        break;
      }
  }
}

double SelfTest::cost(const Reference &reference, int64_t size) const {
  const int64_t n_block = blocks_to_run(size, seconds_a_column()) * size;
  const int64_t n_new = std::max(whole_blocks(n_block) - reference.n, int64_t{0});
  if (!fits(reference.closure.spec(), whole_blocks(n_block)))
    return std::numeric_limits<double>::infinity();
  return seconds_a_column() * static_cast<double>(n_block + n_new);
}

double SelfTest::try_size(Reference &reference, int64_t size) {
  const auto &closure = reference.closure;
  const auto fields = closure.spec().results();
  // Several blocks, and what they hold once more in blocks of the reference.
  const int64_t n_block = blocks_to_run(size, seconds_a_column()) * size;
  const int64_t n_known = reference.n;
  tried_.insert(size);
  int64_t done = 0;
  double seconds = 0.0;
  try {
    reference.reach(whole_blocks(n_block));
    const Buffers results(fields, n_block);
    BlockRunner blocks(closure, size);
    bool is_same = true;
    for (; is_same && done < n_block; done += size) {
      blocks.run(reference.arguments, results, done, size);
      is_same = same(fields, reference.results, results, done, size);
    }
    seconds = is_same ? blocks.seconds() : 0.0;
  } catch (const Error &) {
    // A closure need not bear values of any magnitude; then the size is not tested.
  }
  const auto n_run = static_cast<double>(done + reference.n - n_known);
  if (seconds == 0.0) return n_run * seconds_a_column();
  const Block block{size, seconds};
  alike_.insert(std::upper_bound(alike_.begin(), alike_.end(), block,
                                 [](const Block &a, const Block &b) { return a.size < b.size; }),
                block);
  return n_run * seconds_a_column();
}

double SelfTest::seconds_a_column() const {
  return seconds_of_reference_ / static_cast<double>(reference_block);
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
