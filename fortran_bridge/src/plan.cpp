#include "plan.hpp"

namespace hybrid {

namespace {

struct Cover {
  std::vector<Range> ranges;
  double seconds = 0.0;
};

// As many blocks of the largest of the `kinds` smallest sizes as fit, then whatever is quickest
// for the rest: one more of them with padding, or smaller ones.
Cover cover(const std::vector<Block> &blocks, size_t kinds, int64_t first, int64_t n) {
  const Block &largest = blocks[kinds - 1];
  Cover found;
  const auto add = [&] {
    found.ranges.push_back({first, largest.size});
    found.seconds += largest.seconds;
    first += largest.size;
    n -= largest.size;
  };
  while (n >= largest.size) add();
  if (n <= 0) return found;
  if (kinds > 1) {
    const Cover rest = cover(blocks, kinds - 1, first, n);
    if (rest.seconds <= largest.seconds) {
      found.ranges.insert(found.ranges.end(), rest.ranges.begin(), rest.ranges.end());
      found.seconds += rest.seconds;
      return found;
    }
  }
  add();
  return found;
}

}  // namespace

std::vector<Range> reproducible_plan(const std::vector<Block> &blocks, int64_t n) {
  return cover(blocks, blocks.size(), 0, n).ranges;
}

std::vector<Range> even_plan(int64_t n, int64_t largest) {
  if (n == 0) return {};
  const int64_t count = (n + largest - 1) / largest;
  std::vector<Range> ranges;
  for (int64_t i = 0; i < count; ++i)
    ranges.push_back({i * n / count, (i + 1) * n / count - i * n / count});
  return ranges;
}

}  // namespace hybrid
