#include "plan.hpp"

#include <algorithm>

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
    if (rest.seconds < largest.seconds) {
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

std::vector<Range> quickest_plan(const std::vector<Block> &blocks, int64_t n) {
  const auto quickest =
      std::min_element(blocks.begin(), blocks.end(), [](const Block &a, const Block &b) {
        return a.seconds * static_cast<double>(b.size) < b.seconds * static_cast<double>(a.size);
      });
  const int64_t count = std::max<int64_t>(1, (n + quickest->size / 2) / quickest->size);
  std::vector<Range> ranges;
  for (int64_t i = 0; i < count; ++i)
    ranges.push_back({i * n / count, (i + 1) * n / count - i * n / count});
  return ranges;
}

}  // namespace hybrid
