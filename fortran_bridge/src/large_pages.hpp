// Memory for megabytes that are written once: on large pages, where the system has them. A page
// costs its first touch, and of 4 kB each there are thousands.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

namespace hybrid {

constexpr std::size_t large_page = std::size_t{1} << 21;  // bytes

// Not cleared; for std::free. Less than a large page is ordinary memory at a cache line.
inline void *allocate_large(std::size_t n_byte) {
  const std::size_t unit = n_byte < large_page ? 64 : large_page;
  if (n_byte > std::numeric_limits<std::size_t>::max() - unit) throw std::bad_alloc();
  const std::size_t rounded = n_byte == 0 ? unit : (n_byte + unit - 1) / unit * unit;
  void *memory = std::aligned_alloc(unit, rounded);
  if (!memory) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  // A wish: without it the memory is as good.
  if (unit == large_page) static_cast<void>(madvise(memory, rounded, MADV_HUGEPAGE));
#endif
  return memory;
}

// Of a vector whose new elements are left as they come, for those that are all written at once.
template <class T>
struct LargePages {
  using value_type = T;

  LargePages() = default;
  template <class U>
  LargePages(const LargePages<U> &) noexcept {}

  T *allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_alloc();
    return static_cast<T *>(allocate_large(n * sizeof(T)));
  }
  void deallocate(T *memory, std::size_t) noexcept { std::free(memory); }

  template <class U>
  void construct(U *place) noexcept {
    ::new (static_cast<void *>(place)) U;
  }
  template <class U, class... Arguments>
  void construct(U *place, Arguments &&...arguments) {
    ::new (static_cast<void *>(place)) U(std::forward<Arguments>(arguments)...);
  }

  template <class U>
  bool operator==(const LargePages<U> &) const noexcept {
    return true;
  }
};

}  // namespace hybrid
