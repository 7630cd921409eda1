// Threads that share one closure, each with bindings of its own, while others load archives and the
// host exchanges its log function. Arguments: an archive for the stub engine, with fields t(3), p
// and dt(3); how often each thread goes round.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "hybrid.h"

namespace {

std::atomic<int> failures{0};
std::atomic<int64_t> heard{0};

void hear(int /*level*/, const char *message, void * /*context*/) {
  heard += static_cast<int64_t>(std::strlen(message) > 0);
}

void expect(bool is_true, const char *what) {
  if (is_true) return;
  ++failures;
  std::printf("%s: %s\n", what, hybrid_last_error());
}

// Evaluates n columns, of which the last is not finite, and looks at what came.
void evaluate(hybrid_binding *binding, int64_t n, int64_t step) {
  const int64_t shape[2] = {n, 3}, stride[2] = {24, 8};
  std::vector<double> t(static_cast<size_t>(3 * n), 200.0), p(static_cast<size_t>(n), 100.0);
  std::vector<double> dt(t.size(), -1.0);
  std::vector<unsigned char> mask(p.size());
  p.back() = HUGE_VAL;
  expect(hybrid_binding_put(binding, "t", t.data(), 8, 2, shape, stride, "column,level", "Pa") ==
             HYBRID_ERROR_UNITS,
         "wrong units");
  expect(std::strstr(hybrid_last_error(), "t: ") != nullptr, "message of another thread");
  expect(!hybrid_binding_put(binding, "t", t.data(), 8, 2, shape, stride, "column,level", "K"),
         "put t");
  expect(!hybrid_binding_put(binding, "p", p.data(), 8, 1, shape, stride + 1, "column", "K"),
         "put p");
  expect(!hybrid_binding_apply(binding, step), "apply");
  expect(!hybrid_binding_get(binding, "dt", dt.data(), 8, 2, shape, stride, "column,level", "K s-1",
                             0),
         "get");
  expect(!hybrid_binding_mask(binding, mask.data(), n), "mask");
  expect(mask.back() & HYBRID_UNTOUCHED && dt.back() == -1.0, "the last column");
  // The stub engine's mean of all arguments of a column.
  expect(n == 1 || dt.front() == 175.0, "the first column");
}

void go_round(const hybrid_closure *shared, const char *archive, int thread, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const int64_t n = 1 + (37 * round + 11 * thread) % 300;
    hybrid_binding *binding = nullptr;
    expect(!hybrid_binding_create(shared, n, nullptr, 0, round % 2, "host", &binding), "create");
    if (!binding) return;
    evaluate(binding, n, round);
    int64_t sizes[32];
    expect(hybrid_closure_blocks(shared, sizes, 32) > 0, "blocks");
    expect(hybrid_closure_describe(shared) != nullptr, "describe");
    if (round % 10 == 0) {
      hybrid_closure *own = nullptr;
      expect(!hybrid_closure_load(archive, "auto", "cpu", 1, &own), "load");
      hybrid_closure_free(own);
      hybrid_log_to(round % 20 == 0 ? hear : nullptr, nullptr);
    }
    hybrid_binding_free(binding);
  }
}

}  // namespace

int main(int n_argument, char **arguments) {
  if (n_argument != 3) return 2;
  hybrid_log_to(hear, nullptr);
  hybrid_closure *closure = nullptr;
  expect(!hybrid_closure_load(arguments[1], "auto", "cpu", 1, &closure), "load");
  if (!closure) return 1;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([=] {
      hybrid_closure_retain(closure);
      go_round(closure, arguments[1], i, std::atoi(arguments[2]));
      hybrid_closure_free(closure);
    });
  for (auto &thread : threads) thread.join();
  hybrid_closure_free(closure);
  expect(heard > 0, "no message");
  std::printf("%d failures\n", failures.load());
  return failures != 0;
}
