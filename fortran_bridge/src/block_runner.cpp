#include "block_runner.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "closure.hpp"

namespace hybrid {

namespace {

// TorchScript profiles, then optimises, then is steady; a third run shows that where it costs
// little.
constexpr int warm_up_runs = 2;
constexpr int more_warm_up_runs = 1;
constexpr double little = 0.1;  // [s]

Session prepared(const Closure &closure, int64_t size, const Buffers &block) {
  auto fields = closure.spec().arguments();
  for (const auto &field : closure.spec().results()) fields.push_back(field);
  return closure.prepare(size, Shapes(fields), block);
}

}  // namespace

BlockRunner::BlockRunner(const Closure &closure, int64_t size)
    : size_(size),
      block_(closure.spec().arguments(), size),
      session_(prepared(closure, size, block_)) {}

void BlockRunner::run(const Buffers &arguments, const Buffers &results, int64_t first, int64_t n) {
  const int64_t end = first + n;
  for (; first < end; first += size_) {
    for (size_t field = 0; field < block_.count(); ++field)
      std::memcpy(block_.row(field, 0), arguments.row(field, first),
                  static_cast<size_t>(size_ * block_.row_bytes(field)));
    if (!is_warm_) {
      for (int i = 0; i < warm_up_runs; ++i) evaluate(results, first);
      for (int i = 0; i < more_warm_up_runs && seconds_ < little; ++i) evaluate(results, first);
      is_warm_ = true;
    }
    evaluate(results, first);
  }
}

void BlockRunner::evaluate(const Buffers &results, int64_t first) {
  const auto start = std::chrono::steady_clock::now();
  session_.run(results, first);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  seconds_ = std::min(seconds_, elapsed.count());
}

}  // namespace hybrid
